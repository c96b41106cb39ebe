// RoPE with QK-norm, forward and backward, on every instruction set, and its table; see rope.h.
#include "kernels/rope.h"

#include <cmath>

#include "base/check.h"
#include "kernels/math.h"
#include "kernels/parallel_ranges.h"
#include "kernels/rms_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rope.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void RopeTokens(const RopeShape& shape, int64_t tokens, const float* x, const float* gain, const float* cos,
                const float* sin, const int32_t* position, float* y, float* inverse_norm) {
  const int64_t d = shape.head_dim, half = d / 2;
  for (int64_t t = 0; t < tokens; ++t) {
    const float* c = cos + position[t] * half;
    const float* s = sin + position[t] * half;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const float* xr = x + t * shape.ldx + h * d;
      float* yr = y + t * shape.ldy + h * d;
      F16 inverse = Set(1.0f);
      if (gain != nullptr) {
        const float squares = SumOf(d, [&](int64_t i, auto n) HWY_ATTR {
          const F16 v = Load(xr + i, n);
          return Mul(v, v);
        });
        const float norm = 1.0f / std::sqrt(squares / static_cast<float>(d) + shape.eps);
        if (inverse_norm != nullptr) inverse_norm[t * shape.heads + h] = norm;
        inverse = Set(norm);
      }
      ForEach16(0, half, [&](int64_t i, auto n) HWY_ATTR {
        F16 a = Load(xr + i, n), b = Load(xr + i + half, n);
        if (gain != nullptr) {
          a = Mul(Mul(a, inverse), Load(gain + i, n));
          b = Mul(Mul(b, inverse), Load(gain + i + half, n));
        }
        const F16 vc = Load(c + i, n), vs = Load(s + i, n);
        Store(Sub(Mul(a, vc), Mul(b, vs)), yr + i, n);
        Store(Add(Mul(b, vc), Mul(a, vs)), yr + i + half, n);
      });
    }
  }
}

// One chunk of tokens; gain_chunk [D] gets its sum. dn of a head waits in a buffer for the mean.
void RopeBackwardTokens(const RopeShape& shape, int64_t tokens, const float* x, const float* gain,
                        const float* inverse_norm, const float* cos, const float* sin, const int32_t* position,
                        const float* dy, float* dx, bf16* dx_bf16, float* gain_chunk) {
  const int64_t d = shape.head_dim, half = d / 2;
  float dn[kMaxHeadDim];
  if (gain != nullptr) {
    ForEach16(0, d, [&](int64_t i, auto n) HWY_ATTR { Store(Zero(), gain_chunk + i, n); });
  }
  for (int64_t t = 0; t < tokens; ++t) {
    const float* c = cos + position[t] * half;
    const float* s = sin + position[t] * half;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const int64_t at = t * shape.ldx + h * d;
      const float* dyr = dy + t * shape.ldy + h * d;
      ForEach16(0, half, [&](int64_t i, auto n) HWY_ATTR {
        const F16 a = Load(dyr + i, n), b = Load(dyr + i + half, n);
        const F16 vc = Load(c + i, n), vs = Load(s + i, n);
        Store(Add(Mul(a, vc), Mul(b, vs)), dn + i, n);
        Store(Sub(Mul(b, vc), Mul(a, vs)), dn + i + half, n);
      });
      F16 inverse = Set(1.0f), mean = Zero();
      if (gain != nullptr) {
        inverse = Set(inverse_norm[t * shape.heads + h]);
        const float dot = SumOf(d, [&](int64_t i, auto n) HWY_ATTR {
          return Mul(Mul(Load(gain + i, n), Load(dn + i, n)), Mul(Load(x + at + i, n), inverse));
        });
        mean = Set(dot / static_cast<float>(d));
      }
      ForEach16(0, d, [&](int64_t i, auto n) HWY_ATTR {
        F16 value = Load(dn + i, n);
        if (gain != nullptr) {
          const F16 xhat = Mul(Load(x + at + i, n), inverse);
          Store(Add(Load(gain_chunk + i, n), Mul(value, xhat)), gain_chunk + i, n);
          value = Mul(Sub(Mul(Load(gain + i, n), value), Mul(xhat, mean)), inverse);
        }
        if (dx != nullptr) Store(value, dx + at + i, n);
        if (dx_bf16 != nullptr) StoreBF16(value, dx_bf16 + at + i, n);
      });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(RopeTokens);
HWY_EXPORT(RopeBackwardTokens);
}  // namespace

void RopeFrequencies(double theta, int64_t head_dim, double* frequency) {
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    frequency[i] = Pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
  }
}

void RopeTable(const double* frequency, int64_t head_dim, int64_t positions, float* cos, float* sin) {
  const int64_t half = head_dim / 2;
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(p) * frequency[i];
      cos[p * half + i] = static_cast<float>(Cos(angle));
      sin[p * half + i] = static_cast<float>(Sin(angle));
    }
  }
}

void RopeQkNorm(const RopeShape& shape, const float* x, const float* gain, const float* cos, const float* sin,
                const int32_t* position, float* y, float* inverse_norm, ThreadPool& pool) {
  ForRanges(pool, shape.tokens, PieceRows(shape.heads * shape.head_dim), [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(RopeTokens)
    (shape, end - begin, x + begin * shape.ldx, gain, cos, sin, position + begin, y + begin * shape.ldy,
     inverse_norm == nullptr ? nullptr : inverse_norm + begin * shape.heads);
  });
}

void RopeQkNormBackward(const RopeShape& shape, const float* x, const float* gain, const float* inverse_norm,
                        const float* cos, const float* sin, const int32_t* position, const float* dy, float* dx,
                        bf16* dx_bf16, float* gain_gradient, float* scratch, ThreadPool& pool) {
  PINTLE_CHECK(shape.head_dim <= kMaxHeadDim, "head_dim above 256");
  ForRanges(pool, shape.tokens, kGainChunkRows, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * shape.ldx;
    PINTLE_DISPATCH(RopeBackwardTokens)
    (shape, end - begin, x + at, gain, inverse_norm == nullptr ? nullptr : inverse_norm + begin * shape.heads, cos, sin,
     position + begin, dy + begin * shape.ldy, dx == nullptr ? nullptr : dx + at,
     dx_bf16 == nullptr ? nullptr : dx_bf16 + at,
     gain == nullptr ? nullptr : scratch + begin / kGainChunkRows * shape.head_dim);
  });
  if (gain == nullptr) return;
  const int64_t chunks = (shape.tokens + kGainChunkRows - 1) / kGainChunkRows;
  for (int64_t c = 0; c < chunks; ++c) {
    for (int64_t i = 0; i < shape.head_dim; ++i) gain_gradient[i] = gain_gradient[i] + scratch[c * shape.head_dim + i];
  }
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
