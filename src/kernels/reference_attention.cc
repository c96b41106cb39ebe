// The plain definition of attention and its gradient; see attention.h. One row at a time, whole key blocks, no
// skipping.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention.h"
#include "kernels/math.h"
#include "kernels/reduce.h"

namespace pintle::kernels {
namespace {

float Link(Profile profile, float a, float b, float acc) {
  return profile == Profile::kFma ? std::fma(a, b, acc) : acc + a * b;
}
double Link(Profile /*profile*/, double a, double b, double acc) { return acc + a * b; }

// Key j of the same document, not later than query i and inside its window.
bool Visible(const int32_t* document, int64_t window, int64_t i, int64_t j) {
  return j <= i && (window == 0 || i - j < window) && (document == nullptr || document[i] == document[j]);
}

}  // namespace

template <typename T>
void ReferenceAttention(const AttentionShape& shape, const T* q, const T* k, const T* v, const int32_t* document, T* o,
                        T* lse) {
  const int64_t d = shape.head_dim, time = shape.time, group = shape.heads / shape.kv_heads;
  const T infinity = static_cast<T>(__builtin_inf());
  std::vector<T> sum_o(static_cast<size_t>(d));
  for (int64_t row = 0; row < shape.batch * shape.heads * time; ++row) {
    const int64_t i = row % time, h = row / time % shape.heads, b = row / time / shape.heads, g = h / group;
    const int32_t* documents = document == nullptr ? nullptr : document + b * time;
    const T* qi = q + (b * time + i) * shape.ldq + h * d;
    T m = -infinity, l = 0;
    std::fill(sum_o.begin(), sum_o.end(), T(0));
    for (int64_t first = 0; first < time; first += kAttentionBlock) {
      const int64_t keys = std::min(kAttentionBlock, time - first);
      T s[kAttentionBlock], block_largest = -infinity;
      for (int64_t j = 0; j < keys; ++j) {
        const T* kj = k + (b * time + first + j) * shape.ldk + g * d;
        T dot = 0;
        for (int64_t c = 0; c < d; ++c) dot = Link(shape.profile, qi[c], kj[c], dot);
        s[j] = Visible(documents, shape.window, i, first + j) ? dot * static_cast<T>(shape.scale) : -infinity;
        block_largest = std::max(block_largest, s[j]);
      }
      const T next = std::max(m, block_largest);
      const T base = next == -infinity ? T(0) : next;
      const T decay = Exp(m - base);
      m = next;
      for (int64_t j = 0; j < kAttentionBlock; ++j) s[j] = j < keys ? Exp(s[j] - base) : T(0);
      l = l * decay + ReferenceSum(s, kAttentionBlock);
      for (int64_t c = 0; c < d; ++c) {
        T& total = sum_o[static_cast<size_t>(c)];
        total = total * decay;
        for (int64_t j = 0; j < keys; ++j) {
          total = Link(shape.profile, s[j], v[(b * time + first + j) * shape.ldv + g * d + c], total);
        }
        total = total + T(0);
      }
    }
    const T inverse = T(1) / l;
    for (int64_t c = 0; c < d; ++c) o[(b * time + i) * shape.ldo + h * d + c] = sum_o[static_cast<size_t>(c)] * inverse;
    lse[row] = m + Log(l);
  }
}

template <typename T>
void ReferenceAttentionBackward(const AttentionShape& shape, const T* q, const T* k, const T* v,
                                const int32_t* document, const T* o, const T* lse, const T* dout, T* dq, T* dk, T* dv) {
  const int64_t d = shape.head_dim, time = shape.time, group = shape.heads / shape.kv_heads;
  const auto scale = static_cast<T>(shape.scale);
  for (int64_t token = 0; token < shape.batch * time; ++token) {
    std::fill_n(dq + token * shape.ldq, shape.heads * d, T(0));
    std::fill_n(dk + token * shape.ldk, shape.kv_heads * d, T(0));
    std::fill_n(dv + token * shape.ldv, shape.kv_heads * d, T(0));
  }
  for (int64_t row = 0; row < shape.batch * shape.heads * time; ++row) {
    const int64_t i = row % time, h = row / time % shape.heads, b = row / time / shape.heads, g = h / group;
    const int32_t* documents = document == nullptr ? nullptr : document + b * time;
    const int64_t query = (b * time + i) * shape.ldq + h * d, out = (b * time + i) * shape.ldo + h * d;
    const T delta = ReferenceDot(dout + out, o + out, d);
    for (int64_t j = 0; j < time; ++j) {
      if (!Visible(documents, 0, i, j)) continue;
      const int64_t key = (b * time + j) * shape.ldk + g * d, value = (b * time + j) * shape.ldv + g * d;
      T s = 0, dp = 0;
      for (int64_t c = 0; c < d; ++c) {
        s = Link(shape.profile, q[query + c], k[key + c], s);
        dp = Link(shape.profile, dout[out + c], v[value + c], dp);
      }
      const T p = Exp(s * scale - lse[row]);
      const T ds = (p * (dp - delta)) * scale;
      for (int64_t c = 0; c < d; ++c) {
        dq[query + c] = Link(shape.profile, ds, k[key + c], dq[query + c]);
        dk[key + c] = Link(shape.profile, ds, q[query + c], dk[key + c]);
        dv[value + c] = Link(shape.profile, p, dout[out + c], dv[value + c]);
      }
    }
  }
  for (int64_t token = 0; token < shape.batch * time; ++token) {
    for (int64_t c = 0; c < shape.heads * d; ++c) dq[token * shape.ldq + c] += T(0);
    for (int64_t c = 0; c < shape.kv_heads * d; ++c) {
      dk[token * shape.ldk + c] += T(0);
      dv[token * shape.ldv + c] += T(0);
    }
  }
}

namespace {

float RoundToHalf(float x) {
  if (!(std::fabs(x) < 65504.0f)) return std::isnan(x) ? x : std::copysign(65504.0f, x);
  int exponent = 0;
  std::frexp(x, &exponent);
  const float unit = std::ldexp(1.0f, std::max(exponent, -13) - 11);
  return std::nearbyint(x / unit) * unit;
}

void RoundToBytes(float* x, int64_t count) {
  float largest = 0;
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    finite = finite && std::isfinite(x[i]);
    largest = std::max(largest, std::fabs(x[i]));
  }
  const bool zero = largest < 0x1p-100f;
  for (int64_t i = 0; i < count; ++i) {
    x[i] = !finite ? __builtin_nanf("") : zero ? 0.0f : std::nearbyint(x[i] * (127.0f / largest)) * (largest / 127.0f);
  }
}

}  // namespace

void ReferenceRoundKv(KvType type, int64_t head_dim, float* values) {
  for (int64_t i = 0; i < head_dim && type == KvType::kF16; ++i) values[i] = RoundToHalf(values[i]);
  for (int64_t i = 0; i < head_dim && type == KvType::kQ8; i += 32) {
    RoundToBytes(values + i, std::min<int64_t>(32, head_dim - i));
  }
}

#define PINTLE_INSTANTIATE(T)                                                                                       \
  template void ReferenceAttention<T>(const AttentionShape&, const T*, const T*, const T*, const int32_t*, T*, T*); \
  template void ReferenceAttentionBackward<T>(const AttentionShape&, const T*, const T*, const T*, const int32_t*,  \
                                              const T*, const T*, const T*, T*, T*, T*)
PINTLE_INSTANTIATE(float);
PINTLE_INSTANTIATE(double);
#undef PINTLE_INSTANTIATE

}  // namespace pintle::kernels
