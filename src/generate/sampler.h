// The one sampler: logits in, the next token out. Greedy, temperature, top-k and top-p; every draw is a pure function
// of (seed, choice, position), so neither batching nor order shows. Not here: penalties, grammars (constraints mask
// logits before they come here).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/generate.h"

namespace pintle {

/// A chosen token and its log-probability.
struct SampledToken {
  int32_t id = 0;
  double logprob = 0;  ///< natural log-probability at temperature 1, whatever the options
};

/// Holds scratch memory only; one thread.
class Sampler {
 public:
  explicit Sampler(ThreadPool& pool) : pool_(pool) {}

  /// The token at absolute `position` of the sequence. Definition, in this order:
  ///   temperature 0, or top_k 1: the largest logit, the lowest id among equals.
  ///   else weights w = Exp((logit - max) / temperature) in float; candidates in the order (logit descending, id
  ///   ascending); the first top_k of them (0 = all); of these the shortest beginning whose weight reaches top_p of
  ///   their sum; then the first whose running sum exceeds u * sum, u uniform in [0, 1) with 53 bits from Philox
  ///   (seed, kSample, position, choice). Sums are sequential doubles: over all candidates in id order, over a top_k or
  ///   top_p selection in its own order.
  /// A logit that is NaN or +inf, or no finite logit at all, is a runtime error.
  Result<SampledToken> Sample(std::span<const float> logits, const SampleOptions& options, int64_t position);

 private:
  ThreadPool& pool_;
  std::vector<float> weights_;
  std::vector<int32_t> order_, chosen_;
};

/// Ranges: temperature >= 0 and finite, 0 < top_p <= 1, top_k >= 0, max_tokens >= 1; else a usage error that names the
/// option. An empty stop text is one too.
Status ValidateSampleOptions(const SampleOptions& options);

}  // namespace pintle
