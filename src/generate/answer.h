// One answer while it grows: what happens to each sampled token, and when the answer ends. The same for one sequence
// (generator.h) and for a batch (engine.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "generate/constraint.h"
#include "generate/generate.h"
#include "generate/sampler.h"
#include "generate/text_stream.h"
#include "generate/token_table.h"

namespace pintle {

/// One owner.
class Answer {
 public:
  /// `capacity`: positions of the context; `options` must outlive it. `trie` is needed if the options have a grammar.
  Answer(const SampleOptions& options, TokenTable tokens, std::shared_ptr<const TokenTrie> trie, int64_t prompt_tokens,
         int64_t capacity, TextModel::OnText on_text, TextModel::OnToken on_token = {});

  /// The absolute position of the token that is sampled next.
  [[nodiscard]] int64_t position() const {
    return completion_.prompt_tokens + static_cast<int64_t>(completion_.ids.size());
  }
  /// Tokens that may still follow the one that is sampled next.
  [[nodiscard]] int64_t Left() const {
    return std::min(capacity_ - position(), options_->max_tokens - static_cast<int64_t>(completion_.ids.size()) - 1);
  }
  /// Which tokens may come next (SampleContext::allowed).
  std::span<const uint64_t> Allowed() { return constraint_ ? constraint_->Allowed() : std::span<const uint64_t>(); }
  /// Takes a token (one that ends answers is not kept). False: the answer is complete, nothing more is to be sampled.
  bool Take(const SampledToken& token);
  /// What came out; call once.
  Completion Finish();
  [[nodiscard]] Completion& completion() { return completion_; }

 private:
  void Emit(const std::string& text);

  const SampleOptions* options_;
  TokenTable tokens_;
  int64_t capacity_;
  TextModel::OnText on_text_;
  TextModel::OnToken on_token_;
  TextStream stream_;
  std::optional<Constraint> constraint_;
  Completion completion_;
  double logprobs_ = 0;
  bool wanted_ = true;
};

}  // namespace pintle
