#include "generate/generator.h"

#include <algorithm>

#include "base/time.h"
#include "generate/answer.h"
#include "generate/infill.h"
#include "generate/prompt_lookup.h"

namespace pintle {
namespace {

Error TooLong(int64_t tokens, int64_t context) {
  return ValidationError(
      "the prompt has " + std::to_string(tokens) + " tokens, the model's context holds " + std::to_string(context), "",
      "shorten it, or let it be cut (--fit)");
}

// Keeps the last (or first) `room` ids.
void KeepEnd(std::vector<int32_t>& ids, int64_t room) {
  if (static_cast<int64_t>(ids.size()) > room) ids.erase(ids.begin(), ids.end() - room);
}
void KeepBeginning(std::vector<int32_t>& ids, int64_t room) {
  if (static_cast<int64_t>(ids.size()) > room) ids.resize(static_cast<size_t>(room));
}

Result<int32_t> Special(const Tokenizer& tokenizer, std::string_view name) {
  const int32_t id = tokenizer.SpecialId(name);
  if (id >= 0) return id;
  return ValidationError("the model's tokenizer has no token " + std::string(name));
}

// Tokens of a cut prompt: a quarter of the context stays free for the answer, or less if less is asked for.
int64_t PromptRoom(int64_t context, int64_t max_tokens) { return context - std::min(max_tokens, context / 4); }

}  // namespace

Result<Generator> Generator::Create(Decoder& decoder, const Tokenizer& tokenizer, ThreadPool& pool) {
  PINTLE_ASSIGN(KvCache cache, KvCache::Create(decoder.config()));
  return Generator(decoder, tokenizer, &tokenizer, pool, std::move(cache));
}

Result<Generator> Generator::Create(Decoder& decoder, const Vocabulary& vocabulary, ThreadPool& pool) {
  PINTLE_ASSIGN(KvCache cache, KvCache::Create(decoder.config()));
  return Generator(decoder, vocabulary, nullptr, pool, std::move(cache));
}

Result<std::vector<int32_t>> Generator::PlainPrompt(std::string_view text, const SampleOptions& options,
                                                    int64_t& cut) const {
  PINTLE_ASSIGN(const int32_t begin, Special(*tokenizer_, special::kEndOfText));
  std::vector<int32_t> ids = tokenizer_->Encode(text);
  const int64_t context = cache_.capacity();
  const auto whole = static_cast<int64_t>(ids.size()) + 1;
  if (whole > context && !options.fit_prompt) return TooLong(whole, context);
  if (whole > context) KeepEnd(ids, PromptRoom(context, options.max_tokens) - 1);
  cut = whole - 1 - static_cast<int64_t>(ids.size());
  ids.insert(ids.begin(), begin);
  return ids;
}

Result<std::vector<int32_t>> Generator::InfillPrompt(std::string_view prefix, std::string_view suffix,
                                                     const SampleOptions& options, int64_t& cut) const {
  FimTokens fim{.suffix_first = true};
  PINTLE_ASSIGN(fim.prefix, Special(*tokenizer_, special::kFimPrefix));
  PINTLE_ASSIGN(fim.suffix, Special(*tokenizer_, special::kFimSuffix));
  PINTLE_ASSIGN(fim.middle, Special(*tokenizer_, special::kFimMiddle));
  std::vector<int32_t> before = tokenizer_->Encode(prefix);
  std::vector<int32_t> after = tokenizer_->Encode(suffix);
  const int64_t context = cache_.capacity();
  const auto whole = static_cast<int64_t>(before.size() + after.size()) + 3;
  if (whole > context) {
    if (!options.fit_prompt) return TooLong(whole, context);
    const int64_t room = std::max<int64_t>(PromptRoom(context, options.max_tokens) - 3, 0);
    const int64_t for_prefix = std::max(room - static_cast<int64_t>(after.size()), room - room / 3);
    KeepEnd(before, for_prefix);
    KeepBeginning(after, room - static_cast<int64_t>(before.size()));
  }
  cut = whole - 3 - static_cast<int64_t>(before.size() + after.size());
  return ArrangeInfill(fim, before, after);
}

Result<std::span<const float>> Generator::Prefill(const std::vector<int32_t>& prompt, int64_t& reused) {
  // At least the last id of the prompt is run again: its logits are wanted.
  const size_t limit = std::min({prompt.size() - 1, cached_.size(), static_cast<size_t>(cache_.length())});
  size_t same = 0;
  while (same < limit && prompt[same] == cached_[same]) ++same;
  reused = static_cast<int64_t>(same);
  cached_.resize(same);
  cache_.Truncate(reused);
  const std::span<const int32_t> rest(prompt.data() + same, prompt.size() - same);
  PINTLE_ASSIGN(const std::span<const float> logits, decoder_->Extend(rest, cache_));
  cached_ = prompt;
  return logits;
}

Result<Completion> Generator::Run(const std::vector<int32_t>& prompt, const SampleOptions& options,
                                  const TextModel::OnText& on_text) {
  PINTLE_RETURN_IF_ERROR(ValidateSampleOptions(options, tokens_.size()));
  const auto prompt_size = static_cast<int64_t>(prompt.size());
  if (prompt_size > cache_.capacity()) return TooLong(prompt_size, cache_.capacity());
  if (options.grammar != nullptr && trie_ == nullptr) trie_ = std::make_shared<const TokenTrie>(tokens_);
  Answer answer(options, tokens_, trie_, prompt_size, cache_.capacity(), on_text);
  const double start = MonotonicSeconds();
  PINTLE_ASSIGN(std::span<const float> logits, Prefill(prompt, answer.completion().cached_tokens));
  answer.completion().prompt_seconds = MonotonicSeconds() - start;
  // Rows of the table beyond the vocabulary (padding of foreign models) are never chosen.
  const size_t known = std::min(logits.size(), static_cast<size_t>(tokens_.size()));
  Completion& completion = answer.completion();
  PromptLookup lookup;
  std::vector<int32_t> guesses;  // row i + 1 of the logits follows guess i
  while (true) {
    size_t row = 0;
    SampledToken token;
    bool more = true;
    for (const size_t vocab = logits.size() / (guesses.size() + 1);; ++row) {
      PINTLE_ASSIGN(token, sampler_.Sample(logits.subspan(row * vocab, known), options, answer.position(),
                                           {prompt, completion.ids, answer.Allowed()}));
      more = answer.Take(token);
      if (!more || row == guesses.size() || token.id != guesses[row]) break;
      cached_.push_back(token.id);
    }
    lookup.Learn(static_cast<int64_t>(guesses.size()), static_cast<int64_t>(row));
    completion.guessed_tokens += static_cast<int64_t>(guesses.size());
    completion.right_guesses += static_cast<int64_t>(row);
    if (!more) break;
    cache_.Truncate(static_cast<int64_t>(cached_.size()));
    cached_.push_back(token.id);
    guesses.clear();
    lookup.Guess(cached_, std::min(options.guess_tokens, answer.Left()), guesses);
    std::vector<int32_t> next = {token.id};
    next.insert(next.end(), guesses.begin(), guesses.end());
    PINTLE_ASSIGN(logits, decoder_->Extend(next, cache_, static_cast<int64_t>(next.size())));
  }
  Completion done = answer.Finish();
  done.total_seconds = MonotonicSeconds() - start;
  return done;
}

void Generator::Forget() {
  cached_.clear();
  cache_.Truncate(0);
}

}  // namespace pintle
