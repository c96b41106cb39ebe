#include "serve/speech/flite_voice.h"

#include <flite/flite.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/check.h"

extern "C" {
cst_voice* register_cmu_us_slt(const char* folder);
cst_voice* register_cmu_us_rms(const char* folder);
}

namespace pintle {
namespace {

constexpr int kChunk = 1600;  // samples: a tenth of a second

std::mutex& FliteMutex() {
  static std::mutex mutex;
  return mutex;
}

// One call of Flite on its way through the C callback.
struct Call {
  const SampleSink* sink;
  bool stopped = false;
};

int OnSamples(const cst_wave* wave, int start, int size, int /*last*/, cst_audio_streaming_info* info) {
  auto* call = static_cast<Call*>(info->userdata);
  if (call->stopped) return CST_AUDIO_STREAM_STOP;
  std::vector<float> samples(static_cast<size_t>(size));
  for (int i = 0; i < size; i++)
    samples[static_cast<size_t>(i)] = static_cast<float>(wave->samples[start + i]) / 32768.0F;
  call->stopped = !(*call->sink)(samples);
  return call->stopped ? CST_AUDIO_STREAM_STOP : CST_AUDIO_STREAM_CONT;
}

// In Flite's spelling: small letters; the letter A, which would be read as the article, by its sound.
std::string FliteSpelling(std::string_view piece) {
  std::string text;
  for (size_t at = 0; at < piece.size(); at++) {
    const char c = piece[at];
    const bool alone =
        (at == 0 || piece[at - 1] == ' ') &&
        (at + 1 == piece.size() || std::string_view(" .,;:?!").find(piece[at + 1]) != std::string_view::npos);
    if (c == 'A' && alone) {
      text += "eigh";
    } else {
      text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return text;
}

class FliteVoice : public Voice {
 public:
  explicit FliteVoice(std::string_view speaker) {
    const std::lock_guard<std::mutex> lock(FliteMutex());
    flite_init();
    voice_ = speaker == "rms" ? register_cmu_us_rms(nullptr) : register_cmu_us_slt(nullptr);
    PINTLE_CHECK(voice_ != nullptr, "Flite's voice is not there");
    info_ = new_audio_streaming_info();
    info_->min_buffsize = kChunk;
    info_->asc = OnSamples;
    flite_feat_set(voice_->features, "streaming_info", audio_streaming_info_val(info_));  // owns info_ from here on
    sample_rate_ = flite_get_param_int(voice_->features, "sample_rate", 16000);
  }

  [[nodiscard]] int sample_rate() const override { return sample_rate_; }

  Status Speak(std::string_view piece, double speed, const SampleSink& sink) override {
    const std::lock_guard<std::mutex> lock(FliteMutex());
    std::srand(1);  // Flite takes the noise in its sounds from rand(), which nothing else in Pintle calls
    Call call = {&sink};
    info_->userdata = &call;
    flite_feat_set_float(voice_->features, "duration_stretch", static_cast<float>(1 / speed));
    cst_utterance* utterance = flite_synth_text(FliteSpelling(piece).c_str(), voice_);
    info_->userdata = nullptr;
    if (utterance == nullptr) return RuntimeError("Flite could not say a piece of the text");
    delete_utterance(utterance);
    return {};
  }

 private:
  cst_voice* voice_ = nullptr;  // Flite's own, one for each speaker
  cst_audio_streaming_info* info_ = nullptr;
  int sample_rate_ = 0;
};

}  // namespace

std::unique_ptr<Voice> NewFliteVoice(std::string_view speaker) { return std::make_unique<FliteVoice>(speaker); }

}  // namespace pintle
