// RMSNorm forward and backward on every instruction set; see rms_norm.h.
#include "kernels/rms_norm.h"

#include <cmath>

#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rms_norm.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void RmsNormRows(const float* x, const float* gain, float eps, int64_t rows, int64_t width, float* y, bf16* y_bf16,
                 float* inverse_norm) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* xr = x + row * width;
    const float squares = SumOf(width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 v = Load(xr + i, n);
      return Mul(v, v);
    });
    const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(width) + eps);
    if (inverse_norm != nullptr) inverse_norm[row] = inverse;
    const F16 factor = Set(inverse);
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 value = Mul(Mul(Load(xr + i, n), factor), Load(gain + i, n));
      if (y != nullptr) Store(value, y + row * width + i, n);
      if (y_bf16 != nullptr) StoreBF16(value, y_bf16 + row * width + i, n);
    });
  }
}

// One chunk of rows; gain_chunk [width] gets the sum of dy * xhat over them.
void RmsNormBackwardRows(const float* x, const float* gain, const float* inverse_norm, const float* dy, int64_t rows,
                         int64_t width, const float* dx_add, float* dx, bf16* dx_bf16, float* gain_chunk) {
  ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR { Store(Zero(), gain_chunk + i, n); });
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    const F16 inverse = Set(inverse_norm[row]);
    const float dot = SumOf(width, [&](int64_t i, auto n) HWY_ATTR {
      return Mul(Mul(Load(gain + i, n), Load(dy + at + i, n)), Mul(Load(x + at + i, n), inverse));
    });
    const F16 mean = Set(dot / static_cast<float>(width));
    ForEach16(0, width, [&](int64_t i, auto n) HWY_ATTR {
      const F16 xhat = Mul(Load(x + at + i, n), inverse);
      const F16 gradient = Load(dy + at + i, n);
      Store(Add(Load(gain_chunk + i, n), Mul(gradient, xhat)), gain_chunk + i, n);
      F16 value = Mul(Sub(Mul(Load(gain + i, n), gradient), Mul(xhat, mean)), inverse);
      if (dx_add != nullptr) value = Add(Load(dx_add + at + i, n), value);
      Store(value, dx + at + i, n);
      if (dx_bf16 != nullptr) StoreBF16(value, dx_bf16 + at + i, n);
    });
  }
}

// total[i] += chunk after chunk, for i in [begin, end).
void AddChunks(const float* chunks, int64_t count, int64_t width, int64_t begin, int64_t end, float* total) {
  ForEach16(begin, end, [&](int64_t i, auto n) HWY_ATTR {
    F16 sum = Load(total + i, n);
    for (int64_t c = 0; c < count; ++c) sum = Add(sum, Load(chunks + c * width + i, n));
    Store(sum, total + i, n);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(RmsNormRows);
HWY_EXPORT(RmsNormBackwardRows);
HWY_EXPORT(AddChunks);
}  // namespace

void RmsNorm(const float* x, const float* gain, float eps, int64_t rows, int64_t width, float* y, bf16* y_bf16,
             float* inverse_norm, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(width), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * width;
    PINTLE_DISPATCH(RmsNormRows)
    (x + at, gain, eps, end - begin, width, y == nullptr ? nullptr : y + at, y_bf16 == nullptr ? nullptr : y_bf16 + at,
     inverse_norm == nullptr ? nullptr : inverse_norm + begin);
  });
}

void RmsNormBackward(const float* x, const float* gain, const float* inverse_norm, const float* dy, int64_t rows,
                     int64_t width, const float* dx_add, float* dx, bf16* dx_bf16, float* gain_gradient, float* scratch,
                     ThreadPool& pool) {
  ForRanges(pool, rows, kGainChunkRows, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * width;
    PINTLE_DISPATCH(RmsNormBackwardRows)
    (x + at, gain, inverse_norm + begin, dy + at, end - begin, width, dx_add == nullptr ? nullptr : dx_add + at,
     dx + at, dx_bf16 == nullptr ? nullptr : dx_bf16 + at, scratch + begin / kGainChunkRows * width);
  });
  const int64_t chunks = (rows + kGainChunkRows - 1) / kGainChunkRows;
  ForRanges(pool, width, 512, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(AddChunks)(scratch, chunks, width, begin, end, gain_gradient);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
