// Element-wise passes and the array forms of the elementary functions, on every instruction set; see elementwise.h,
// math.h.
#include "kernels/elementwise.h"

#include "kernels/math.h"
#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void AddRange(const float* a, const float* b, float* y, bf16* y_bf16, int64_t count) {
  if (y_bf16 != nullptr) {
    ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
      const F16 sum = Add(Load(a + i, n), Load(b + i, n));
      Store(sum, y + i, n);
      StoreBF16(sum, y_bf16 + i, n);
    });
  } else {
    ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(Add(Load(a + i, n), Load(b + i, n)), y + i, n); });
  }
}

void ScaleRange(const float* x, float factor, float* y, int64_t count) {
  const F16 f = Set(factor);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(Mul(Load(x + i, n), f), y + i, n); });
}

void ScaleAddRange(float a, const float* x, float b, float* y, int64_t count) {
  const F16 va = Set(a), vb = Set(b);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
    Store(Add(Mul(va, Load(x + i, n)), Mul(vb, Load(y + i, n))), y + i, n);
  });
}

void ExpRange(const float* x, float* y, int64_t count) {
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(VectorExp(Load(x + i, n)), y + i, n); });
}
void LogRange(const float* x, float* y, int64_t count) {
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(VectorLog(Load(x + i, n)), y + i, n); });
}
void TanhRange(const float* x, float* y, int64_t count) {
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(VectorTanh(Load(x + i, n)), y + i, n); });
}
void RsqrtRange(const float* x, float* y, int64_t count) {
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR { Store(Div(Set(1.0f), Sqrt(Load(x + i, n))), y + i, n); });
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(AddRange);
HWY_EXPORT(ScaleRange);
HWY_EXPORT(ScaleAddRange);
HWY_EXPORT(ExpRange);
HWY_EXPORT(LogRange);
HWY_EXPORT(TanhRange);
HWY_EXPORT(RsqrtRange);
}  // namespace

void Add(const float* a, const float* b, float* y, bf16* y_bf16, int64_t count, ThreadPool& pool) {
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(AddRange)(a + begin, b + begin, y + begin, y_bf16 == nullptr ? nullptr : y_bf16 + begin,
                              end - begin);
  });
}

void Scale(const float* x, float factor, float* y, int64_t count, ThreadPool& pool) {
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(ScaleRange)(x + begin, factor, y + begin, end - begin);
  });
}

void Fill(float* y, float value, int64_t count, ThreadPool& pool) {
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, value); });
}

void ScaleAdd(float a, const float* x, float b, float* y, int64_t count, ThreadPool& pool) {
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(ScaleAddRange)(a, x + begin, b, y + begin, end - begin);
  });
}

#define PINTLE_ARRAY(NAME, RANGE)                                                                              \
  void NAME(const float* x, float* y, int64_t count, ThreadPool& pool) {                                       \
    ForRanges(pool, count, kPieceElements,                                                                     \
              [&](int64_t begin, int64_t end) { PINTLE_DISPATCH(RANGE)(x + begin, y + begin, end - begin); }); \
  }
PINTLE_ARRAY(ExpArray, ExpRange)
PINTLE_ARRAY(LogArray, LogRange)
PINTLE_ARRAY(TanhArray, TanhRange)
PINTLE_ARRAY(RsqrtArray, RsqrtRange)
#undef PINTLE_ARRAY

}  // namespace pintle::kernels
#endif  // HWY_ONCE
