#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "kernels/math.h"

namespace pintle {
namespace {

// Uniform in [0, 1) with 53 bits.
double Draw(const SampleOptions& options, int64_t position) {
  const auto words = RandomBlock(options.seed, Purpose::kSample, static_cast<uint64_t>(position), options.choice);
  const uint64_t bits = (uint64_t{words[0]} << 21) ^ (words[1] >> 11);
  return static_cast<double>(bits) * 0x1p-53;
}

double Sum(const std::vector<float>& weights) {
  double sum = 0;
  for (const float weight : weights) sum += static_cast<double>(weight);
  return sum;
}

}  // namespace

Result<SampledToken> Sampler::Sample(std::span<const float> logits, const SampleOptions& options, int64_t position) {
  size_t best = 0;
  bool damaged = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    damaged = damaged || !(logits[i] < INFINITY);
    if (logits[i] > logits[best]) best = i;
  }
  if (logits.empty() || damaged || !std::isfinite(logits[best])) {
    return RuntimeError("the model's logits are not finite: its weights are damaged or training diverged");
  }
  const float largest = logits[best];
  const auto count = static_cast<int64_t>(logits.size());
  weights_.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) weights_[i] = logits[i] - largest;
  kernels::ExpArray(weights_.data(), weights_.data(), count, pool_);
  const double log_sum = kernels::Log(Sum(weights_));
  const auto result = [&](size_t id) {
    return SampledToken{static_cast<int32_t>(id),
                        static_cast<double>(logits[id]) - static_cast<double>(largest) - log_sum};
  };
  if (options.temperature <= 0 || options.top_k == 1) return result(best);

  if (options.temperature != 1) {
    const auto temperature = static_cast<float>(options.temperature);
    for (size_t i = 0; i < logits.size(); ++i) weights_[i] = (logits[i] - largest) / temperature;
    kernels::ExpArray(weights_.data(), weights_.data(), count, pool_);
  }
  // Candidates come off a heap one by one: a peaked distribution needs few of them.
  order_.resize(logits.size());
  std::iota(order_.begin(), order_.end(), 0);
  const auto after = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)];
    const float y = logits[static_cast<size_t>(b)];
    return x != y ? x < y : a > b;
  };
  std::make_heap(order_.begin(), order_.end(), after);
  chosen_.clear();
  const auto take = [&] {
    std::pop_heap(order_.begin(), order_.end(), after);
    chosen_.push_back(order_.back());
    order_.pop_back();
    return static_cast<double>(weights_[static_cast<size_t>(chosen_.back())]);
  };
  const bool limited = options.top_k > 0 && static_cast<size_t>(options.top_k) < logits.size();
  double sum = 0;
  if (limited) {
    for (int64_t i = 0; i < options.top_k; ++i) sum += take();
  } else {
    sum = Sum(weights_);
  }
  if (options.top_p < 1) {
    const double wanted = options.top_p * sum;
    double running = 0;
    size_t kept = 0;
    while ((kept == 0 || running < wanted) && (kept < chosen_.size() || (!limited && !order_.empty()))) {
      running += kept < chosen_.size() ? static_cast<double>(weights_[static_cast<size_t>(chosen_[kept])]) : take();
      ++kept;
    }
    chosen_.resize(kept);
    order_.clear();
    sum = running;
  }
  const double threshold = Draw(options, position) * sum;
  double running = 0;
  for (const int32_t id : chosen_) {
    running += static_cast<double>(weights_[static_cast<size_t>(id)]);
    if (running > threshold) return result(static_cast<size_t>(id));
  }
  while (!limited && !order_.empty()) {
    running += take();
    if (running > threshold) break;
  }
  return result(static_cast<size_t>(chosen_.back()));
}

Status ValidateSampleOptions(const SampleOptions& options) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    return UsageError("temperature must be a number of 0 or more", "--temperature");
  }
  if (!(options.top_p > 0 && options.top_p <= 1))
    return UsageError("top-p must lie above 0 and at most at 1", "--top-p");
  if (options.top_k < 0) return UsageError("top-k must be 0 (all) or more", "--top-k");
  if (options.max_tokens < 1) return UsageError("max-tokens must be 1 or more", "--max-tokens");
  for (const auto& stop : options.stop) {
    if (stop.empty()) return UsageError("a stop text is empty", "--stop");
  }
  return {};
}

}  // namespace pintle
