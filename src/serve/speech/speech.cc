#include "serve/speech/speech.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/speech/normalise.h"

namespace pintle {
namespace {

// Characters of a piece: some twelve seconds, so that a request waits for others no longer than one piece takes.
constexpr size_t kPieceLimit = 200;

// Seconds of silence behind a piece, besides what the voice leaves itself.
double PauseAfter(PieceEnd end) {
  switch (end) {
    case PieceEnd::kParagraph:
      return 0.6;
    case PieceEnd::kSentence:
      return 0.3;
    case PieceEnd::kClause:
      return 0.1;
    case PieceEnd::kInside:
      break;
  }
  return 0;
}

}  // namespace

Speech::Speech(Voice& voice, const SpeechOptions& options)
    : voice_(&voice),
      format_(options.format),
      speed_(options.speed),
      resampler_(voice.sample_rate(), AudioSampleRate(options.format)) {}

Result<std::unique_ptr<Speech>> Speech::Create(const VoiceSet& voices, const SpeechOptions& options) {
  const VoiceName* name = FindVoiceName(options.voice);
  if (name == nullptr) {
    std::string names;
    for (const VoiceName& known : VoiceNames()) names.append(names.empty() ? "" : ", ").append(known.name);
    return ValidationError("there is no voice '" + options.voice + "'", "", "the voices are " + names);
  }
  if (!(options.speed >= kSlowestSpeech && options.speed <= kFastestSpeech)) {
    return ValidationError(fmt::format("a speed lies between {} and {}", kSlowestSpeech, kFastestSpeech));
  }
  const SpokenText spoken = NormaliseForSpeech(options.text);
  if (spoken.text.empty()) {
    return ValidationError("the text holds nothing that can be said", "", "the voices speak English in Latin letters");
  }
  auto speech = std::unique_ptr<Speech>(new Speech(voices.Get(*name), options));
  speech->pieces_ = CutPieces(spoken.text, kPieceLimit);
  speech->dropped_ = spoken.dropped;
  PINTLE_ASSIGN(speech->encoder_, NewAudioEncoder(options.format));
  return speech;
}

double Speech::audio_seconds() const { return static_cast<double>(samples_) / AudioSampleRate(format_); }

Status Speech::Encode(std::span<const float> samples, bool last, const ByteSink& sink) {
  std::vector<float> resampled;
  resampler_.Push(samples, resampled);
  if (last) resampler_.Finish(resampled);
  std::vector<int16_t> rounded(resampled.size());
  std::transform(resampled.begin(), resampled.end(), rounded.begin(), ToSample16);
  samples_ += static_cast<int64_t>(rounded.size());
  std::string bytes;
  if (!rounded.empty()) PINTLE_RETURN_IF_ERROR(encoder_->Write(rounded, bytes));
  if (last) PINTLE_RETURN_IF_ERROR(encoder_->Finish(bytes));
  if (!bytes.empty() && !sink(std::move(bytes))) stopped_ = true;
  return {};
}

Status Speech::SayNext(const ByteSink& sink) {
  if (done()) return {};
  const SpokenPiece& piece = pieces_[next_];
  const bool last = next_ + 1 == pieces_.size();
  Status encoded;
  Status spoken = voice_->Speak(piece.text, speed_, [&](std::span<const float> samples) {
    encoded = Encode(samples, false, sink);
    return encoded.ok() && !stopped_;
  });
  if (spoken.ok()) spoken = std::move(encoded);
  if (spoken.ok() && !stopped_) {
    const double pause = last ? 0 : PauseAfter(piece.end) / speed_;
    const std::vector<float> silence(static_cast<size_t>(pause * voice_->sample_rate()), 0.0F);
    spoken = Encode(silence, last, sink);
  }
  next_ = spoken.ok() && !stopped_ ? next_ + 1 : pieces_.size();
  return spoken;
}

}  // namespace pintle
