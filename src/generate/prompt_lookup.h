// Speculative decoding by looking back: what followed the last few tokens where they stood before is guessed to follow
// again. The model looks at the guesses in one pass, each position samples as it would have without them (its draw
// belongs to (seed, choice, position) alone), and a guess stays only if it is the token that was sampled. So guesses
// change the time of an answer and nothing else. Not here: the sampling (generator.h, engine.h).
// Source: Leviathan et al. 2023, "Fast inference from transformers via speculative decoding", with a text as its own
// draft (Saxena 2023, "Prompt lookup decoding").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pintle {

/// The guesses for one answer; more where they come true, fewer where they do not.
class PromptLookup {
 public:
  /// Appends at most `limit` ids that may follow `ids`.
  void Guess(std::span<const int32_t> ids, int64_t limit, std::vector<int32_t>& out) const;
  /// Of `guessed` ids the first `right` came true.
  void Learn(int64_t guessed, int64_t right);

 private:
  int64_t length_ = 3;  // with the token before them as many rows as the products take at once
};

}  // namespace pintle
