// Every format is read back by its own library's decoder where there is one: FLAC exactly, Opus and MP3 by their sound.
#include "serve/speech/audio_encoder.h"

#include <FLAC/stream_decoder.h>
#include <doctest/doctest.h>
#include <lame/lame.h>
#include <opus/opus.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace pintle {
namespace {

std::vector<int16_t> Tone(int rate, double seconds) {
  std::vector<int16_t> samples(static_cast<size_t>(rate * seconds));
  for (size_t i = 0; i < samples.size(); i++) {
    samples[i] = static_cast<int16_t>(8000 * std::sin(2 * 3.14159265358979 * 440 * static_cast<double>(i) / rate));
  }
  return samples;
}

struct Encoded {
  std::string stream, file;  // as it was streamed, and with its true beginning
};
Encoded Encode(AudioFormat format, const std::vector<int16_t>& samples, size_t step = 1000) {
  auto encoder = NewAudioEncoder(format);
  REQUIRE(encoder.ok());
  Encoded out;
  for (size_t at = 0; at < samples.size(); at += step) {
    REQUIRE((*encoder)->Write(std::span(samples).subspan(at, std::min(step, samples.size() - at)), out.stream).ok());
  }
  REQUIRE((*encoder)->Finish(out.stream).ok());
  const std::string beginning = (*encoder)->Beginning();
  out.file = beginning + out.stream.substr(beginning.size());
  return out;
}

uint32_t Field(const std::string& bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = size - 1; i >= 0; i--) value = value << 8 | static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)]);
  return value;
}

// Share of the energy of `samples` that is a tone of 440 Hz.
double ToneShare(const std::vector<int16_t>& samples, int rate) {
  double power = 0, s = 0, c = 0;
  for (size_t i = 0; i < samples.size(); i++) {
    const double angle = 2 * 3.14159265358979 * 440 * static_cast<double>(i) / rate;
    power += samples[i] * static_cast<double>(samples[i]);
    s += samples[i] * std::sin(angle);
    c += samples[i] * std::cos(angle);
  }
  return 2 * (s * s + c * c) / static_cast<double>(samples.size()) / power;
}

TEST_CASE("names and types of the formats") {
  for (const AudioFormat format : kAudioFormats) CHECK(FindAudioFormat(AudioFormatName(format)) == format);
  CHECK_FALSE(FindAudioFormat("aac").has_value());
  CHECK_FALSE(FindAudioFormat("").has_value());
  CHECK(AudioContentType(AudioFormat::kMp3) == "audio/mpeg");
  CHECK(AudioContentType(AudioFormat::kPcm) == "audio/pcm");
}

TEST_CASE("wav: a stream says that its end is not known, a file says how long it is") {
  const std::vector<int16_t> samples = Tone(24000, 0.1);
  const Encoded wav = Encode(AudioFormat::kWav, samples);
  REQUIRE(wav.stream.size() == 44 + 2 * samples.size());
  CHECK(Field(wav.stream, 4, 4) == 0xFFFFFFFF);
  CHECK(Field(wav.stream, 40, 4) == 0xFFFFFFFF);
  CHECK(wav.file.substr(0, 4) == "RIFF");
  CHECK(wav.file.substr(8, 8) == "WAVEfmt ");
  CHECK(Field(wav.file, 4, 4) == wav.file.size() - 8);
  CHECK(Field(wav.file, 16, 4) == 16);
  CHECK(Field(wav.file, 20, 2) == 1);
  CHECK(Field(wav.file, 22, 2) == 1);
  CHECK(Field(wav.file, 24, 4) == 24000);
  CHECK(Field(wav.file, 28, 4) == 48000);
  CHECK(Field(wav.file, 32, 2) == 2);
  CHECK(Field(wav.file, 34, 2) == 16);
  CHECK(wav.file.substr(36, 4) == "data");
  CHECK(Field(wav.file, 40, 4) == 2 * samples.size());
  CHECK(Encode(AudioFormat::kPcm, samples).stream == wav.stream.substr(44));
  CHECK(Encode(AudioFormat::kWav, {}).file.size() == 44);
}

