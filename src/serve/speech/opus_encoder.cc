// Opus in Ogg by libopusenc, with settings for speech. The stream's serial number is fixed, so that the bytes depend on
// the samples alone.
#include <opus/opusenc.h>

#include "serve/speech/audio_encoders.h"

namespace pintle {
namespace {

constexpr int kSerialNumber = 1;
constexpr int kBitRate = 32000;
constexpr int kMuxingDelay = 9600;  // samples of a page at most: 0.2 s, so that a stream begins soon
constexpr int kComplexity = 5;      // of 10

struct DestroyEncoder {
  void operator()(OggOpusEnc* encoder) const { ope_encoder_destroy(encoder); }
};
struct DestroyComments {
  void operator()(OggOpusComments* comments) const { ope_comments_destroy(comments); }
};

class OpusEncoder : public AudioEncoder {
 public:
  Status Init(int sample_rate) {
    const std::unique_ptr<OggOpusComments, DestroyComments> comments(ope_comments_create());
    const OpusEncCallbacks callbacks = {OnBytes, [](void* /*self*/) { return 0; }};
    int error = OPE_OK;
    encoder_.reset(ope_encoder_create_callbacks(&callbacks, this, comments.get(), sample_rate, 1, 0, &error));
    OggOpusEnc* encoder = encoder_.get();
    const bool right = encoder != nullptr && error == OPE_OK &&
                       ope_encoder_ctl(encoder, OPE_SET_SERIALNO(kSerialNumber)) == OPE_OK &&
                       ope_encoder_ctl(encoder, OPE_SET_COMMENT_PADDING(0)) == OPE_OK &&
                       ope_encoder_ctl(encoder, OPE_SET_MUXING_DELAY(kMuxingDelay)) == OPE_OK &&
                       ope_encoder_ctl(encoder, OPUS_SET_BITRATE(kBitRate)) == OPE_OK &&
                       ope_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(kComplexity)) == OPE_OK &&
                       ope_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) == OPE_OK;
    if (!right) return RuntimeError("libopusenc does not start");
    return {};
  }

  Status Write(std::span<const int16_t> samples, std::string& bytes) override {
    begun_ = true;
    const int result = ope_encoder_write(encoder_.get(), samples.data(), static_cast<int>(samples.size()));
    return Take(result, bytes);
  }
  Status Finish(std::string& bytes) override {
    // The library aborts the program when it is asked to end a stream of no samples at all.
    if (constexpr int16_t kSilence = 0; !begun_) PINTLE_RETURN_IF_ERROR(Write(std::span(&kSilence, 1), bytes));
    const int result = ope_encoder_drain(encoder_.get());
    return Take(result, bytes);
  }

 private:
  static int OnBytes(void* self, const unsigned char* bytes, opus_int32 count) {
    static_cast<OpusEncoder*>(self)->pending_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
    return 0;
  }
  Status Take(int result, std::string& bytes) {
    bytes += pending_;
    pending_.clear();
    if (result == OPE_OK) return {};
    return RuntimeError(std::string("libopusenc: ") + ope_strerror(result));
  }

  bool begun_ = false;
  std::string pending_;  // outlives encoder_, which writes to it
  std::unique_ptr<OggOpusEnc, DestroyEncoder> encoder_;
};

}  // namespace

Result<std::unique_ptr<AudioEncoder>> NewOpusEncoder(int sample_rate) {
  auto encoder = std::make_unique<OpusEncoder>();
  PINTLE_RETURN_IF_ERROR(encoder->Init(sample_rate));
  return std::unique_ptr<AudioEncoder>(std::move(encoder));
}

}  // namespace pintle
