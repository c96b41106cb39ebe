// FLAC by libFLAC, written without seeking: the true length and the MD5 sum come when all is said, as Beginning().
#include <FLAC/stream_encoder.h>

#include <vector>

#include "serve/speech/audio_encoders.h"

namespace pintle {
namespace {

struct DeleteEncoder {
  void operator()(FLAC__StreamEncoder* encoder) const { FLAC__stream_encoder_delete(encoder); }
};

void AppendBits(uint64_t value, int bits, uint64_t& held, int& held_bits, std::string& out) {
  for (int bit = bits - 1; bit >= 0; bit--) {
    held = held << 1 | (value >> bit & 1);
    if (++held_bits == 8) {
      out += static_cast<char>(held & 0xFF);
      held_bits = 0;
    }
  }
}

// The signature and the block STREAMINFO, behind which libFLAC always writes another block.
std::string StreamBeginning(const FLAC__StreamMetadata_StreamInfo& info) {
  std::string out = "fLaC";
  uint64_t held = 0;
  int held_bits = 0;
  const auto append = [&](uint64_t value, int bits) { AppendBits(value, bits, held, held_bits, out); };
  append(FLAC__METADATA_TYPE_STREAMINFO, 8);
  append(34, 24);
  append(info.min_blocksize, 16);
  append(info.max_blocksize, 16);
  append(info.min_framesize, 24);
  append(info.max_framesize, 24);
  append(info.sample_rate, 20);
  append(info.channels - 1, 3);
  append(info.bits_per_sample - 1, 5);
  append(info.total_samples, 36);
  for (const FLAC__byte byte : info.md5sum) append(byte, 8);
  return out;
}

class FlacEncoder : public AudioEncoder {
 public:
  Status Init(int sample_rate) {
    FLAC__StreamEncoder* encoder = encoder_.get();
    const bool right = encoder != nullptr && FLAC__stream_encoder_set_channels(encoder, 1) &&
                       FLAC__stream_encoder_set_bits_per_sample(encoder, 16) &&
                       FLAC__stream_encoder_set_sample_rate(encoder, static_cast<uint32_t>(sample_rate)) &&
                       FLAC__stream_encoder_set_compression_level(encoder, 5);
    if (!right || FLAC__stream_encoder_init_stream(encoder, OnBytes, nullptr, nullptr, OnMetadata, this) !=
                      FLAC__STREAM_ENCODER_INIT_STATUS_OK) {
      return RuntimeError("libFLAC does not start");
    }
    return {};
  }

  Status Write(std::span<const int16_t> samples, std::string& bytes) override {
    const std::vector<FLAC__int32> wide(samples.begin(), samples.end());
    const FLAC__int32* channel = wide.data();
    const bool done = FLAC__stream_encoder_process(encoder_.get(), &channel, static_cast<uint32_t>(wide.size()));
    return Take(done, bytes);
  }
  Status Finish(std::string& bytes) override {
    const bool done = FLAC__stream_encoder_finish(encoder_.get());
    return Take(done, bytes);
  }
  [[nodiscard]] std::string Beginning() const override { return beginning_; }

 private:
  static FLAC__StreamEncoderWriteStatus OnBytes(const FLAC__StreamEncoder* /*encoder*/, const FLAC__byte bytes[],
                                                size_t count, uint32_t /*samples*/, uint32_t /*frame*/, void* self) {
    static_cast<FlacEncoder*>(self)->pending_.append(reinterpret_cast<const char*>(bytes), count);
    return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
  }
  static void OnMetadata(const FLAC__StreamEncoder* /*encoder*/, const FLAC__StreamMetadata* metadata, void* self) {
    if (metadata->type != FLAC__METADATA_TYPE_STREAMINFO) return;
    static_cast<FlacEncoder*>(self)->beginning_ = StreamBeginning(metadata->data.stream_info);
  }
  Status Take(bool done, std::string& bytes) {
    bytes += pending_;
    pending_.clear();
    if (done) return {};
    return RuntimeError("libFLAC failed");
  }

  std::unique_ptr<FLAC__StreamEncoder, DeleteEncoder> encoder_{FLAC__stream_encoder_new()};
  std::string pending_, beginning_;
};

}  // namespace

Result<std::unique_ptr<AudioEncoder>> NewFlacEncoder(int sample_rate) {
  auto encoder = std::make_unique<FlacEncoder>();
  PINTLE_RETURN_IF_ERROR(encoder->Init(sample_rate));
  return std::unique_ptr<AudioEncoder>(std::move(encoder));
}

}  // namespace pintle
