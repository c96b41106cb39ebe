// SwiGLU forward and backward on every instruction set; see swiglu.h.
#include "kernels/swiglu.h"

#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/swiglu.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void SwiGluRows(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, float* y,
                bf16* y_bf16) {
  for (int64_t row = 0; row < rows; ++row) {
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 g = Load(gate + row * ld_in + i, n);
      const F16 value = Mul(Mul(g, VectorSigmoid(g)), Load(up + row * ld_in + i, n));
      if (y != nullptr) Store(value, y + row * width + i, n);
      if (y_bf16 != nullptr) StoreBF16(value, y_bf16 + row * width + i, n);
    });
  }
}

void SwiGluBackwardRows(const float* gate, const float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width,
                        float* dgate, float* dup, bf16* dgate_bf16, bf16* dup_bf16) {
  for (int64_t row = 0; row < rows; ++row) {
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const int64_t at = row * ld_in + i;
      const F16 g = Load(gate + at, n), u = Load(up + at, n), d = Load(dy + row * width + i, n);
      const F16 s = VectorSigmoid(g);
      const F16 one = Set(1.0f);
      const F16 du = Mul(d, Mul(g, s));
      const F16 dg = Mul(Mul(d, u), Mul(s, Add(one, Mul(g, Sub(one, s)))));
      if (dup != nullptr) {
        Store(du, dup + at, n);
        Store(dg, dgate + at, n);
      }
      if (dup_bf16 != nullptr) {
        StoreBF16(du, dup_bf16 + at, n);
        StoreBF16(dg, dgate_bf16 + at, n);
      }
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
HWY_EXPORT(SwiGluRows);
HWY_EXPORT(SwiGluBackwardRows);
}  // namespace

void SwiGlu(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, float* y, bf16* y_bf16,
            ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(SwiGluRows)
    (gate + begin * ld_in, up + begin * ld_in, ld_in, end - begin, width, y == nullptr ? nullptr : y + begin * width,
     y_bf16 == nullptr ? nullptr : y_bf16 + begin * width);
  });
}

void SwiGluBackward(const float* gate, const float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width,
                    float* dgate, float* dup, bf16* dgate_bf16, bf16* dup_bf16, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * ld_in;
    PINTLE_DISPATCH(SwiGluBackwardRows)
    (gate + at, up + at, ld_in, dy + begin * width, end - begin, width, dgate == nullptr ? nullptr : dgate + at,
     dup == nullptr ? nullptr : dup + at, dgate_bf16 == nullptr ? nullptr : dgate_bf16 + at,
     dup_bf16 == nullptr ? nullptr : dup_bf16 + at);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
