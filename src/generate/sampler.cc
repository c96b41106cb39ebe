#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "kernels/math.h"

namespace pintle {
namespace {

// Uniform in [0, 1) with 53 bits.
double Uniform(const SampleOptions& options, int64_t position) {
  const auto words = RandomBlock(options.seed, Purpose::kSample, static_cast<uint64_t>(position), options.choice);
  const uint64_t bits = (uint64_t{words[0]} << 21) ^ (words[1] >> 11);
  return static_cast<double>(bits) * 0x1p-53;
}

double Sum(const std::vector<float>& weights) {
  double sum = 0;
  for (const float weight : weights) sum += static_cast<double>(weight);
  return sum;
}

// The index of the largest logit, the first of equals.
Result<size_t> Largest(std::span<const float> logits) {
  size_t best = 0;
  bool damaged = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    damaged = damaged || !(logits[i] < INFINITY);
    if (logits[i] > logits[best]) best = i;
  }
  if (logits.empty() || damaged || !std::isfinite(logits[best])) {
    return RuntimeError("the model's logits are not finite: its weights are damaged or training diverged");
  }
  return best;
}

// Orders ids by (logit descending, id ascending).
struct Likelier {
  std::span<const float> logits;
  bool operator()(int32_t a, int32_t b) const {
    const float x = logits[static_cast<size_t>(a)];
    const float y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  }
};

bool Penalizes(const SampleOptions& options) {
  return options.repetition_penalty != 1 || options.presence_penalty != 0 || options.frequency_penalty != 0;
}

}  // namespace

// Step 2 of the definition for tokens that were seen; counts_ is all zero before and after.
void Sampler::Penalize(const SampleOptions& options, const SampleContext& context) {
  const auto repetition = static_cast<float>(options.repetition_penalty);
  counts_.resize(adjusted_.size());
  const auto known = [&](int32_t id) { return static_cast<size_t>(id) < adjusted_.size(); };
  // Seen tokens are marked by a count of the answer plus one.
  for (const auto ids : {context.prompt, context.answer}) {
    for (const int32_t id : ids) {
      if (!known(id) || counts_[static_cast<size_t>(id)] != 0) continue;
      counts_[static_cast<size_t>(id)] = 1;
      float& logit = adjusted_[static_cast<size_t>(id)];
      logit = logit > 0 ? logit / repetition : logit * repetition;
    }
  }
  for (const int32_t id : context.answer) {
    if (known(id)) ++counts_[static_cast<size_t>(id)];
  }
  for (const auto ids : {context.answer, context.prompt}) {
    for (const int32_t id : ids) {
      if (!known(id)) continue;
      int32_t& count = counts_[static_cast<size_t>(id)];
      if (count > 1) {
        const double penalty = (count - 1) * options.frequency_penalty + options.presence_penalty;
        adjusted_[static_cast<size_t>(id)] -= static_cast<float>(penalty);
      }
      count = 0;
    }
  }
}

// Steps 1 and 2 of the definition; the logits themselves where there is nothing to do.
std::span<const float> Sampler::Adjust(std::span<const float> logits, const SampleOptions& options,
                                       const SampleContext& context) {
  if (context.allowed.empty() && options.logit_bias.empty() && !Penalizes(options)) return logits;
  adjusted_.assign(logits.begin(), logits.end());
  for (const auto& [id, bias] : options.logit_bias) {
    if (static_cast<size_t>(id) < adjusted_.size()) adjusted_[static_cast<size_t>(id)] += static_cast<float>(bias);
  }
  if (Penalizes(options)) Penalize(options, context);
  for (size_t i = 0; i < adjusted_.size() && !context.allowed.empty(); ++i) {
    if ((context.allowed[i / 64] >> (i % 64) & 1) == 0) adjusted_[i] = -INFINITY;
  }
  return adjusted_;
}

