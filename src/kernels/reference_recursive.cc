// The plain definitions of the kernels of recursive models: unit_norm.h and full_attention.h. In float they are the
// specification; in double they serve the finite differences of the op table.
#include <cmath>
#include <vector>

#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/reduce.h"
#include "kernels/unit_norm.h"

namespace pintle::kernels {
namespace {

float SquareRoot(float x) { return static_cast<float>(Sqrt(static_cast<double>(x))); }  // exact for square roots
double SquareRoot(double x) { return Sqrt(x); }

// One chain: start, then one product after the other.
float Link(Profile profile, float a, float b, float sum) {
  return profile == Profile::kFma ? std::fma(a, b, sum) : sum + a * b;
}
double Link(Profile /*profile*/, double a, double b, double sum) { return sum + a * b; }

template <typename T>
T Largest(const std::vector<T>& x) {
  T largest = x[0];
  for (const T value : x) largest = value > largest ? value : largest;
  return largest;
}

}  // namespace

template <typename T>
void ReferenceUnitNormRows(const T* x, T eps, int64_t rows, int64_t width, T* y, T* inverse) {
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * width;
    inverse[row] = T{1} / SquareRoot(ReferenceDot(from, from, width) / static_cast<T>(width) + eps);
    for (int64_t i = 0; i < width; ++i) y[row * width + i] = from[i] * inverse[row];
  }
}

template <typename T>
void ReferenceUnitNormColumns(const T* x, T eps, int64_t rows, int64_t width, T* y, T* inverse) {
  for (int64_t i = 0; i < width; ++i) {
    T sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum = sum + x[row * width + i] * x[row * width + i];
    inverse[i] = T{1} / SquareRoot(sum / static_cast<T>(rows) + eps);
    for (int64_t row = 0; row < rows; ++row) y[row * width + i] = x[row * width + i] * inverse[i];
  }
}

template <typename T>
void ReferenceUnitNormRowsBackward(const T* y, const T* inverse, const T* dy, int64_t rows, int64_t width, T* dx) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    const T mean = ReferenceDot(dy + at, y + at, width) / static_cast<T>(width);
    for (int64_t i = 0; i < width; ++i) dx[at + i] = (dy[at + i] - y[at + i] * mean) * inverse[row];
  }
}

template <typename T>
void ReferenceUnitNormColumnsBackward(const T* y, const T* inverse, const T* dy, int64_t rows, int64_t width, T* dx) {
  for (int64_t i = 0; i < width; ++i) {
    T sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum = sum + dy[row * width + i] * y[row * width + i];
    const T mean = sum / static_cast<T>(rows);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * width + i;
      dx[at] = (dy[at] - y[at] * mean) * inverse[i];
    }
  }
}

template <typename T>
void ReferenceFullAttention(const FullAttentionShape& shape, const T* qkv, T* o, T* lse) {
  const int64_t time = shape.time, d = shape.head_dim, width = shape.heads * d, ld = 3 * width;
  for (int64_t head = 0; head < shape.heads; ++head) {
    const T* q = qkv + head * d;
    const T* k = q + width;
    const T* v = k + width;
    for (int64_t i = 0; i < time; ++i) {
      std::vector<T> p(static_cast<size_t>(time));
      for (int64_t j = 0; j < time; ++j) {
        T sum = 0;
        for (int64_t c = 0; c < d; ++c) sum = Link(shape.profile, q[i * ld + c], k[j * ld + c], sum);
        p[j] = sum * static_cast<T>(shape.scale);
      }
      const T largest = Largest(p);
      for (T& value : p) value = Exp(value - largest);
      const T sum = ReferenceSum(p.data(), time), inverse = T{1} / sum;
      for (T& value : p) value = value * inverse;
      lse[head * time + i] = largest + Log(sum);
      for (int64_t c = 0; c < d; ++c) {
        T value = 0;
        for (int64_t j = 0; j < time; ++j) value = Link(shape.profile, p[j], v[j * ld + c], value);
        o[i * width + head * d + c] = value;
      }
    }
  }
}

template <typename T>
void ReferenceFullAttentionBackward(const FullAttentionShape& shape, const T* qkv, const T* lse, const T* dout,
                                    T* dqkv) {
  const int64_t time = shape.time, d = shape.head_dim, width = shape.heads * d, ld = 3 * width;
  const auto scale = static_cast<T>(shape.scale);
  for (int64_t head = 0; head < shape.heads; ++head) {
    const T* q = qkv + head * d;
    const T* k = q + width;
    const T* v = k + width;
    const T* d_o = dout + head * d;
    T* dq = dqkv + head * d;
    std::vector<T> p(static_cast<size_t>(time * time)), ds(p.size());
    for (int64_t i = 0; i < time; ++i) {
      for (int64_t j = 0; j < time; ++j) {
        T score = 0, dp = 0;
        for (int64_t c = 0; c < d; ++c) {
          score = Link(shape.profile, q[i * ld + c], k[j * ld + c], score);
          dp = Link(shape.profile, d_o[i * width + c], v[j * ld + c], dp);
        }
        p[i * time + j] = Exp(score * scale - lse[head * time + i]);
        ds[i * time + j] = dp;
      }
      const T delta = ReferenceDot(p.data() + i * time, ds.data() + i * time, time);
      for (int64_t j = 0; j < time; ++j) {
        ds[i * time + j] = (p[i * time + j] * (ds[i * time + j] - delta)) * scale;
      }
    }
    for (int64_t i = 0; i < time; ++i) {
      for (int64_t c = 0; c < d; ++c) {
        T to_q = 0, to_k = 0, to_v = 0;
        for (int64_t j = 0; j < time; ++j) {
          to_q = Link(shape.profile, ds[i * time + j], k[j * ld + c], to_q);
          to_k = Link(shape.profile, ds[j * time + i], q[j * ld + c], to_k);
          to_v = Link(shape.profile, p[j * time + i], d_o[j * width + c], to_v);
        }
        dq[i * ld + c] = to_q;
        dq[i * ld + width + c] = to_k;
        dq[i * ld + 2 * width + c] = to_v;
      }
    }
  }
}

#define PINTLE_INSTANTIATE(T)                                                                         \
  template void ReferenceUnitNormRows(const T*, T, int64_t, int64_t, T*, T*);                         \
  template void ReferenceUnitNormColumns(const T*, T, int64_t, int64_t, T*, T*);                      \
  template void ReferenceUnitNormRowsBackward(const T*, const T*, const T*, int64_t, int64_t, T*);    \
  template void ReferenceUnitNormColumnsBackward(const T*, const T*, const T*, int64_t, int64_t, T*); \
  template void ReferenceFullAttention(const FullAttentionShape&, const T*, T*, T*);                  \
  template void ReferenceFullAttentionBackward(const FullAttentionShape&, const T*, const T*, const T*, T*);
PINTLE_INSTANTIATE(float)
PINTLE_INSTANTIATE(double)
#undef PINTLE_INSTANTIATE

}  // namespace pintle::kernels
