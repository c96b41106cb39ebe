// The tokenizers of foreign models as their GGUF files carry them: byte-level BPE ("gpt2") with the pre-tokenizers of
// Qwen2, Llama 3 and GPT-2, and SentencePiece's merging by score ("llama"). Text never yields control tokens: those are
// placed by chat templates (chat_template.h) through Control(). Not here: our own tokenizer.json (tokenizer.h).
// Source: Kudo and Richardson 2018 (arXiv 1808.06226); the keys tokenizer.ggml.* of GGUF.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"

namespace pintle {

/// Immutable after construction; safe from any number of threads.
class Vocabulary {
 public:
  /// Reads the keys tokenizer.ggml.*. Checks: model and pre-tokenizer known, as many scores and types as tokens, ids in
  /// range, merges of known tokens into a known one, all bytes present.
  static Result<std::unique_ptr<Vocabulary>> FromGguf(const GgufHeader& header, const std::string& where);
  virtual ~Vocabulary() = default;

  /// Appends the ids of `text`; no control or user-defined token is ever produced. Any bytes are accepted.
  virtual void Encode(std::string_view text, std::vector<int32_t>& ids) const = 0;

  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(bytes_.size()); }
  /// What the token stands for in text; empty for control and unused tokens, but for those that an answer uses to mark
  /// its parts: thoughts and tool calls.
  [[nodiscard]] const std::string& Bytes(int32_t id) const { return bytes_[static_cast<size_t>(id)]; }
  /// Id of a control or user-defined token by its name, or -1.
  [[nodiscard]] int32_t Control(std::string_view name) const;
  /// All of them as (name, id).
  [[nodiscard]] const std::vector<std::pair<std::string, int32_t>>& controls() const { return controls_; }
  /// Ends an answer: end of sequence, of turn, of message; a new beginning too.
  [[nodiscard]] bool IsEnd(int32_t id) const { return end_[static_cast<size_t>(id)] != 0; }
  [[nodiscard]] int32_t bos() const { return bos_; }         ///< or -1
  [[nodiscard]] int32_t eos() const { return eos_; }         ///< or -1
  [[nodiscard]] bool adds_bos() const { return adds_bos_; }  ///< prompts begin with it
  /// "gpt2/qwen2", "llama".
  [[nodiscard]] const std::string& kind() const { return kind_; }

 protected:
  Vocabulary() = default;
  std::vector<std::string> bytes_;
  std::vector<std::pair<std::string, int32_t>> controls_;
  std::vector<uint8_t> end_;
  std::string kind_;
  int32_t bos_ = -1, eos_ = -1;
  bool adds_bos_ = false;

 private:
  Status ReadSpecials(const GgufHeader& header, const std::string& where);
};

}  // namespace pintle
