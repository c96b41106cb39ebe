// MP3 by LAME: constant bit rate, so that players know the length without a table at the beginning.
#include <lame/lame.h>

#include <vector>

#include "serve/speech/audio_encoders.h"

namespace pintle {
namespace {

constexpr int kKilobits = 64;
constexpr int kQuality = 5;  // 0 is the slowest, 9 the fastest

struct CloseLame {
  void operator()(lame_global_flags* lame) const { lame_close(lame); }
};

class Mp3Encoder : public AudioEncoder {
 public:
  Status Init(int sample_rate) {
    lame_global_flags* lame = lame_.get();
    if (lame == nullptr) return RuntimeError("LAME does not start");
    lame_set_in_samplerate(lame, sample_rate);
    lame_set_out_samplerate(lame, sample_rate);
    lame_set_num_channels(lame, 1);
    lame_set_mode(lame, MONO);
    lame_set_brate(lame, kKilobits);
    lame_set_quality(lame, kQuality);
    lame_set_bWriteVbrTag(lame, 0);
    lame_set_write_id3tag_automatic(lame, 0);
    if (lame_init_params(lame) < 0) return RuntimeError("LAME does not take the settings");
    return {};
  }

  Status Write(std::span<const int16_t> samples, std::string& bytes) override {
    Reserve(samples.size());
    return Take(lame_encode_buffer(lame_.get(), samples.data(), nullptr, static_cast<int>(samples.size()),
                                   buffer_.data(), static_cast<int>(buffer_.size())),
                bytes);
  }
  Status Finish(std::string& bytes) override {
    Reserve(0);
    return Take(lame_encode_flush(lame_.get(), buffer_.data(), static_cast<int>(buffer_.size())), bytes);
  }

 private:
  // LAME's own bound for what `samples` become.
  void Reserve(size_t samples) { buffer_.resize(samples + samples / 4 + 7200); }
  Status Take(int count, std::string& bytes) {
    if (count < 0) return RuntimeError("LAME failed with " + std::to_string(count));
    bytes.append(reinterpret_cast<const char*>(buffer_.data()), static_cast<size_t>(count));
    return {};
  }

  std::unique_ptr<lame_global_flags, CloseLame> lame_{lame_init()};
  std::vector<unsigned char> buffer_;
};

}  // namespace

Result<std::unique_ptr<AudioEncoder>> NewMp3Encoder(int sample_rate) {
  auto encoder = std::make_unique<Mp3Encoder>();
  PINTLE_RETURN_IF_ERROR(encoder->Init(sample_rate));
  return std::unique_ptr<AudioEncoder>(std::move(encoder));
}

}  // namespace pintle
