// Token shards: what `m31r shard` writes and the loader maps. One file holds whole documents as token ids, and an index
// that leads from every token back to its line in the dataset.
//
//   header   256 bytes (shard.cc), little-endian: magic, version, token width, vocabulary, counts, offsets, hashes
//   tokens   uint16, or uint32 when the vocabulary has more than 65536 ids
//   index    one ShardDocument of 32 bytes a document, in token order
//
// No separators are stored: what stands between documents is the loader's business. Opening checks the header's, and
// the index's SHA-256 and every offset; Verify() also the tokens'. Not for training state (that is safetensors).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"

namespace pintle {

/// One document, as on disk. The fields never change their meaning.
struct ShardDocument {
  uint64_t token_begin = 0;   ///< first token, counted from the shard's first
  uint32_t token_count = 0;   ///< may be 0
  uint32_t bytes = 0;         ///< of the document's text
  uint32_t dataset_line = 0;  ///< 0-based line of WORK/dataset/SPLIT.jsonl.zst
  uint32_t group = 0;         ///< number of its crate, in order of first appearance in the split
  uint32_t path_tokens = 0;   ///< the first tokens of the document that are its path and a newline, not its text
  uint32_t flags = 0;         ///< kShardContinues or 0

  bool operator==(const ShardDocument&) const = default;
};
static_assert(sizeof(ShardDocument) == 32);

/// The document follows the one before it in the same segment: it was put behind the modules it uses, and attention may
/// look back at them.
inline constexpr uint32_t kShardContinues = 1;

/// Writes one shard, documents in order. Memory: the index.
class ShardWriter {
 public:
  /// `tokenizer_hash` is Tokenizer::hash() (64 hexadecimal digits).
  static Result<ShardWriter> Create(const std::filesystem::path& path, uint32_t vocabulary,
                                    const std::string& tokenizer_hash);
  /// Appends a document; token_begin and token_count are filled in. Ids must lie below the vocabulary.
  Status Add(std::span<const int32_t> ids, ShardDocument document);
  /// Writes index and header, syncs, closes. Without it the file is no shard.
  Status Finish();
  [[nodiscard]] uint64_t token_bytes() const { return tokens_ * width_; }
  [[nodiscard]] uint64_t documents() const { return index_.size(); }

 private:
  ShardWriter() = default;
  File file_;
  std::shared_ptr<Sha256> token_hash_;
  std::string buffer_, tokenizer_hash_;
  std::vector<ShardDocument> index_;
  uint64_t tokens_ = 0;
  uint32_t width_ = 2, vocabulary_ = 0;
};

/// A mapped shard. Immutable; safe from any number of threads.
class ShardReader {
 public:
  /// Any damage, and any offset that leaves the file, is a validation error.
  static Result<ShardReader> Open(const std::filesystem::path& path);
  /// Hashes the tokens too and checks that every id lies below the vocabulary.
  [[nodiscard]] Status Verify() const;

  [[nodiscard]] uint32_t vocabulary() const { return vocabulary_; }
  [[nodiscard]] const std::string& tokenizer_hash() const { return tokenizer_hash_; }
  [[nodiscard]] uint64_t tokens() const { return tokens_; }
  [[nodiscard]] std::span<const ShardDocument> documents() const { return documents_; }
  /// Token `at` < tokens(). An id beyond the vocabulary (a damaged file) is given as it stands; Verify finds it.
  [[nodiscard]] uint32_t Token(uint64_t at) const;
  /// Appends tokens [begin, begin + count), which must lie in the shard.
  void Read(uint64_t begin, uint64_t count, std::vector<int32_t>& ids) const;
  /// Number (in documents()) of the document that holds the token, or -1 beyond the end.
  [[nodiscard]] int64_t DocumentOf(uint64_t token) const;

 private:
  ShardReader() = default;
  MappedFile file_;
  std::string path_, tokenizer_hash_, tokens_sha256_;
  std::span<const ShardDocument> documents_;
  const char* data_ = nullptr;
  uint64_t tokens_ = 0;
  uint32_t vocabulary_ = 0, width_ = 2;
};

/// The shards of a split in WORK/shards, in order: SPLIT-00000.bin, SPLIT-00001.bin, ...; none is an empty list.
std::vector<std::filesystem::path> ShardPaths(const std::filesystem::path& folder, const std::string& split);

}  // namespace pintle
