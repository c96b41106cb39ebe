// The table of formats, and the two that need no library.
#include "serve/speech/audio_encoder.h"

#include "serve/speech/audio_encoders.h"

namespace pintle {
namespace {

void AppendLittleEndian(uint32_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; i++) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// RIFF WAVE with the fields of 16-bit mono; sizes of all ones say that the end is not known.
std::string WavHeader(int sample_rate, uint64_t data_bytes) {
  const bool known = data_bytes <= 0xFFFFFFFFU - 36;
  std::string header = "RIFF";
  AppendLittleEndian(known ? static_cast<uint32_t>(data_bytes) + 36 : 0xFFFFFFFFU, 4, header);
  header += "WAVEfmt ";
  AppendLittleEndian(16, 4, header);  // of this chunk
  AppendLittleEndian(1, 2, header);   // integers
  AppendLittleEndian(1, 2, header);   // channels
  AppendLittleEndian(static_cast<uint32_t>(sample_rate), 4, header);
  AppendLittleEndian(static_cast<uint32_t>(sample_rate) * 2, 4, header);  // bytes a second
  AppendLittleEndian(2, 2, header);                                       // bytes of all channels
  AppendLittleEndian(16, 2, header);                                      // bits
  header += "data";
  AppendLittleEndian(known ? static_cast<uint32_t>(data_bytes) : 0xFFFFFFFFU, 4, header);
  return header;
}

// Plain samples, with a WAV header in front or none.
class PlainEncoder : public AudioEncoder {
 public:
  PlainEncoder(bool wav, int sample_rate) : wav_(wav), sample_rate_(sample_rate) {}

  Status Write(std::span<const int16_t> samples, std::string& bytes) override {
    Begin(bytes);
    for (const int16_t sample : samples) AppendLittleEndian(static_cast<uint16_t>(sample), 2, bytes);
    data_bytes_ += 2 * samples.size();
    return {};
  }
  Status Finish(std::string& bytes) override {
    Begin(bytes);
    return {};
  }
  [[nodiscard]] std::string Beginning() const override {
    return wav_ ? WavHeader(sample_rate_, data_bytes_) : std::string();
  }

 private:
  void Begin(std::string& bytes) {
    if (wav_ && !begun_) bytes += WavHeader(sample_rate_, UINT64_MAX);
    begun_ = true;
  }

  bool wav_, begun_ = false;
  int sample_rate_;
  uint64_t data_bytes_ = 0;
};

}  // namespace

std::string_view AudioFormatName(AudioFormat format) {
  constexpr std::string_view kNames[] = {"mp3", "opus", "flac", "wav", "pcm"};
  return kNames[static_cast<size_t>(format)];
}

std::optional<AudioFormat> FindAudioFormat(std::string_view name) {
  for (const AudioFormat format : kAudioFormats) {
    if (AudioFormatName(format) == name) return format;
  }
  return {};
}

std::string_view AudioContentType(AudioFormat format) {
  constexpr std::string_view kTypes[] = {"audio/mpeg", "audio/ogg", "audio/flac", "audio/wav", "audio/pcm"};
  return kTypes[static_cast<size_t>(format)];
}

int AudioSampleRate(AudioFormat format) { return format == AudioFormat::kOpus ? 48000 : 24000; }

Result<std::unique_ptr<AudioEncoder>> NewAudioEncoder(AudioFormat format) {
  const int rate = AudioSampleRate(format);
  switch (format) {
    case AudioFormat::kMp3:
      return NewMp3Encoder(rate);
    case AudioFormat::kOpus:
      return NewOpusEncoder(rate);
    case AudioFormat::kFlac:
      return NewFlacEncoder(rate);
    case AudioFormat::kWav:
    case AudioFormat::kPcm:
      break;
  }
  return std::unique_ptr<AudioEncoder>(std::make_unique<PlainEncoder>(format == AudioFormat::kWav, rate));
}

}  // namespace pintle
