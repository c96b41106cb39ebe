// What the forward and the backward pass of attention share: the transposed copies of keys and values, and the view of
// one sequence's blocks. Not for other folders.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/attention.h"

namespace pintle::kernels {

/// The keys and values of one kv head, block by block, each packed without gaps (strides that are powers of two would
/// fight for the same cache sets): keys transposed [D, 64], then values [64, D].
struct KeyBlocks {
  const float* packed = nullptr;  ///< block b at b * 128 * head_dim, or
  char* const* pages = nullptr;   ///< if not null: block b in page b at page_offset
  int64_t page_offset = 0;        ///< bytes
  KvType type = KvType::kF32;     ///< of the pages
  float* unpacked = nullptr;      ///< room for one block, for pages that are not of floats
  int64_t head_dim = 0;
  int64_t time = 0;  ///< positions that exist
};

/// A piece of work is at most eight tiles of at most six rows.
inline constexpr int64_t kPieceTiles = 8, kTileQueries = 6;

/// The query rows of a piece: `rows` consecutive positions of `heads` heads that lie side by side and share their keys.
/// A tile is six positions of one head, or six heads at one position.
struct QueryRows {
  const float* q;
  int64_t ldq;  ///< from one position to the next
  int64_t rows;
  int64_t heads;
  int64_t first_position;
  const int32_t* document;  ///< of position 0 of the sequence, or null
  float scale;
  int64_t window;  ///< positions that a row sees, or 0
  float* o;
  bf16* o_bf16;
  int64_t ldo;
  float* lse;  ///< one per row of a single head, or null

  [[nodiscard]] int64_t tiles() const {
    return heads == 1 ? (rows + kTileQueries - 1) / kTileQueries : rows * ((heads + kTileQueries - 1) / kTileQueries);
  }
};

/// The backward pass of one kv head of one sequence: all pointers at its token 0 and its first head.
struct GradientTask {
  const float *q, *o, *dout, *lse;
  const float* packed;  ///< per block of 64 keys: keys transposed, values transposed [D, 64], keys [64, D]
  const int32_t* document;
  float *dq, *dk, *dv;
  bf16* dv_bf16;
  int64_t ldq, ldk, ldv, ldo;
  int64_t group, time, head_dim;  ///< group: heads that share this kv head
  float scale;
  Profile profile;
};

/// Whether any query of one block sees any key of another (both start at multiples of 64).
inline bool AnyVisible(const int32_t* document, int64_t time, int64_t first_query, int64_t first_key) {
  if (document == nullptr || first_query == first_key) return true;
  const int64_t query_end = std::min(time, first_query + kAttentionBlock);
  const int64_t key_end = std::min(time, first_key + kAttentionBlock);
  for (int64_t i = first_query; i < query_end; ++i) {
    if (i > first_query && document[i] == document[i - 1]) continue;
    for (int64_t j = key_end - 1; j >= first_key; --j) {
      if (document[j] == document[i]) return true;
    }
  }
  return false;
}

inline int64_t AttentionBlocks(int64_t time) { return (time + kAttentionBlock - 1) / kAttentionBlock; }

}  // namespace pintle::kernels
