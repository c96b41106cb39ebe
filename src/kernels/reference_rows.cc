// The plain definitions of the row kernels: loops that state the order of operations of reduce.h, rms_norm.h, rope.h,
// swiglu.h, embedding.h and softmax_cross_entropy.h. In float they are the specification, bit for bit; in double they
// serve the finite differences of the op table.
#include <cstring>
#include <vector>

#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/math.h"
#include "kernels/reduce.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/swiglu.h"

namespace pintle::kernels {
namespace {

template <typename T, typename Term>
T Lanes32(int64_t count, const Term& term) {
  T lanes[32] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i % 32] = lanes[i % 32] + term(i);
  for (int width = 16; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] = lanes[j] + lanes[j + width];
  }
  return lanes[0];
}

float SquareRoot(float x) { return static_cast<float>(Sqrt(x)); }  // double rounding is exact for square roots
double SquareRoot(double x) { return Sqrt(x); }

}  // namespace

template <typename T>
T ReferenceSum(const T* x, int64_t count) {
  return Lanes32<T>(count, [&](int64_t i) { return x[i]; });
}

template <typename T>
T ReferenceDot(const T* x, const T* y, int64_t count) {
  return Lanes32<T>(count, [&](int64_t i) { return x[i] * y[i]; });
}

float ReferenceMax(const float* x, int64_t count) {
  float largest = -__builtin_inff();
  for (int64_t i = 0; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

double ReferenceSumOfSquares(const float* x, int64_t count) {
  constexpr int64_t kChunk = 16384;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const int64_t size = count - begin < kChunk ? count - begin : kChunk;
    total += static_cast<double>(ReferenceDot(x + begin, x + begin, size));
  }
  return total;
}

bf16 ReferenceToBF16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (x != x) return static_cast<bf16>(bits >> 16 | 0x40);
  return static_cast<bf16>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

void ReferenceAdd(const float* a, const float* b, float* y, bf16* y_bf16, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    y[i] = a[i] + b[i];
    if (y_bf16 != nullptr) y_bf16[i] = ReferenceToBF16(y[i]);
  }
}

void ReferenceScale(const float* x, float factor, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] * factor;
}

void ReferenceScaleAdd(float a, const float* x, float b, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = a * x[i] + b * y[i];
}

template <typename T>
void ReferenceRmsNorm(const T* x, const T* gain, T eps, int64_t rows, int64_t width, T* y, T* inverse_norm) {
  for (int64_t row = 0; row < rows; ++row, x += width, y += width) {
    const T inverse = T(1) / SquareRoot(ReferenceDot(x, x, width) / static_cast<T>(width) + eps);
    for (int64_t i = 0; i < width; ++i) y[i] = (x[i] * inverse) * gain[i];
    if (inverse_norm != nullptr) inverse_norm[row] = inverse;
  }
}

template <typename T>
void ReferenceRmsNormBackward(const T* x, const T* gain, const T* inverse_norm, const T* dy, int64_t rows,
                              int64_t width, const T* dx_add, T* dx, T* gain_gradient) {
  std::vector<T> chunk(static_cast<size_t>(width));
  for (int64_t row = 0; row < rows; ++row) {
    if (row % kGainChunkRows == 0) chunk.assign(static_cast<size_t>(width), T(0));
    const T* xr = x + row * width;
    const T* dyr = dy + row * width;
    const T inverse = inverse_norm[row];
    const T c =
        Lanes32<T>(width, [&](int64_t i) { return (gain[i] * dyr[i]) * (xr[i] * inverse); }) / static_cast<T>(width);
    for (int64_t i = 0; i < width; ++i) {
      const T xhat = xr[i] * inverse;
      chunk[static_cast<size_t>(i)] = chunk[static_cast<size_t>(i)] + dyr[i] * xhat;
      const T gradient = (gain[i] * dyr[i] - xhat * c) * inverse;
      dx[row * width + i] = dx_add != nullptr ? dx_add[row * width + i] + gradient : gradient;
    }
    if (row % kGainChunkRows == kGainChunkRows - 1 || row == rows - 1) {
      for (int64_t i = 0; i < width; ++i) gain_gradient[i] = gain_gradient[i] + chunk[static_cast<size_t>(i)];
    }
  }
}

