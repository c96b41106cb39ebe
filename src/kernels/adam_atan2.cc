// AdamATan2 on every instruction set; see adam_atan2.h.
#include "kernels/adam_atan2.h"

#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adam_atan2.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

#ifndef PINTLE_KERNELS_ADAM_ATAN2_SCALARS_
#define PINTLE_KERNELS_ADAM_ATAN2_SCALARS_
namespace pintle::kernels {

// The scalars of one step, worked out in double and rounded to float once.
struct AdamAtan2Scalars {
  float beta1, rest1, beta2, rest2, rate, correction2, decay, gradient_scale;

  explicit AdamAtan2Scalars(const AdamAtan2Step& step)
      : beta1(static_cast<float>(step.beta1)),
        rest1(static_cast<float>(1.0 - step.beta1)),
        beta2(static_cast<float>(step.beta2)),
        rest2(static_cast<float>(1.0 - step.beta2)),
        rate(static_cast<float>(step.learning_rate / (1.0 - Pow(step.beta1, static_cast<double>(step.step))))),
        correction2(static_cast<float>(1.0 / Sqrt(1.0 - Pow(step.beta2, static_cast<double>(step.step))))),
        decay(static_cast<float>(1.0 - step.learning_rate * step.weight_decay)),
        gradient_scale(step.gradient_scale) {}
};

}  // namespace pintle::kernels
#endif  // PINTLE_KERNELS_ADAM_ATAN2_SCALARS_

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

void AdamAtan2Range(const AdamAtan2Scalars& s, float* weights, const float* gradient, float* m, float* v,
                    bf16* weights_bf16, int64_t count) {
  const F16 scale = Set(s.gradient_scale), beta1 = Set(s.beta1), rest1 = Set(s.rest1), beta2 = Set(s.beta2);
  const F16 rest2 = Set(s.rest2), rate = Set(s.rate), correction2 = Set(s.correction2), decay = Set(s.decay);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
    const F16 g = Mul(Load(gradient + i, n), scale);
    const F16 m1 = Add(Mul(beta1, Load(m + i, n)), Mul(rest1, g));
    const F16 v1 = Add(Mul(beta2, Load(v + i, n)), Mul(rest2, Mul(g, g)));
    Store(m1, m + i, n);
    Store(v1, v + i, n);
    const F16 step = Mul(rate, VectorAtan2(m1, Mul(Sqrt(v1), correction2)));
    const F16 w = Sub(Mul(Load(weights + i, n), decay), step);
    Store(w, weights + i, n);
    if (weights_bf16 != nullptr) StoreBF16(w, weights_bf16 + i, n);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(AdamAtan2Range);
}  // namespace

void AdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
               int64_t count, ThreadPool& pool) {
  const AdamAtan2Scalars scalars(step);
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(AdamAtan2Range)
    (scalars, weights + begin, gradient + begin, m + begin, v + begin,
     weights_bf16 == nullptr ? nullptr : weights_bf16 + begin, end - begin);
  });
}

void ReferenceAdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v,
                        bf16* weights_bf16, int64_t count) {
  const AdamAtan2Scalars s(step);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
    const auto root = static_cast<float>(Sqrt(static_cast<double>(v[i])));  // double rounding is exact for roots
    weights[i] = weights[i] * s.decay - s.rate * Atan2(m[i], root * s.correction2);
    if (weights_bf16 != nullptr) weights_bf16[i] = ReferenceToBF16(weights[i]);
  }
}

void SignSgd(double learning_rate, double weight_decay, float* row, const float* gradient, int64_t count) {
  const auto decay = static_cast<float>(1.0 - learning_rate * weight_decay);
  const auto rate = static_cast<float>(learning_rate);
  for (int64_t i = 0; i < count; ++i) {
    const float sign = gradient[i] > 0 ? 1.0f : gradient[i] < 0 ? -1.0f : 0.0f;
    row[i] = row[i] * decay - rate * sign;
  }
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