std::span<const int32_t> Sampler::Top(std::span<const float> logits, int64_t count) {
  if (count <= 0) return {};
  order_.resize(logits.size());
  std::iota(order_.begin(), order_.end(), 0);
  const int64_t kept = std::min(count, static_cast<int64_t>(order_.size()));
  std::partial_sort(order_.begin(), order_.begin() + kept, order_.end(), Likelier{logits});
  return {order_.data(), static_cast<size_t>(kept)};
}

Result<SampledToken> Sampler::Sample(std::span<const float> logits, const SampleOptions& options, int64_t position,
                                     const SampleContext& context) {
  PINTLE_ASSIGN(size_t best, Largest(logits));
  const auto count = static_cast<int64_t>(logits.size());
  weights_.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) weights_[i] = logits[i] - logits[best];
  kernels::ExpArray(weights_.data(), weights_.data(), count, pool_);
  const auto logprob = [largest = static_cast<double>(logits[best]), logits,
                        log_sum = kernels::Log(Sum(weights_))](int32_t id) {
    return static_cast<double>(logits[static_cast<size_t>(id)]) - largest - log_sum;
  };
  SampledToken token;
  for (const int32_t id : Top(logits, options.top_logprobs)) token.top.emplace_back(id, logprob(id));
  const std::span<const float> adjusted = Adjust(logits, options, context);
  if (adjusted.data() != logits.data()) {
    PINTLE_ASSIGN(best, Largest(adjusted));
  }
  const bool greedy = static_cast<float>(options.temperature) <= 0 || options.top_k == 1;
  token.id = greedy ? static_cast<int32_t>(best) : Draw(adjusted, adjusted[best], options, position);
  token.logprob = logprob(token.id);
  return token;
}

