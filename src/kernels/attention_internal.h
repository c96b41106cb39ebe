// What the forward and the backward pass of attention share: the transposed copies of keys and values, and the view of
// one sequence's blocks. Not for other folders.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/attention.h"

namespace pintle::kernels {

/// The keys and values of one kv head, block by block: keys transposed [D, 64], values by rows. Either two arrays with
/// strides (training) or pages (decode).
struct KeyBlocks {
  const float* keys_transposed = nullptr;  ///< block b at b * 64 * head_dim
  const float* values = nullptr;           ///< token t at t * ld_values
  int64_t ld_values = 0;
  float* const* pages = nullptr;  ///< if not null: page b holds keys at page_offset, values 64 * head_dim behind
  int64_t page_offset = 0;
  int64_t head_dim = 0;
  int64_t time = 0;  ///< positions that exist; later ones are never read as values

  [[nodiscard]] const float* Keys(int64_t block) const {
    return pages != nullptr ? pages[block] + page_offset : keys_transposed + block * kAttentionBlock * head_dim;
  }
  [[nodiscard]] const float* Values(int64_t block) const {
    return pages != nullptr ? pages[block] + page_offset + kAttentionBlock * head_dim
                            : values + block * kAttentionBlock * ld_values;
  }
  [[nodiscard]] int64_t ValueStride() const { return pages != nullptr ? head_dim : ld_values; }
};

/// Consecutive query rows of one head.
struct QueryRows {
  const float* q;
  int64_t ldq;
  int64_t rows;
  int64_t first_position;
  const int32_t* document;  ///< of position 0 of the sequence, or null
  float scale;
  float* o;
  bf16* o_bf16;
  int64_t ldo;
  float* lse;  ///< one per row, or null
};

/// The backward pass of one kv head of one sequence: all pointers at its token 0 and its first head.
struct GradientTask {
  const float *q, *k, *o, *dout, *lse, *keys_transposed, *values_transposed;
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

/// Writes the rows of one block of 64 tokens (rows that do not exist as zeros) transposed: to [D, 64].
inline void TransposeBlock(const float* from, int64_t ld, int64_t rows, int64_t head_dim, float* to) {
  for (int64_t d = 0; d < head_dim; ++d) {
    for (int64_t j = 0; j < kAttentionBlock; ++j) to[d * kAttentionBlock + j] = j < rows ? from[j * ld + d] : 0.0f;
  }
}

inline int64_t AttentionBlocks(int64_t time) { return (time + kAttentionBlock - 1) / kAttentionBlock; }

}  // namespace pintle::kernels
