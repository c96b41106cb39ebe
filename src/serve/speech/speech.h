// Text in, a recording out, piece by piece: the main path of speech.
//
//   written text -> NormaliseForSpeech -> CutPieces -> Voice -> Resampler -> AudioEncoder -> bytes
//
// Where it stands: cli/say.cc writes the bytes to a file; tts_node.h sends them. Both call SayNext until done, so that
// a node can take turns between requests. It deliberately knows neither.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/speech/resampler.h"
#include "serve/speech/audio_encoder.h"
#include "serve/speech/voices.h"
#include "text/speech/pieces.h"

namespace pintle {

inline constexpr double kSlowestSpeech = 0.25, kFastestSpeech = 4;

/// What to say and how.
struct SpeechOptions {
  std::string text;
  std::string voice = "alloy";  ///< one of VoiceNames()
  AudioFormat format = AudioFormat::kMp3;
  double speed = 1;  ///< kSlowestSpeech to kFastestSpeech
};

/// Takes the next bytes of the recording. False: nobody wants more.
using ByteSink = std::function<bool(std::string bytes)>;

/// One recording on its way. One thread. The bytes depend on the options alone.
class Speech {
 public:
  /// Prepares the text; says nothing yet. `voices` outlives it. Validation errors: nothing in the text can be said, the
  /// voice is unknown, the speed is out of range.
  static Result<std::unique_ptr<Speech>> Create(const VoiceSet& voices, const SpeechOptions& options);

  /// Says the next piece; after the last one the recording is finished. An error ends it too.
  Status SayNext(const ByteSink& sink);
  [[nodiscard]] bool done() const { return next_ == pieces_.size(); }
  /// The sink stopped it before the end.
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// AudioEncoder::Beginning, when done.
  [[nodiscard]] std::string Beginning() const { return encoder_->Beginning(); }
  /// Length of what was said so far.
  [[nodiscard]] double audio_seconds() const;
  [[nodiscard]] size_t pieces() const { return pieces_.size(); }
  /// Characters of the text that could not be said.
  [[nodiscard]] int64_t dropped() const { return dropped_; }

 private:
  Speech(Voice& voice, const SpeechOptions& options);
  Status Encode(std::span<const float> samples, bool last, const ByteSink& sink);

  Voice* voice_;
  AudioFormat format_;
  double speed_;
  std::vector<SpokenPiece> pieces_;
  size_t next_ = 0;
  int64_t dropped_ = 0, samples_ = 0;
  bool stopped_ = false;
  Resampler resampler_;
  std::unique_ptr<AudioEncoder> encoder_;
};

}  // namespace pintle