template <typename T>
void ReferenceRopeQkNorm(const RopeShape& shape, const T* x, const T* gain, const T* cos, const T* sin,
                         const int32_t* position, T* y, T* inverse_norm) {
  const int64_t d = shape.head_dim, half = d / 2;
  std::vector<T> n(static_cast<size_t>(d));
  for (int64_t t = 0; t < shape.tokens; ++t) {
    const T* c = cos + position[t] * half;
    const T* s = sin + position[t] * half;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const T* xr = x + t * shape.ldx + h * d;
      T* yr = y + t * shape.ldy + h * d;
      for (int64_t i = 0; i < d; ++i) n[static_cast<size_t>(i)] = xr[i];
      if (gain != nullptr) {
        const T inverse = T(1) / SquareRoot(ReferenceDot(xr, xr, d) / static_cast<T>(d) + static_cast<T>(shape.eps));
        for (int64_t i = 0; i < d; ++i) n[static_cast<size_t>(i)] = (xr[i] * inverse) * gain[i];
        if (inverse_norm != nullptr) inverse_norm[t * shape.heads + h] = inverse;
      }
      for (int64_t i = 0; i < half; ++i) {
        const T a = n[static_cast<size_t>(i)], b = n[static_cast<size_t>(i + half)];
        yr[i] = a * c[i] - b * s[i];
        yr[i + half] = b * c[i] + a * s[i];
      }
    }
  }
}

template <typename T>
void ReferenceRopeQkNormBackward(const RopeShape& shape, const T* x, const T* gain, const T* inverse_norm, const T* cos,
                                 const T* sin, const int32_t* position, const T* dy, T* dx, T* gain_gradient) {
  const int64_t d = shape.head_dim, half = d / 2;
  std::vector<T> dn(static_cast<size_t>(d)), chunk(static_cast<size_t>(d));
  for (int64_t t = 0; t < shape.tokens; ++t) {
    if (t % 64 == 0) chunk.assign(static_cast<size_t>(d), T(0));
    const T* c = cos + position[t] * half;
    const T* s = sin + position[t] * half;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const T* xr = x + t * shape.ldx + h * d;
      const T* dyr = dy + t * shape.ldy + h * d;
      T* dxr = dx + t * shape.ldx + h * d;
      for (int64_t i = 0; i < half; ++i) {
        const T a = dyr[i], b = dyr[i + half];
        dn[static_cast<size_t>(i)] = a * c[i] + b * s[i];
        dn[static_cast<size_t>(i + half)] = b * c[i] - a * s[i];
      }
      if (gain == nullptr) {
        for (int64_t i = 0; i < d; ++i) dxr[i] = dn[static_cast<size_t>(i)];
        continue;
      }
      const T inverse = inverse_norm[t * shape.heads + h];
      const T mean =
          Lanes32<T>(d, [&](int64_t i) { return (gain[i] * dn[static_cast<size_t>(i)]) * (xr[i] * inverse); }) /
          static_cast<T>(d);
      for (int64_t i = 0; i < d; ++i) {
        const auto j = static_cast<size_t>(i);
        const T xhat = xr[i] * inverse;
        chunk[j] = chunk[j] + dn[j] * xhat;
        dxr[i] = (gain[i] * dn[j] - xhat * mean) * inverse;
      }
    }
    if (gain != nullptr && (t % 64 == 63 || t == shape.tokens - 1)) {
      for (int64_t i = 0; i < d; ++i) gain_gradient[i] = gain_gradient[i] + chunk[static_cast<size_t>(i)];
    }
  }
}

