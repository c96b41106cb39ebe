// Row reductions on every instruction set; see reduce.h.
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

float SumRow(const float* x, int64_t count) {
  return SumOf(count, [&](int64_t i, auto n) HWY_ATTR { return Load(x + i, n); });
}

float DotRow(const float* x, const float* y, int64_t count) {
  return SumOf(count, [&](int64_t i, auto n) HWY_ATTR { return Mul(Load(x + i, n), Load(y + i, n)); });
}

float MaxRow(const float* x, int64_t count) {
  const float lowest = -__builtin_inff();
  F16 low = Set(lowest), high = low;
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) low = Max(low, Load(x + i)), high = Max(high, Load(x + i + 16));
  if (i + 16 <= count) low = Max(low, Load(x + i)), i += 16;
  if (i < count) high = Max(high, LoadPartial(x + i, count - i, lowest));
  return MaxTree(Max(low, high));
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(SumRow);
HWY_EXPORT(DotRow);
HWY_EXPORT(MaxRow);

constexpr int64_t kChunk = 16384;
}  // namespace

float Sum(const float* x, int64_t count) { return PINTLE_DISPATCH(SumRow)(x, count); }
float Dot(const float* x, const float* y, int64_t count) { return PINTLE_DISPATCH(DotRow)(x, y, count); }
float Max(const float* x, int64_t count) { return PINTLE_DISPATCH(MaxRow)(x, count); }

double SumOfSquares(const float* x, int64_t count, ThreadPool& pool) {
  constexpr int64_t kGroup = 512;  // chunks whose results wait on the stack for their turn
  float part[kGroup];
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kGroup * kChunk) {
    const int64_t left = count - begin;
    const int64_t chunks = left < kGroup * kChunk ? (left + kChunk - 1) / kChunk : kGroup;
    pool.ParallelFor(chunks, [&](int64_t c) {
      const float* from = x + begin + c * kChunk;
      const int64_t size = left - c * kChunk < kChunk ? left - c * kChunk : kChunk;
      part[c] = PINTLE_DISPATCH(DotRow)(from, from, size);
    });
    for (int64_t c = 0; c < chunks; ++c) total += static_cast<double>(part[c]);
  }
  return total;
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
