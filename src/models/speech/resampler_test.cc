#include "models/speech/resampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace pintle {
namespace {

constexpr double kPi = 3.14159265358979323846;

std::vector<float> Tone(double frequency, int rate, int64_t count) {
  std::vector<float> samples(static_cast<size_t>(count));
  for (size_t i = 0; i < samples.size(); i++) {
    samples[i] = static_cast<float>(0.5 * std::sin(2 * kPi * frequency * static_cast<double>(i) / rate));
  }
  return samples;
}

std::vector<float> Resampled(const std::vector<float>& in, int from, int to) {
  Resampler resampler(from, to);
  std::vector<float> out;
  resampler.Push(in, out);
  resampler.Finish(out);
  return out;
}

// The power of a tone in `samples` in dB against amplitude 0.5, and that of all the rest, both away from the ends.
struct Spectrum {
  double tone, rest;
};
Spectrum Measure(const std::vector<float>& samples, double frequency, int rate) {
  const size_t margin = samples.size() / 8, count = samples.size() - 2 * margin;
  double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0;
  for (size_t i = 0; i < count; i++) {
    const double angle = 2 * kPi * frequency * static_cast<double>(i + margin) / rate;
    const double s = std::sin(angle), c = std::cos(angle), x = samples[i + margin];
    ss += s * s, cc += c * c, sc += s * c, xs += x * s, xc += x * c;
  }
  const double det = ss * cc - sc * sc, a = (xs * cc - xc * sc) / det, b = (xc * ss - xs * sc) / det;
  double rest = 0;
  for (size_t i = 0; i < count; i++) {
    const double angle = 2 * kPi * frequency * static_cast<double>(i + margin) / rate;
    const double error = samples[i + margin] - a * std::sin(angle) - b * std::cos(angle);
    rest += error * error;
  }
  const auto decibel = [](double power) { return 10 * std::log10(power / 0.125 + 1e-30); };
  return {decibel((a * a + b * b) / 2), decibel(rest / static_cast<double>(count))};
}

TEST_CASE("tones pass within 0.01 dB and leave no images above -80 dB") {
  for (const int to : {24000, 48000}) {
    for (const double frequency : {50.0, 440.0, 1000.0, 3000.0, 5000.0, 6500.0, 7200.0}) {
      const Spectrum spectrum = Measure(Resampled(Tone(frequency, 16000, 8000), 16000, to), frequency, to);
      CAPTURE(frequency);
      CHECK(std::abs(spectrum.tone) < 0.01);
      CHECK(spectrum.rest < -80);
    }
  }
  const Spectrum spectrum = Measure(Resampled(Tone(9000, 22050, 11025), 22050, 24000), 9000, 24000);
  CHECK(std::abs(spectrum.tone) < 0.01);
  CHECK(spectrum.rest < -80);
}

TEST_CASE("what the lower rate cannot hold is at least 80 dB down") {
  for (const double frequency : {8000.0, 9000.0, 10500.0, 11900.0}) {
    const std::vector<float> out = Resampled(Tone(frequency, 24000, 12000), 24000, 16000);
    double power = 0;
    for (size_t i = out.size() / 8; i < out.size() * 7 / 8; i++) power += out[i] * out[i];
    power /= static_cast<double>(out.size()) * 0.75;
    CAPTURE(frequency);
    CHECK(10 * std::log10(power / 0.125 + 1e-30) < -80);
  }
}

TEST_CASE("a constant stays, and the length is the input's") {
  const std::vector<float> out = Resampled(std::vector<float>(1000, 0.25F), 16000, 24000);
  REQUIRE(out.size() == 1500);
  for (size_t i = 200; i < 1300; i++) CHECK(std::abs(out[i] - 0.25F) < 1e-6F);
  CHECK(Resampled(std::vector<float>(1, 1.0F), 16000, 24000).size() == 2);
  CHECK(Resampled({}, 16000, 24000).empty());
  CHECK(Resampled(std::vector<float>(147, 1.0F), 44100, 48000).size() == 160);
  CHECK(Resampled({0.5F, -0.5F}, 24000, 24000) == std::vector<float>{0.5F, -0.5F});
}

TEST_CASE("how the input is cut does not show") {
  std::vector<float> in(3000);
  for (size_t i = 0; i < in.size(); i++) in[i] = static_cast<float>(i * 2654435761U % 1000) / 1000.0F - 0.5F;
  for (const int to : {24000, 48000, 11025}) {
    const std::vector<float> whole = Resampled(in, 16000, to);
    for (const size_t step : {size_t{1}, size_t{7}, size_t{160}, size_t{1601}}) {
      Resampler resampler(16000, to);
      std::vector<float> out;
      for (size_t at = 0; at < in.size(); at += step) {
        resampler.Push(std::span(in).subspan(at, std::min(step, in.size() - at)), out);
      }
      resampler.Finish(out);
      CHECK(out == whole);
    }
  }
}

TEST_CASE("samples of 16 bits are rounded and limited") {
  CHECK(ToSample16(0) == 0);
  CHECK(ToSample16(1) == 32767);
  CHECK(ToSample16(-1) == -32768);
  CHECK(ToSample16(-2) == -32768);
  CHECK(ToSample16(0.5F) == 16384);
  CHECK(ToSample16(1.4F / 32768) == 1);
  CHECK(ToSample16(-1.6F / 32768) == -2);
}

}  // namespace
}  // namespace pintle
