// The byte-level BPE tokenizer: text to token ids and back, and its file (Hugging Face's tokenizer.json). Trained by
// bpe_trainer.h, read by the shard stage, the loader, generation and export.
//
// It deliberately normalises nothing (not NFKC, not NFC): any bytes come back exactly. Text never yields special tokens
// through Encode; only EncodeWithSpecials looks for them. The pieces of the text are those of Qwen2 (pretokenizer.h).
// Source: Sennrich et al. 2016 (arXiv 1508.07909); byte alphabet of GPT-2; file format of the `tokenizers` library.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Names of the special tokens of our own vocabularies (Qwen's spelling where Qwen has one).
namespace special {
inline constexpr std::string_view kEndOfText = "<|endoftext|>";  ///< document end; also begin, padding
inline constexpr std::string_view kFimPrefix = "<|fim_prefix|>";
inline constexpr std::string_view kFimMiddle = "<|fim_middle|>";
inline constexpr std::string_view kFimSuffix = "<|fim_suffix|>";
inline constexpr std::string_view kFimPad = "<|fim_pad|>";
inline constexpr std::string_view kRepoName = "<|repo_name|>";
inline constexpr std::string_view kFileSep = "<|file_sep|>";
inline constexpr std::string_view kPlan = "<|plan|>";
inline constexpr std::string_view kFacts = "<|facts|>";
inline constexpr std::string_view kErr = "<|err|>";
inline constexpr std::string_view kFix = "<|fix|>";
inline constexpr int kCount = 32;  ///< the rest is <|reserved_0|> ...
}  // namespace special

/// The kCount special tokens in the order of their ids.
std::vector<std::string> SpecialTokenNames();

/// One merge rule: the tokens `left` and `right` become `result`. Its rank is its place in the list.
struct MergeRule {
  int32_t left = 0, right = 0, result = 0;
};

/// A vocabulary with its merges. Immutable after construction; every const method is safe from any number of threads.
class Tokenizer {
 public:
  /// Ids: bytes are 0..255, merge i makes 256 + i, then `specials`. Parts of a merge must be earlier ids.
  static Result<Tokenizer> FromMerges(const std::vector<std::pair<int32_t, int32_t>>& merges,
                                      const std::vector<std::string>& specials);
  /// Reads tokenizer.json. Checks: BPE without dropout, unknown token, prefixes or normaliser; Qwen2's pre-tokenizer;
  /// ids dense and distinct; all 256 bytes present; parts and result of each merge in the vocabulary. `where` names the
  /// source.
  static Result<Tokenizer> FromJson(std::string_view json, const std::string& where);
  /// The lines of a merges.txt ("a b", GPT-2 alphabet, "#version" passed over) for a vocabulary whose ids are the
  /// alphabet in GPT-2's order, then the merges' results in order, then `specials` (GPT-2, Qwen2).
  static Result<Tokenizer> FromMergesText(std::string_view merges, const std::vector<std::string>& specials,
                                          const std::string& where);
  /// A foreign vocabulary as its file lists it: the bytes of each id, merge rules by rank, special
  /// tokens as (id, name). hash() stays empty: no tokenizer.json stands behind it.
  static Result<Tokenizer> FromTokens(std::vector<std::string> tokens, std::vector<MergeRule> merges,
                                      std::vector<std::pair<int32_t, std::string>> specials, const std::string& where);
  /// `path` is a tokenizer.json or a folder that holds one (a model folder, WORK/tokenizer).
  static Result<Tokenizer> Load(const std::filesystem::path& path);

  /// tokenizer.json: the same tokenizer gives the same bytes.
  [[nodiscard]] std::string ToJson() const;
  /// SHA-256 (hex) of ToJson(): the identity that shards and checkpoints carry.
  [[nodiscard]] const std::string& hash() const { return hash_; }

