#include "models/speech/resampler.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "kernels/math.h"
#include "kernels/reduce.h"

namespace pintle {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kAttenuation = 95;                                          // dB
constexpr double kBeta = 0.1102 * (kAttenuation - 8.7);                      // Kaiser's formula for the window's shape
constexpr double kTransition = 0.1;                                          // of the lower Nyquist frequency, below it
constexpr double kLobes = (kAttenuation - 8) / 2.285 / (kTransition * kPi);  // taps per sample of the lower rate
constexpr int64_t kTapMultiple = 32;                                         // whole rounds of the reduction's lanes

// The modified Bessel function of order 0 by its power series.
double BesselI0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double Sinc(double x) { return x == 0 ? 1 : kernels::Sin(kPi * x) / (kPi * x); }

}  // namespace

Resampler::Resampler(int from_rate, int to_rate) {
  PINTLE_CHECK(from_rate >= 1000 && from_rate <= 384000 && to_rate >= 1000 && to_rate <= 384000, "sample rates");
  const int common = std::gcd(from_rate, to_rate);
  up_ = to_rate / common;
  down_ = from_rate / common;
  if (up_ == down_) return;
  // In units of input samples: the cutoff lies in the middle of the transition.
  const double stretch = std::max(1.0, static_cast<double>(down_) / static_cast<double>(up_));
  taps_ = (static_cast<int64_t>(kLobes * stretch) / kTapMultiple + 1) * kTapMultiple;
  const double cutoff = (1 - kTransition / 2) / stretch;
  const double half = static_cast<double>(taps_) / 2;
  filters_.resize(static_cast<size_t>(up_ * taps_));
  for (int64_t phase = 0; phase < up_; phase++) {
    float* filter = &filters_[static_cast<size_t>(phase * taps_)];
    std::vector<double> exact(static_cast<size_t>(taps_));
    double sum = 0;
    for (int64_t k = 0; k < taps_; k++) {
      // Distance of input sample k - taps/2 + 1 from the output's place.
      const double distance = static_cast<double>(k + 1) - half - static_cast<double>(phase) / static_cast<double>(up_);
      const double edge = distance / half;
      const double window = edge * edge < 1 ? BesselI0(kBeta * kernels::Sqrt(1 - edge * edge)) / BesselI0(kBeta) : 0;
      sum += exact[static_cast<size_t>(k)] = cutoff * Sinc(cutoff * distance) * window;
    }
    // Every phase passes a constant unchanged.
    for (int64_t k = 0; k < taps_; k++) filter[k] = static_cast<float>(exact[static_cast<size_t>(k)] / sum);
  }
  // Silence before the first sample.
  history_begin_ = -(taps_ / 2);
  history_.assign(static_cast<size_t>(-history_begin_), 0.0F);
}

void Resampler::Push(std::span<const float> in, std::vector<float>& out) {
  input_ += static_cast<int64_t>(in.size());
  if (taps_ == 0) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  history_.insert(history_.end(), in.begin(), in.end());
  Drain(input_, out);
}

void Resampler::Finish(std::vector<float>& out) {
  if (taps_ == 0) return;
  const int64_t end = input_;
  history_.insert(history_.end(), static_cast<size_t>(taps_), 0.0F);
  Drain(end + taps_, out);
}

// Makes each output sample whose inputs, up to `input_end`, are there; none that lies behind the last real input.
void Resampler::Drain(int64_t input_end, std::vector<float>& out) {
  while (true) {
    const int64_t place = output_ * down_ / up_, phase = output_ * down_ % up_;
    const int64_t first = place - taps_ / 2 + 1;
    if (first + taps_ > input_end || place >= input_) break;
    out.push_back(kernels::Dot(&filters_[static_cast<size_t>(phase * taps_)],
                               &history_[static_cast<size_t>(first - history_begin_)], taps_));
    output_++;
  }
  const int64_t needed = output_ * down_ / up_ - taps_ / 2 + 1;
  const auto past = std::clamp<int64_t>(needed - history_begin_, 0, static_cast<int64_t>(history_.size()));
  history_.erase(history_.begin(), history_.begin() + past);
  history_begin_ += past;
}

int16_t ToSample16(float sample) {
  const float scaled = sample * 32768.0F;
  const float rounded = scaled + (scaled < 0 ? -0.5F : 0.5F);
  return static_cast<int16_t>(std::clamp(rounded, -32768.0F, 32767.0F));
}

}  // namespace pintle