// Of the chosen candidates, whose weights have the sum `sum`, those whose surprise is nearest to its mean (Meister et
// al. 2022, "Locally typical sampling").
void Sampler::KeepTypical(double share, double sum) {
  const auto weight = [&](size_t i) { return static_cast<double>(weights_[static_cast<size_t>(chosen_[i])]); };
  const double log_sum = kernels::Log(sum);
  double mean = 0;
  surprise_.clear();
  for (size_t i = 0; i < chosen_.size(); ++i) {
    surprise_.emplace_back(log_sum - kernels::Log(weight(i)), i);
    mean += weight(i) / sum * surprise_.back().first;
  }
  for (auto& [surprise, i] : surprise_) surprise = std::abs(surprise - mean);
  std::sort(surprise_.begin(), surprise_.end());
  double kept = 0;
  size_t count = 0;
  while (count < surprise_.size() && (count == 0 || kept < share * sum)) kept += weight(surprise_[count++].second);
  surprise_.resize(count);
  std::sort(surprise_.begin(), surprise_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  for (size_t i = 0; i < count; ++i) chosen_[i] = chosen_[surprise_[i].second];
  chosen_.resize(count);
}

// Step 4 of the definition.
int32_t Sampler::Draw(std::span<const float> logits, float largest, const SampleOptions& options, int64_t position) {
  const auto temperature = static_cast<float>(options.temperature);
  for (size_t i = 0; i < logits.size(); ++i) weights_[i] = (logits[i] - largest) / temperature;
  kernels::ExpArray(weights_.data(), weights_.data(), static_cast<int64_t>(logits.size()), pool_);
  // Candidates come off a heap, which has its last on top, as they are looked at: first those near the largest, which
  // is mostly enough, then those further off.
  const auto after = [likelier = Likelier{logits}](int32_t a, int32_t b) { return likelier(b, a); };
  float low = INFINITY, reach = 4 * temperature;
  const auto widen = [&] {
    const float high = low;
    reach += 4 * temperature;
    low = reach < 100 * temperature ? largest - reach : -INFINITY;
    order_.clear();
    for (size_t i = 0; i < logits.size(); ++i) {
      if (logits[i] >= low && logits[i] < high) order_.push_back(static_cast<int32_t>(i));
    }
    std::make_heap(order_.begin(), order_.end(), after);
  };
  order_.clear();
  chosen_.clear();
  const auto weight = [&](size_t i) {
    while (chosen_.size() <= i) {
      while (order_.empty()) widen();
      std::pop_heap(order_.begin(), order_.end(), after);
      chosen_.push_back(order_.back());
      order_.pop_back();
    }
    return static_cast<double>(weights_[static_cast<size_t>(chosen_[i])]);
  };
  size_t kept = logits.size();
  double sum = 0;
  if (options.top_k > 0 && static_cast<size_t>(options.top_k) < kept) {
    kept = static_cast<size_t>(options.top_k);
    for (size_t i = 0; i < kept; ++i) sum += weight(i);
  } else {
    sum = Sum(weights_);
  }
  // Shortens the selection to the candidates before the first that is not wanted.
  const auto shorten = [&](const auto& wanted) {
    sum = 0;
    size_t i = 0;
    for (; i < kept && wanted(i); ++i) sum += weight(i);
    kept = i;
  };
  if (options.typical_p < 1) {
    shorten([&](size_t i) { return weight(i) > 0; });
    chosen_.resize(kept);
    KeepTypical(options.typical_p, sum);
    kept = chosen_.size();
    shorten([](size_t /*i*/) { return true; });
  }
  if (options.top_p < 1) shorten([&, share = options.top_p * sum](size_t i) { return i == 0 || sum < share; });
  if (options.min_p > 0) shorten([&](size_t i) { return weight(i) >= options.min_p; });
  const double threshold = Uniform(options, position) * sum;
  double running = 0;
  size_t chosen = 0;
  // What has no weight is never chosen, even if rounding leaves the running sum below the threshold.
  for (size_t i = 0; i < kept && weight(i) > 0 && running <= threshold; ++i) {
    running += weight(i);
    chosen = i;
  }
  return chosen_[chosen];
}

Status ValidateSampleOptions(const SampleOptions& options, int64_t vocabulary) {
  const auto inside = [](double value, double low, double high) { return value >= low && value <= high; };
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    return UsageError("temperature must be a number of 0 or more", "--temperature");
  }
  if (!(options.top_p > 0 && options.top_p <= 1))
    return UsageError("top-p must lie above 0 and at most at 1", "--top-p");
  if (!(options.typical_p > 0 && options.typical_p <= 1)) {
    return UsageError("typical-p must lie above 0 and at most at 1", "--typical-p");
  }
  if (options.top_k < 0) return UsageError("top-k must be 0 (all) or more", "--top-k");
  if (!inside(options.min_p, 0, 1)) return UsageError("min-p must lie between 0 and 1", "--min-p");
  if (!inside(options.repetition_penalty, 0.01, 100)) {
    return UsageError("repetition-penalty must lie between 0.01 and 100", "--repetition-penalty");
  }
  if (!inside(options.presence_penalty, -2, 2)) {
    return UsageError("presence-penalty must lie between -2 and 2", "--presence-penalty");
  }
  if (!inside(options.frequency_penalty, -2, 2)) {
    return UsageError("frequency-penalty must lie between -2 and 2", "--frequency-penalty");
  }
  for (const auto& [id, bias] : options.logit_bias) {
    if (id < 0 || id >= vocabulary) return UsageError("there is no token " + std::to_string(id), "--logit-bias");
    if (!inside(bias, -100, 100)) return UsageError("a bias must lie between -100 and 100", "--logit-bias");
  }
  if (options.top_logprobs < -1 || options.top_logprobs > 20) {
    return UsageError("top-logprobs must lie between 0 and 20", "--top-logprobs");
  }
  if (options.guess_tokens < 0 || options.guess_tokens > 64) {
    return UsageError("guess must lie between 0 and 64", "--guess");
  }
  if (options.max_tokens < 1) return UsageError("max-tokens must be 1 or more", "--max-tokens");
  for (const auto& stop : options.stop) {
    if (stop.empty()) return UsageError("a stop text is empty", "--stop");
  }
  return {};
}

}  // namespace pintle
