// Learns the merges of a byte-level BPE vocabulary from the pieces of a corpus and how often each occurs.
//
// Deterministic: counts are sums, so the order of the text and the number of threads do not show; of pairs that occur
// equally often the one with the smaller ids (left, then right) is merged first. It deliberately knows nothing of
// files. Source: Sennrich et al. 2016 (arXiv 1508.07909); lazy heap over pair counts with lists of the pieces that hold
// a pair.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pintle {

/// Distinct pieces with their number of occurrences. One thread.
class PieceCounter {
 public:
  PieceCounter();
  ~PieceCounter();
  PieceCounter(PieceCounter&&) noexcept;
  PieceCounter& operator=(PieceCounter&&) noexcept;

  /// Counts the pieces of `text` (pretokenizer.h).
  void AddText(std::string_view text);
  void Add(std::string_view piece, int64_t count);
  /// Adds what `other` counted.
  void Merge(const PieceCounter& other);
  /// (piece, count), sorted by the bytes of the piece. The views live as long as the counter is not changed.
  [[nodiscard]] std::vector<std::pair<std::string_view, int64_t>> Sorted() const;
  [[nodiscard]] size_t distinct() const;
  [[nodiscard]] int64_t total() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// When merging ends.
struct BpeTrainerOptions {
  int64_t merged_tokens = 0;     ///< tokens to make beyond the 256 bytes
  int64_t min_count = 2;         ///< a pair that occurs less often is not merged
  int64_t max_token_bytes = 64;  ///< no token becomes longer
};

/// The merges in order, as Tokenizer::FromMerges takes them: ids are the bytes, then each new token. A merge whose
/// bytes are a token already gives that token and does not count. Ends early when no pair is left: the vocabulary is
/// then smaller.
std::vector<std::pair<int32_t, int32_t>> TrainBpe(const PieceCounter& pieces, const BpeTrainerOptions& options);

}  // namespace pintle
