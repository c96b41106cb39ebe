// What decoding has to know about tokens, the same for our own tokenizers and for those of foreign models: how many
// there are, what each stands for, and which of them end an answer.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace pintle {

/// A view; the tokenizer or vocabulary must outlive it. Safe from any number of threads.
class TokenTable {
 public:
  TokenTable(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}      // NOLINT(google-explicit-constructor)
  TokenTable(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] int32_t size() const { return tokenizer_ != nullptr ? tokenizer_->vocab_size() : vocabulary_->size(); }
  /// What `id` stands for in text. Of control tokens: our own tokenizers give their name, the others nothing.
  [[nodiscard]] const std::string& Bytes(int32_t id) const {
    return tokenizer_ != nullptr ? tokenizer_->TokenBytes(id) : vocabulary_->Bytes(id);
  }
  /// Ends answers: of our own tokenizers every special token, of the others those that Vocabulary::IsEnd names.
  [[nodiscard]] bool Ends(int32_t id) const {
    return tokenizer_ != nullptr ? tokenizer_->IsSpecial(id) : vocabulary_->IsEnd(id);
  }

 private:
  const Tokenizer* tokenizer_ = nullptr;  // one of the two
  const Vocabulary* vocabulary_ = nullptr;
};

}  // namespace pintle
