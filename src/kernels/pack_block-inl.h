// Packing of one block of 64 tokens for attention: transposed, or row by row. Included once per Highway target.
#if defined(PINTLE_KERNELS_PACK_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PINTLE_KERNELS_PACK_BLOCK_INL_H_
#undef PINTLE_KERNELS_PACK_BLOCK_INL_H_
#else
#define PINTLE_KERNELS_PACK_BLOCK_INL_H_
#endif

#include "kernels/attention.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

/// from: `rows` <= 64 rows of D floats, `ld` apart. to [D, 64]; columns of rows that do not exist are zeros.
HWY_INLINE void TransposeBlock(const float* from, int64_t ld, int64_t rows, int64_t head_dim, float* to) {
  const D4 d4;
  int64_t j = 0;
  for (; j + 4 <= rows; j += 4) {
    const float* row = from + j * ld;
    for (int64_t d = 0; d < head_dim; d += 4) {
      const auto r0 = hn::LoadU(d4, row + d), r1 = hn::LoadU(d4, row + ld + d);
      const auto r2 = hn::LoadU(d4, row + 2 * ld + d), r3 = hn::LoadU(d4, row + 3 * ld + d);
      const auto low02 = hn::InterleaveLower(d4, r0, r2), low13 = hn::InterleaveLower(d4, r1, r3);
      const auto high02 = hn::InterleaveUpper(d4, r0, r2), high13 = hn::InterleaveUpper(d4, r1, r3);
      float* at = to + d * kAttentionBlock + j;
      hn::StoreU(hn::InterleaveLower(d4, low02, low13), d4, at);
      hn::StoreU(hn::InterleaveUpper(d4, low02, low13), d4, at + kAttentionBlock);
      hn::StoreU(hn::InterleaveLower(d4, high02, high13), d4, at + 2 * kAttentionBlock);
      hn::StoreU(hn::InterleaveUpper(d4, high02, high13), d4, at + 3 * kAttentionBlock);
    }
  }
  for (; j < kAttentionBlock; ++j) {
    for (int64_t d = 0; d < head_dim; ++d) to[d * kAttentionBlock + j] = j < rows ? from[j * ld + d] : 0.0f;
  }
}

/// to [64, D], rows that do not exist as zeros.
HWY_INLINE void CopyBlock(const float* from, int64_t ld, int64_t rows, int64_t head_dim, float* to) {
  for (int64_t j = 0; j < kAttentionBlock; ++j, to += head_dim) {
    for (int64_t d = 0; d < head_dim; d += 16) Store(j < rows ? Load(from + j * ld + d) : Zero(), to + d);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
