#include "generate/answer.h"

#include <utility>

#include "base/check.h"

namespace pintle {

Answer::Answer(const SampleOptions& options, TokenTable tokens, std::shared_ptr<const TokenTrie> trie,
               int64_t prompt_tokens, int64_t capacity, TextModel::OnText on_text, TextModel::OnToken on_token)
    : options_(&options),
      tokens_(tokens),
      capacity_(capacity),
      on_text_(std::move(on_text)),
      on_token_(std::move(on_token)),
      stream_(options.stop) {
  if (options.grammar != nullptr) constraint_.emplace(options.grammar, std::move(trie));
  completion_.prompt_tokens = prompt_tokens;
  completion_.finish_reason = "length";
}

void Answer::Emit(const std::string& text) {
  if (text.empty()) return;
  completion_.text += text;
  if (on_text_) wanted_ = on_text_(text) && wanted_;
}

bool Answer::Take(const SampledToken& token) {
  if (tokens_.Ends(token.id)) {
    completion_.finish_reason = "stop";
    return false;
  }
  const int64_t at = position();
  completion_.ids.push_back(token.id);
  logprobs_ += token.logprob;
  if (options_->top_logprobs >= 0) {
    TokenChoice& choice = completion_.logprobs.emplace_back();
    choice.chosen = {token.id, token.logprob, tokens_.Bytes(token.id)};
    for (const auto& [id, logprob] : token.top) choice.top.push_back({id, logprob, tokens_.Bytes(id)});
    if (on_token_) on_token_(choice);
  }
  Emit(stream_.Push(tokens_.Bytes(token.id)));
  if (constraint_) {
    PINTLE_CHECK(constraint_->Take(tokens_.Bytes(token.id)), "a token that the grammar does not allow");
  }
  if (stream_.stopped() || !wanted_ || (constraint_ && constraint_->finished())) {
    completion_.finish_reason = "stop";
    return false;
  }
  return at < capacity_ && static_cast<int64_t>(completion_.ids.size()) < options_->max_tokens;
}

Completion Answer::Finish() {
  Emit(stream_.Finish());
  if (!completion_.ids.empty()) completion_.mean_logprob = logprobs_ / static_cast<double>(completion_.ids.size());
  return std::move(completion_);
}

}  // namespace pintle