template <typename T>
void ReferenceSwiGlu(const T* gate, const T* up, int64_t ld_in, int64_t rows, int64_t width, T* y) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      const T g = gate[row * ld_in + i];
      const T s = T(1) / (T(1) + Exp(-g));
      y[row * width + i] = (g * s) * up[row * ld_in + i];
    }
  }
}

template <typename T>
void ReferenceSwiGluBackward(const T* gate, const T* up, int64_t ld_in, const T* dy, int64_t rows, int64_t width,
                             T* dgate, T* dup) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      const T g = gate[row * ld_in + i], u = up[row * ld_in + i], d = dy[row * width + i];
      const T s = T(1) / (T(1) + Exp(-g));
      dup[row * ld_in + i] = d * (g * s);
      dgate[row * ld_in + i] = (d * u) * (s * (T(1) + g * (T(1) - s)));
    }
  }
}

template <typename T>
void ReferenceEmbedding(const T* table, const int32_t* ids, int64_t tokens, int64_t width, T* y) {
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) y[t * width + i] = table[ids[t] * width + i];
  }
}

template <typename T>
void ReferenceEmbeddingBackward(const T* dy, const int32_t* ids, int64_t tokens, int64_t width, T* table_gradient) {
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) {
      T& element = table_gradient[ids[t] * width + i];
      element = element + dy[t * width + i];
    }
  }
}

template <typename T>
void ReferenceSoftmaxCrossEntropy(T* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                                  T gradient_scale, T* losses) {
  for (int64_t row = 0; row < rows; ++row) {
    T* x = logits + row * ld;
    if (targets[row] == kIgnoredTarget) {
      losses[row] = 0;
      for (int64_t i = 0; i < vocab; ++i) x[i] = 0;
      continue;
    }
    T m = x[0];
    for (int64_t i = 1; i < vocab; ++i) m = x[i] > m ? x[i] : m;
    const T at_target = x[targets[row]] - m;
    for (int64_t i = 0; i < vocab; ++i) x[i] = Exp(x[i] - m);
    const T s = ReferenceSum(x, vocab);
    losses[row] = Log(s) - at_target;
    const T factor = gradient_scale / s;
    for (int64_t i = 0; i < vocab; ++i) x[i] = x[i] * factor;
    x[targets[row]] = x[targets[row]] - gradient_scale;
  }
}

#define PINTLE_INSTANTIATE(T)                                                                                        \
  template T ReferenceSum<T>(const T*, int64_t);                                                                     \
  template T ReferenceDot<T>(const T*, const T*, int64_t);                                                           \
  template void ReferenceRmsNorm<T>(const T*, const T*, T, int64_t, int64_t, T*, T*);                                \
  template void ReferenceRmsNormBackward<T>(const T*, const T*, const T*, const T*, int64_t, int64_t, const T*, T*,  \
                                            T*);                                                                     \
  template void ReferenceRopeQkNorm<T>(const RopeShape&, const T*, const T*, const T*, const T*, const int32_t*, T*, \
                                       T*);                                                                          \
  template void ReferenceRopeQkNormBackward<T>(const RopeShape&, const T*, const T*, const T*, const T*, const T*,   \
                                               const int32_t*, const T*, T*, T*);                                    \
  template void ReferenceSwiGlu<T>(const T*, const T*, int64_t, int64_t, int64_t, T*);                               \
  template void ReferenceSwiGluBackward<T>(const T*, const T*, int64_t, const T*, int64_t, int64_t, T*, T*);         \
  template void ReferenceEmbedding<T>(const T*, const int32_t*, int64_t, int64_t, T*);                               \
  template void ReferenceEmbeddingBackward<T>(const T*, const int32_t*, int64_t, int64_t, T*);                       \
  template void ReferenceSoftmaxCrossEntropy<T>(T*, int64_t, const int32_t*, int64_t, int64_t, T, T*)
PINTLE_INSTANTIATE(float);
PINTLE_INSTANTIATE(double);
#undef PINTLE_INSTANTIATE

}  // namespace pintle::kernels