  /// Number of ids, special tokens included.
  [[nodiscard]] int32_t vocab_size() const { return static_cast<int32_t>(tokens_.size()); }
  /// Bytes of a token (a special token: its name). `id` must be in range.
  [[nodiscard]] const std::string& TokenBytes(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }
  [[nodiscard]] bool IsSpecial(int32_t id) const { return special_[static_cast<size_t>(id)] != 0; }
  /// Id of a special token by name, or -1.
  [[nodiscard]] int32_t SpecialId(std::string_view name) const;
  [[nodiscard]] int32_t end_of_text() const { return end_of_text_; }  ///< id of <|endoftext|>, or -1
  [[nodiscard]] int32_t ByteId(uint8_t byte) const { return byte_ids_[byte]; }
  [[nodiscard]] const std::vector<MergeRule>& merges() const { return merges_; }
  /// The special tokens as (id, name), by id.
  [[nodiscard]] const std::vector<std::pair<int32_t, std::string>>& specials() const { return specials_; }
  /// Token bytes in the printable alphabet of tokenizer.json, merges.txt and GGUF.
  [[nodiscard]] std::string PrintableToken(int32_t id) const;

  /// Appends the ids of `text`; no special token is ever produced. For bulk work use an Encoder (its cache is ~4x
  /// faster).
  void Encode(std::string_view text, std::vector<int32_t>& ids) const;
  [[nodiscard]] std::vector<int32_t> Encode(std::string_view text) const;
  /// As Encode, but names of special tokens in `text` become their ids (leftmost, then longest). For trusted text only.
  [[nodiscard]] std::vector<int32_t> EncodeWithSpecials(std::string_view text) const;
  /// The bytes of the tokens, one after the other. Special tokens give their names, or nothing with `skip_specials`.
  /// Ids out of range give nothing.
  [[nodiscard]] std::string Decode(const int32_t* ids, size_t count, bool skip_specials = false) const;
  [[nodiscard]] std::string Decode(const std::vector<int32_t>& ids, bool skip_specials = false) const {
    return Decode(ids.data(), ids.size(), skip_specials);
  }

  /// Ids of one piece (as cut by the pre-tokenizer) by BPE: while some adjacent pair has a rule, the pair of the lowest
  /// rank (the leftmost of equals) is merged. O(n log n) in the length of the piece.
  void EncodePiece(std::string_view piece, std::vector<int32_t>& ids) const;

 private:
  Tokenizer() = default;
  Status Finish(const std::string& where);
  Status Index(const std::string& where);
  struct Rule {
    uint64_t pair = ~uint64_t{0};
    int32_t rank = 0, result = 0;
  };
  [[nodiscard]] const Rule* FindRule(int32_t left, int32_t right) const;
  void EncodeShortPiece(std::string_view piece, std::vector<int32_t>& ids) const;
  void EncodeLongPiece(std::string_view piece, std::vector<int32_t>& ids) const;

  std::vector<std::string> tokens_;
  std::vector<uint8_t> special_;
  std::vector<MergeRule> merges_;
  std::vector<std::pair<int32_t, std::string>> specials_;
  std::array<int32_t, 256> byte_ids_{};
  std::vector<Rule> rules_;  // open addressing, a power of two
  int32_t end_of_text_ = -1;
  std::string hash_;
};

/// Encodes much text: keeps the ids of the pieces it saw last. Same ids as Tokenizer::Encode. One thread; the tokenizer
/// must outlive it. Memory: about 4 MiB.
class Encoder {
 public:
  explicit Encoder(const Tokenizer& tokenizer);
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  /// Appends the ids of `text`.
  void Encode(std::string_view text, std::vector<int32_t>& ids);

 private:
  struct Entry;
  void EncodePieceCached(const char* piece, size_t size, size_t readable, std::vector<int32_t>& ids);
  const Tokenizer* tokenizer_;
  std::unique_ptr<Entry[]> entries_;
};

/// Turns ids into text one by one and holds back the bytes of an unfinished UTF-8 character.
class StreamDecoder {
 public:
  /// `skip_specials`: special tokens give nothing.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_specials = true)
      : tokenizer_(&tokenizer), skip_specials_(skip_specials) {}
  /// The text that became complete with this id; may be empty. Bytes that cannot begin or continue a character pass
  /// through.
  std::string Push(int32_t id);
  /// What is still held back.
  std::string Finish();

 private:
  const Tokenizer* tokenizer_;
  bool skip_specials_;
  std::string pending_;
};

}  // namespace pintle
