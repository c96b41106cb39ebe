// Embedding gather and scatter-add on every instruction set; see embedding.h.
#include "kernels/embedding.h"

#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/embedding.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void EmbeddingRows(const float* table, const int32_t* ids, int64_t tokens, int64_t width, float* y, bf16* y_bf16) {
  for (int64_t t = 0; t < tokens; ++t) {
    const float* row = table + ids[t] * width;
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 value = Load(row + i, n);
      if (y != nullptr) Store(value, y + t * width + i, n);
      if (y_bf16 != nullptr) StoreBF16(value, y_bf16 + t * width + i, n);
    });
  }
}

// The rows of the table whose number is `part` modulo `parts`.
void EmbeddingBackwardPart(const float* dy, const int32_t* ids, int64_t tokens, int64_t width, float* table_gradient,
                           int64_t part, int64_t parts) {
  for (int64_t t = 0; t < tokens; ++t) {
    if (ids[t] % parts != part) continue;
    float* row = table_gradient + ids[t] * width;
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      Store(Add(Load(row + i, n), Load(dy + t * width + i, n)), row + i, n);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(EmbeddingRows);
HWY_EXPORT(EmbeddingBackwardPart);
}  // namespace

void Embedding(const float* table, const int32_t* ids, int64_t tokens, int64_t width, float* y, bf16* y_bf16,
               ThreadPool& pool) {
  ForRanges(pool, tokens, PieceRows(width), [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(EmbeddingRows)
    (table, ids + begin, end - begin, width, y == nullptr ? nullptr : y + begin * width,
     y_bf16 == nullptr ? nullptr : y_bf16 + begin * width);
  });
}

void EmbeddingBackward(const float* dy, const int32_t* ids, int64_t tokens, int64_t width, float* table_gradient,
                       ThreadPool& pool) {
  // Each part scans all ids, which costs little beside the rows it adds; a row belongs to one part, so tokens stay in
  // order.
  constexpr int64_t kParts = 16;
  pool.ParallelFor(kParts, [&](int64_t part) {
    PINTLE_DISPATCH(EmbeddingBackwardPart)(dy, ids, tokens, width, table_gradient, part, kParts);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
