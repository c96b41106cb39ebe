// SwiGLU with compact memory on every instruction set; see swiglu_kept.h.
#include "kernels/swiglu_kept.h"

#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/swiglu_kept.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void KeepRows(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, bf16* y, bf16* kept_gate,
              bf16* kept_up) {
  for (int64_t row = 0; row < rows; ++row) {
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const int64_t at = row * ld_in + i;
      const F16 g = Load(gate + at, n), u = Load(up + at, n);
      StoreBF16(Mul(Mul(g, VectorSigmoid(g)), u), y + row * width + i, n);
      if (kept_gate != nullptr) {
        StoreBF16(g, kept_gate + at, n);
        StoreBF16(u, kept_up + at, n);
      }
    });
  }
}

template <typename N>
HWY_INLINE void Put(F16 x, float* to, N n) {
  Store(x, to, n);
}
template <typename N>
HWY_INLINE void Put(F16 x, bf16* to, N n) {
  StoreBF16(x, to, n);
}

template <typename T>
HWY_INLINE void BackwardRows(T* gate, T* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width, T* y) {
  for (int64_t row = 0; row < rows; ++row) {
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const int64_t at = row * ld_in + i;
      const F16 g = Load(gate + at, n), u = Load(up + at, n), d = Load(dy + row * width + i, n);
      const F16 s = VectorSigmoid(g);
      const F16 one = Set(1.0f);
      const F16 active = Mul(g, s);
      Put(Mul(active, u), y + row * width + i, n);
      Put(Mul(d, active), up + at, n);
      Put(Mul(Mul(d, u), Mul(s, Add(one, Mul(g, Sub(one, s))))), gate + at, n);
    });
  }
}

void BackwardRowsF32(float* gate, float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width, float* y) {
  BackwardRows(gate, up, ld_in, dy, rows, width, y);
}
void BackwardRowsBF16(bf16* gate, bf16* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width, bf16* y) {
  BackwardRows(gate, up, ld_in, dy, rows, width, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(KeepRows);
HWY_EXPORT(BackwardRowsF32);
HWY_EXPORT(BackwardRowsBF16);
}  // namespace

void SwiGluKeep(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, bf16* y_bf16,
                bf16* kept_gate, bf16* kept_up, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t row, int64_t end) {
    const int64_t at = row * ld_in;
    PINTLE_DISPATCH(KeepRows)
    (gate + at, up + at, ld_in, end - row, width, y_bf16 + row * width, kept_gate == nullptr ? nullptr : kept_gate + at,
     kept_up == nullptr ? nullptr : kept_up + at);
  });
}

void SwiGluBackwardInPlace(float* gate, float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width,
                           float* y, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t row, int64_t end) {
    const int64_t at = row * ld_in, dense = row * width;
    PINTLE_DISPATCH(BackwardRowsF32)(gate + at, up + at, ld_in, dy + dense, end - row, width, y + dense);
  });
}

void SwiGluBackwardInPlace(bf16* gate, bf16* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width, bf16* y,
                           ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t row, int64_t end) {
    const int64_t at = row * ld_in, dense = row * width;
    PINTLE_DISPATCH(BackwardRowsBF16)(gate + at, up + at, ld_in, dy + dense, end - row, width, y + dense);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
