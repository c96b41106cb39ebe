// Near duplicates: MinHash signatures over five-word shingles and the grouping of similar ones by locality-sensitive
// hashing. The filter uses it to keep one file of each group, the dataset to keep held-out crates apart from training.
// Source: Broder 1997, "On the resemblance and containment of documents"; Leskovec et al., "Mining of Massive Datasets"
// ch. 3.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace pintle {

/// Words are runs of ASCII letters, digits, '_' and bytes >= 0x80. Calls visit(hash, is_number) for each, in order.
struct WordHash {
  uint64_t hash = 0;
  bool is_number = false;  ///< starts with a digit
};
/// Replaces `words` by the words of `text`.
void SplitWords(std::string_view text, std::vector<WordHash>& words);

inline constexpr int kPermutations = 256;
inline constexpr int kShingleWords = 5;
/// 42 bands of 6 rows: two files of Jaccard similarity 0.7 meet in a band with probability 1 - (1 - 0.7^6)^42 = 99.5 %
/// (25 bands of 10: 51 %), two of 0.3 with 3 %. Candidates are verified, so more of them cost only time.
inline constexpr int kBands = 42;
inline constexpr int kRows = 6;

/// signature[i] = the smallest of a_i * x + b_i (mod 2^32) over the hashes x of all shingles. The share of equal places
/// of two signatures estimates the Jaccard similarity of their shingle sets (standard error 0.03).
using Signature = std::array<uint32_t, kPermutations>;

/// Fewer words than a shingle make one shingle of what there is. Integers only: the same on every machine.
void MinHash(const std::vector<WordHash>& words, Signature& signature);

/// Places that are equal, 0 .. kPermutations.
int EqualPlaces(const Signature& a, const Signature& b);
/// The least number of equal places that counts as `percent` similar.
constexpr int PlacesOfPercent(int64_t percent) { return static_cast<int>((percent * kPermutations + 99) / 100); }

/// Groups signatures 0 .. count-1: two of at least `percent` similarity that meet in a band fall into one group.
/// Returns for each the smallest index of its group, so that sorting the input by preference makes that the keeper.
/// Deterministic. `get(i)` returns the signature.
std::vector<uint32_t> GroupSimilar(uint32_t count, int64_t percent,
                                   const std::function<const Signature&(uint32_t)>& get);

/// An index of some signatures, to ask for others whether one of them is similar.
class SimilarityIndex {
 public:
  void Add(const Signature& signature);
  /// After the last Add().
  void Finish();
  /// Index (in order of Add) of the first signature of at least `percent` similarity that shares a band, or -1.
  /// Thread-safe.
  [[nodiscard]] int64_t Find(const Signature& signature, int64_t percent) const;

 private:
  struct Entry {
    uint64_t key;
    uint32_t index;
  };
  std::vector<Signature> signatures_;
  std::vector<std::vector<Entry>> bands_;
};

}  // namespace pintle
