// Token ids in, token ids and text out: the loop of decoding over one decoder and one KV cache. TextModel (generate.h)
// stands on it, and so do the samples during training. The keys and values of the prompt before are reused as far as
// the new prompt begins with the same ids; the bytes of the answer do not depend on that.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/constraint.h"
#include "generate/generate.h"
#include "generate/sampler.h"
#include "generate/token_table.h"
#include "models/decoder/decoder.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace pintle {

/// One caller at a time; decoder, tokenizer and pool must outlive it.
class Generator {
 public:
  static Result<Generator> Create(Decoder& decoder, const Tokenizer& tokenizer, ThreadPool& pool);
  /// For foreign models: only Run and Forget; prompts come from text/chat_template.h.
  static Result<Generator> Create(Decoder& decoder, const Vocabulary& vocabulary, ThreadPool& pool);

  /// The ids of a plain prompt: <|endoftext|>, then the text. User text never becomes a special token.
  Result<std::vector<int32_t>> PlainPrompt(std::string_view text, const SampleOptions& options, int64_t& cut) const;
  /// <|fim_prefix|> <|fim_suffix|> suffix <|fim_middle|> prefix, the second order of infill.h. With fit_prompt a
  /// prefix keeps at least two thirds of the room if it needs it.
  Result<std::vector<int32_t>> InfillPrompt(std::string_view prefix, std::string_view suffix,
                                            const SampleOptions& options, int64_t& cut) const;

  /// Decodes from `prompt` (not empty) until a special token (of a foreign model: one that ends answers), a stop text,
  /// max_tokens, or the end of the context; the latter two finish with "length". Ids do not include the special token
  /// that ended the text.
  Result<Completion> Run(const std::vector<int32_t>& prompt, const SampleOptions& options,
                         const TextModel::OnText& on_text);

  /// After the weights changed: forgets the cached keys and values.
  void Forget();

 private:
  Generator(Decoder& decoder, TokenTable tokens, const Tokenizer* tokenizer, ThreadPool& pool, KvCache cache)
      : decoder_(&decoder), tokens_(tokens), tokenizer_(tokenizer), cache_(std::move(cache)), sampler_(pool) {}
  Result<std::span<const float>> Prefill(const std::vector<int32_t>& prompt, int64_t& reused);

  Decoder* decoder_;
  TokenTable tokens_;
  std::shared_ptr<const TokenTrie> trie_;  // made for the first request with a grammar
  const Tokenizer* tokenizer_;             // null for foreign models
  KvCache cache_;
  std::vector<int32_t> cached_;  // the ids whose keys and values the cache holds
  Sampler sampler_;
};

}  // namespace pintle
