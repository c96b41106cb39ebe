// Samples in, bytes of an audio format out, as they come. One small interface over our own WAV and PCM and over the
// libraries of FLAC, Opus and MP3, so that nothing above knows which one it is.
//
// Where it stands: speech.cc feeds it with what a voice said, at the format's rate; HTTP or a file takes the bytes. It
// deliberately decodes nothing and holds no whole recording. Sources: RIFF WAVE, RFC 9639 (FLAC), RFC 7845 (Ogg Opus),
// ISO 11172-3 / 13818-3 (MP3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// What OpenAI's API calls response_format, less aac, for which Debian has no free encoder.
enum class AudioFormat : uint8_t { kMp3, kOpus, kFlac, kWav, kPcm };
inline constexpr AudioFormat kAudioFormats[] = {AudioFormat::kMp3, AudioFormat::kOpus, AudioFormat::kFlac,
                                                AudioFormat::kWav, AudioFormat::kPcm};

/// "mp3", "opus", "flac", "wav", "pcm": names in the API and ends of file names.
std::string_view AudioFormatName(AudioFormat format);
std::optional<AudioFormat> FindAudioFormat(std::string_view name);
/// "audio/mpeg", ...
std::string_view AudioContentType(AudioFormat format);
/// Samples a second, mono: 48,000 for Opus, which knows no 24,000 inside; 24,000 for all others.
int AudioSampleRate(AudioFormat format);

/// One recording. One thread. Equal samples give equal bytes, however they are cut into calls; for MP3 and Opus on one
/// machine with one version of the library.
class AudioEncoder {
 public:
  AudioEncoder() = default;
  AudioEncoder(const AudioEncoder&) = delete;
  AudioEncoder& operator=(const AudioEncoder&) = delete;
  virtual ~AudioEncoder() = default;

  /// Takes mono samples and appends the bytes that are certain to `bytes`, beginning with the header.
  virtual Status Write(std::span<const int16_t> samples, std::string& bytes) = 0;
  /// Appends the rest. Once, at the end, also of an empty recording.
  virtual Status Finish(std::string& bytes) = 0;
  /// After Finish: what belongs in the place of the first bytes, with the true length in it. A stream goes without, a
  /// file is completed by it. Empty if the format needs none.
  [[nodiscard]] virtual std::string Beginning() const { return {}; }
};

Result<std::unique_ptr<AudioEncoder>> NewAudioEncoder(AudioFormat format);

}  // namespace pintle
