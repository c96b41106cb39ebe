// Keys and values that generation keeps: pages of 64 positions of one layer, in one of three types. Attention computes
// in fp32 on whatever a page holds: a narrower type rounds the keys and values once, when they are written, and nothing
// else. Not here: which pages a sequence has (models/decoder/kv_cache.h).
//
// One kv head of a page, D values a head, [x, 64] being 64 positions side by side:
//   kF32, kF16   keys [D, 64], values [64, D]
//   kQ8          keys [D, 64] and values [64, D] as int8, then fp32 scales of the keys [D / 32, 64], of the values
//                [64, D / 32]; D / 32 rounded up
// The heads of a page follow each other.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// The most values of a head.
inline constexpr int64_t kMaxAttentionHeadDim = 256;

/// Keys per block of attention and per page.
inline constexpr int64_t kAttentionBlock = 64;

/// kF16: IEEE binary16, to nearest even, beyond +-65504 that. kQ8: for 32 values of a head at a time (the last may be
/// 16) value = (amax / 127) * (x * (127 / amax) rounded to nearest even); an amax below 2^-100 counts as 0, one that is
/// not finite makes NaN of all 32.
enum class KvType : uint8_t { kF32, kF16, kQ8 };

/// Bytes of one page and of one of its heads; head_dim is a multiple of 16, at most 256.
int64_t KvHeadBytes(KvType type, int64_t head_dim);
inline int64_t KvPageBytes(KvType type, int64_t kv_heads, int64_t head_dim) {
  return kv_heads * KvHeadBytes(type, head_dim);
}

/// New tokens of one sequence: rows `rows` at absolute positions first_position, first_position + 1, ...; pages[p]
/// holds positions 64 p .. 64 p + 63, 64-byte aligned. Pages may start with anything that stands for finite values.
struct CachedSequence {
  int64_t rows;
  int64_t first_position;
  char* const* pages;
  KvType type = KvType::kF32;
};

/// Writes k, v [rows, G, D] (token stride ldk, ldv) of one sequence into its pages.
void AppendKv(const CachedSequence& sequence, int64_t kv_heads, int64_t head_dim, const float* k, int64_t ldk,
              const float* v, int64_t ldv, ThreadPool& pool);

/// One head of a page as floats: keys [D, 64], then values [64, D].
void UnpackKv(KvType type, const char* head, int64_t head_dim, float* to);

/// The plain definition of what a type makes of the D values of one head, in place.
void ReferenceRoundKv(KvType type, int64_t head_dim, float* values);

}  // namespace pintle::kernels
