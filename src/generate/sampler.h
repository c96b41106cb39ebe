// The one sampler: logits in, the next token out. Every draw is a pure function of (seed, choice, position), so neither
// batching nor order shows. Not here: what may come next in a constrained answer (constraint.h); it arrives as a mask.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/generate.h"

namespace pintle {

/// A chosen token. Log-probabilities are natural, of the logits as the model gave them, at temperature 1.
struct SampledToken {
  int32_t id = 0;
  double logprob = 0;
  std::vector<std::pair<int32_t, double>> top;  ///< (id, log-probability) of the top_logprobs largest logits
};

/// What else the choice of a token depends on.
struct SampleContext {
  std::span<const int32_t> prompt, answer;  ///< the ids so far; the penalties look at them
  std::span<const uint64_t> allowed;        ///< bit i of the words: token i may come; empty = all may
};

/// Holds scratch memory only; one thread.
class Sampler {
 public:
  explicit Sampler(ThreadPool& pool) : pool_(pool) {}

  /// The token at absolute `position` of the sequence. Definition, in this order:
  ///   1. logits of tokens that are not allowed become -inf.
  ///   2. in float: logit += bias; of each id in prompt or answer, logit = logit > 0 ? logit / repetition : logit *
  ///      repetition; of each id that the answer has n > 0 times, logit -= n * frequency + presence.
  ///   3. temperature 0, or top_k 1: the largest logit, the lowest id among equals.
  ///   4. else weights w = Exp((logit - max) / temperature) in float; candidates in the order (logit descending, id
  ///      ascending); the first top_k of them (0 = all); of these, ordered by |surprise - its mean|, the shortest
  ///      beginning whose weight reaches typical_p of their sum, back in their order; of these the shortest beginning
  ///      whose weight reaches top_p of their sum; of these the ones with w >= min_p; then the first whose running sum
  ///      exceeds u * sum, u uniform in [0, 1) with 53 bits from Philox (seed, kSample, position, choice). Sums are
  ///      sequential doubles: over all candidates in id order, over a selection in its own order.
  /// A logit that is NaN or +inf, or no finite logit at all, is a runtime error.
  Result<SampledToken> Sample(std::span<const float> logits, const SampleOptions& options, int64_t position,
                              const SampleContext& context = {});

 private:
  std::span<const float> Adjust(std::span<const float> logits, const SampleOptions& options,
                                const SampleContext& context);
  void Penalize(const SampleOptions& options, const SampleContext& context);
  std::span<const int32_t> Top(std::span<const float> logits, int64_t count);
  int32_t Draw(std::span<const float> logits, float largest, const SampleOptions& options, int64_t position);
  void KeepTypical(double share, double sum);

  ThreadPool& pool_;
  std::vector<float> weights_, adjusted_;
  std::vector<int32_t> order_, chosen_, counts_;
  std::vector<std::pair<double, size_t>> surprise_;
};

/// Ranges: temperature >= 0 and finite, 0 < top_p, typical_p <= 1, top_k >= 0, 0 <= min_p <= 1, 0.01 <=
/// repetition_penalty <= 100, the other penalties -2 to 2, biases -100 to 100 of ids below `vocabulary`, top_logprobs
/// -1 to 20, guess_tokens 0 to 64, max_tokens >= 1; else a usage error that names the option ("--min-p"). An empty stop
/// text is one too.
Status ValidateSampleOptions(const SampleOptions& options, int64_t vocabulary = INT32_MAX);

}  // namespace pintle