TEST_CASE("flac: what is decoded is what was encoded") {
  const std::vector<int16_t> samples = Tone(24000, 0.5);
  const Encoded flac = Encode(AudioFormat::kFlac, samples);
  for (const std::string& bytes : {flac.stream, flac.file}) {
    struct State {
      std::string_view left;
      std::vector<int16_t> samples;
      uint64_t told = 0;
      bool md5 = false;
    } state = {bytes, {}};
    FLAC__StreamDecoder* decoder = FLAC__stream_decoder_new();
    FLAC__stream_decoder_set_md5_checking(decoder, true);
    const auto read = [](const FLAC__StreamDecoder*, FLAC__byte* buffer, size_t* count, void* self) {
      std::string_view& left = static_cast<State*>(self)->left;
      *count = std::min(*count, left.size());
      std::memcpy(buffer, left.data(), *count);
      left.remove_prefix(*count);
      return *count == 0 ? FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM : FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
    };
    const auto write = [](const FLAC__StreamDecoder*, const FLAC__Frame* frame, const FLAC__int32* const* channels,
                          void* self) {
      for (uint32_t i = 0; i < frame->header.blocksize; i++) {
        static_cast<State*>(self)->samples.push_back(static_cast<int16_t>(channels[0][i]));
      }
      return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
    };
    const auto metadata = [](const FLAC__StreamDecoder*, const FLAC__StreamMetadata* block, void* self) {
      if (block->type == FLAC__METADATA_TYPE_STREAMINFO) {
        static_cast<State*>(self)->told = block->data.stream_info.total_samples;
      }
    };
    const auto fail = [](const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus, void*) { FAIL("not FLAC"); };
    REQUIRE(FLAC__stream_decoder_init_stream(decoder, read, nullptr, nullptr, nullptr, nullptr, write, metadata, fail,
                                             &state) == FLAC__STREAM_DECODER_INIT_STATUS_OK);
    CHECK(FLAC__stream_decoder_process_until_end_of_stream(decoder));
    CHECK(FLAC__stream_decoder_finish(decoder));  // false if the MD5 sum is wrong
    FLAC__stream_decoder_delete(decoder);
    CHECK(state.samples == samples);
    CHECK(state.told == (bytes == flac.file ? samples.size() : 0));
  }
}

TEST_CASE("mp3: the sound comes back") {
  const std::vector<int16_t> samples = Tone(24000, 1);
  std::string mp3 = Encode(AudioFormat::kMp3, samples).file;
  CHECK(static_cast<uint8_t>(mp3[0]) == 0xFF);
  CHECK((static_cast<uint8_t>(mp3[1]) & 0xE0) == 0xE0);
  CHECK(mp3.size() < 10000);
  hip_t decoder = hip_decode_init();
  std::vector<int16_t> left(200000), right(200000), decoded;
  for (size_t at = 0; at < mp3.size(); at += 300) {
    const int count = hip_decode(decoder, reinterpret_cast<unsigned char*>(mp3.data()) + at,
                                 std::min<size_t>(300, mp3.size() - at), left.data(), right.data());
    REQUIRE(count >= 0);
    decoded.insert(decoded.end(), left.begin(), left.begin() + count);
  }
  hip_decode_exit(decoder);
  REQUIRE(decoded.size() >= samples.size());
  CHECK(decoded.size() < samples.size() + 3000);
  CHECK(ToneShare({decoded.begin() + 4000, decoded.begin() + 20000}, 24000) > 0.98);
}

// The packets of an Ogg stream with one packet sequence, after its two headers.
std::vector<std::string> OggPackets(const std::string& ogg) {
  std::vector<std::string> packets;
  std::string packet;
  for (size_t at = 0; at + 27 <= ogg.size();) {
    REQUIRE(ogg.compare(at, 4, "OggS") == 0);
    const size_t segments = static_cast<uint8_t>(ogg[at + 26]);
    size_t body = at + 27 + segments;
    for (size_t i = 0; i < segments; i++) {
      const size_t length = static_cast<uint8_t>(ogg[at + 27 + i]);
      packet += ogg.substr(body, length);
      body += length;
      if (length < 255) packets.push_back(std::move(packet)), packet.clear();
    }
    at = body;
  }
  return packets;
}

TEST_CASE("opus: the sound comes back, and the headers say what RFC 7845 wants") {
  const std::vector<int16_t> samples = Tone(48000, 1);
  const std::vector<std::string> packets = OggPackets(Encode(AudioFormat::kOpus, samples).file);
  REQUIRE(packets.size() > 40);
  CHECK(packets[0].substr(0, 8) == "OpusHead");
  CHECK(packets[0][9] == 1);
  CHECK(packets[1].substr(0, 8) == "OpusTags");
  int error = 0;
  OpusDecoder* decoder = opus_decoder_create(48000, 1, &error);
  REQUIRE(error == OPUS_OK);
  std::vector<int16_t> decoded, frame(5760);
  for (size_t i = 2; i < packets.size(); i++) {
    const int count = opus_decode(decoder, reinterpret_cast<const unsigned char*>(packets[i].data()),
                                  static_cast<int>(packets[i].size()), frame.data(), 5760, 0);
    REQUIRE(count > 0);
    decoded.insert(decoded.end(), frame.begin(), frame.begin() + count);
  }
  opus_decoder_destroy(decoder);
  REQUIRE(decoded.size() >= samples.size());
  CHECK(ToneShare({decoded.begin() + 8000, decoded.begin() + 40000}, 48000) > 0.98);
}

TEST_CASE("how the samples are cut does not show, and nothing is a recording too") {
  for (const AudioFormat format : kAudioFormats) {
    const std::vector<int16_t> samples = Tone(AudioSampleRate(format), 0.3);
    const std::string whole = Encode(format, samples, samples.size()).file;
    CAPTURE(AudioFormatName(format));
    CHECK(Encode(format, samples, 777).file == whole);
    CHECK(Encode(format, samples, 1).file == whole);
    Encode(format, {});
  }
}

}  // namespace
}  // namespace pintle
