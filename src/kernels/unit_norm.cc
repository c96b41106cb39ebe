// Gainless RMSNorm over rows and over columns on every instruction set; see unit_norm.h.
#include "kernels/unit_norm.h"

#include <cmath>

#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/unit_norm.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// One vector of the forward pass: value is y at element `at`.
template <typename N>
HWY_INLINE void Write(const UnitNormOutput& out, int64_t at, F16 value, N n) {
  if (out.y != nullptr) Store(value, out.y + at, n);
  if (out.y_bf16 != nullptr) StoreBF16(value, out.y_bf16 + at, n);
  if (out.add != nullptr) {
    const F16 next = Add(value, Load(out.add + at, n));
    Store(next, out.next + at, n);
    if (out.next_bf16 != nullptr) StoreBF16(next, out.next_bf16 + at, n);
  }
}

void NormRows(const float* x, float eps, int64_t first, int64_t last, int64_t width, const UnitNormOutput& out) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t at = row * width;
    const float squares = SumOf(width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 v = Load(x + at + i, n);
      return Mul(v, v);
    });
    const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(width) + eps);
    if (out.inverse != nullptr) out.inverse[row] = inverse;
    const F16 factor = Set(inverse);
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR { Write(out, at + i, Mul(Load(x + at + i, n), factor), n); });
  }
}

// Columns [first, last).
void NormColumns(const float* x, float eps, int64_t rows, int64_t width, int64_t first, int64_t last,
                 const UnitNormOutput& out) {
  const F16 count = Set(static_cast<float>(rows)), epsilon = Set(eps), one = Set(1.0f);
  ForEach16(first, last, [&](int64_t i, auto n) HWY_ATTR {
    F16 sum = Zero();
    for (int64_t row = 0; row < rows; ++row) {
      const F16 v = Load(x + row * width + i, n);
      sum = Add(sum, Mul(v, v));
    }
    const F16 inverse = Div(one, Sqrt(Add(Div(sum, count), epsilon)));
    if (out.inverse != nullptr) Store(inverse, out.inverse + i, n);
    for (int64_t row = 0; row < rows; ++row) {
      Write(out, row * width + i, Mul(Load(x + row * width + i, n), inverse), n);
    }
  });
}

template <typename T>
HWY_INLINE void RowsBackward(const T* y, const float* inverse, const float* dy, int64_t first, int64_t last,
                             int64_t width, float* dx, bf16* dx_bf16) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t at = row * width;
    const float dot =
        SumOf(width, [&](int64_t i, auto n) HWY_ATTR { return Mul(Load(dy + at + i, n), Load(y + at + i, n)); });
    const F16 mean = Set(dot / static_cast<float>(width)), factor = Set(inverse[row]);
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 value = Mul(Sub(Load(dy + at + i, n), Mul(Load(y + at + i, n), mean)), factor);
      Store(value, dx + at + i, n);
      if (dx_bf16 != nullptr) StoreBF16(value, dx_bf16 + at + i, n);
    });
  }
}

template <typename T>
HWY_INLINE void ColumnsBackward(const T* y, const float* inverse, const float* dy, int64_t rows, int64_t width,
                                int64_t first, int64_t last, float* dx, bf16* dx_bf16) {
  const F16 count = Set(static_cast<float>(rows));
  ForEach16(first, last, [&](int64_t i, auto n) HWY_ATTR {
    F16 sum = Zero();
    for (int64_t row = 0; row < rows; ++row) {
      sum = Add(sum, Mul(Load(dy + row * width + i, n), Load(y + row * width + i, n)));
    }
    const F16 mean = Div(sum, count), factor = Load(inverse + i, n);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * width + i;
      const F16 value = Mul(Sub(Load(dy + at, n), Mul(Load(y + at, n), mean)), factor);
      Store(value, dx + at, n);
      if (dx_bf16 != nullptr) StoreBF16(value, dx_bf16 + at, n);
    }
  });
}

void NormRowsBackward(const Kept& y, const float* inverse, const float* dy, int64_t first, int64_t last, int64_t width,
                      float* dx, bf16* dx_bf16) {
  if (y.f32 != nullptr) {
    RowsBackward(y.f32, inverse, dy, first, last, width, dx, dx_bf16);
  } else {
    RowsBackward(y.b16, inverse, dy, first, last, width, dx, dx_bf16);
  }
}

void NormColumnsBackward(const Kept& y, const float* inverse, const float* dy, int64_t rows, int64_t width,
                         int64_t first, int64_t last, float* dx, bf16* dx_bf16) {
  if (y.f32 != nullptr) {
    ColumnsBackward(y.f32, inverse, dy, rows, width, first, last, dx, dx_bf16);
  } else {
    ColumnsBackward(y.b16, inverse, dy, rows, width, first, last, dx, dx_bf16);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(NormRows);
HWY_EXPORT(NormColumns);
HWY_EXPORT(NormRowsBackward);
HWY_EXPORT(NormColumnsBackward);

// Columns of one piece: whole cache lines, and about as much work as a piece of rows.
int64_t PieceColumns(int64_t rows) { return (PieceRows(rows) + 63) / 64 * 64; }
}  // namespace

void UnitNormRows(const float* x, float eps, int64_t rows, int64_t width, const UnitNormOutput& out, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width),
            [&](int64_t begin, int64_t end) { PINTLE_DISPATCH(NormRows)(x, eps, begin, end, width, out); });
}

void UnitNormColumns(const float* x, float eps, int64_t rows, int64_t width, const UnitNormOutput& out,
                     ThreadPool& pool) {
  ForRanges(pool, width, PieceColumns(rows),
            [&](int64_t begin, int64_t end) { PINTLE_DISPATCH(NormColumns)(x, eps, rows, width, begin, end, out); });
}

void UnitNormRowsBackward(const Kept& y, const float* inverse, const float* dy, int64_t rows, int64_t width, float* dx,
                          bf16* dx_bf16, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(NormRowsBackward)(y, inverse, dy, begin, end, width, dx, dx_bf16);
  });
}

void UnitNormColumnsBackward(const Kept& y, const float* inverse, const float* dy, int64_t rows, int64_t width,
                             float* dx, bf16* dx_bf16, ThreadPool& pool) {
  ForRanges(pool, width, PieceColumns(rows), [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(NormColumnsBackward)(y, inverse, dy, rows, width, begin, end, dx, dx_bf16);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
