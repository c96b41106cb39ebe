// AdamW, AdamATan2, Muon and the moving average on every instruction set; see optimizer.h.
#include "kernels/optimizer.h"

#include <cmath>
#include <utility>

#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/optimizer_scalars.h"
#include "kernels/parallel_ranges.h"
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimizer.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// Both forms of Adam: `step_of(m, v)` is what the new moments take off the weights.
template <class StepOf>
HWY_INLINE void AdamRange(const AdamScalars& s, float* weights, const float* gradient, float* m, float* v,
                          bf16* weights_bf16, int64_t count, const StepOf& step_of) {
  const F16 scale = Set(s.gradient_scale), beta1 = Set(s.beta1), rest1 = Set(s.rest1), beta2 = Set(s.beta2);
  const F16 rest2 = Set(s.rest2), decay = Set(s.decay);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
    const F16 g = Mul(Load(gradient + i, n), scale);
    const F16 m1 = Add(Mul(beta1, Load(m + i, n)), Mul(rest1, g));
    const F16 v1 = Add(Mul(beta2, Load(v + i, n)), Mul(rest2, Mul(g, g)));
    Store(m1, m + i, n);
    Store(v1, v + i, n);
    const F16 w = Sub(Mul(Load(weights + i, n), decay), step_of(m1, v1));
    Store(w, weights + i, n);
    if (weights_bf16 != nullptr) StoreBF16(w, weights_bf16 + i, n);
  });
}

void AdamWRange(const AdamWScalars& s, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
                int64_t count) {
  const F16 rate = Set(s.learning_rate), correction1 = Set(s.correction1), correction2 = Set(s.correction2);
  const F16 eps = Set(s.eps);
  AdamRange(s, weights, gradient, m, v, weights_bf16, count, [&](F16 m1, F16 v1) HWY_ATTR {
    return Div(Mul(rate, Mul(m1, correction1)), Add(Sqrt(Mul(v1, correction2)), eps));
  });
}

void AdamAtan2Range(const AdamAtan2Scalars& s, float* weights, const float* gradient, float* m, float* v,
                    bf16* weights_bf16, int64_t count) {
  const F16 rate = Set(s.rate), correction2 = Set(s.correction2);
  AdamRange(s, weights, gradient, m, v, weights_bf16, count,
            [&](F16 m1, F16 v1) HWY_ATTR { return Mul(rate, VectorAtan2(m1, Mul(Sqrt(v1), correction2))); });
}

void MuonMomentumRange(float scale, float mu, float rest, const float* gradient, float* momentum, float* update,
                       int64_t count) {
  const F16 vs = Set(scale), vm = Set(mu), vr = Set(rest);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
    const F16 g = Mul(Load(gradient + i, n), vs);
    const F16 m = Add(Mul(vm, Load(momentum + i, n)), Mul(vr, g));
    Store(m, momentum + i, n);
    Store(Add(Mul(vm, m), Mul(vr, g)), update + i, n);
  });
}

// weights = weights * decay - factor * update
void DecayAndSubtractRange(float decay, float factor, const float* update, float* weights, bf16* weights_bf16,
                           int64_t count) {
  const F16 vd = Set(decay), vf = Set(factor);
  ForEach16(0, count, [&](int64_t i, auto n) HWY_ATTR {
    const F16 w = Sub(Mul(Load(weights + i, n), vd), Mul(vf, Load(update + i, n)));
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
HWY_EXPORT(AdamWRange);
HWY_EXPORT(AdamAtan2Range);
HWY_EXPORT(MuonMomentumRange);
HWY_EXPORT(DecayAndSubtractRange);
}  // namespace

void AdamW(const AdamWStep& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
           int64_t count, ThreadPool& pool) {
  const AdamWScalars scalars(step);
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(AdamWRange)
    (scalars, weights + begin, gradient + begin, m + begin, v + begin,
     weights_bf16 == nullptr ? nullptr : weights_bf16 + begin, end - begin);
  });
}

void AdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
               int64_t count, ThreadPool& pool) {
  const AdamAtan2Scalars scalars(step);
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(AdamAtan2Range)
    (scalars, weights + begin, gradient + begin, m + begin, v + begin,
     weights_bf16 == nullptr ? nullptr : weights_bf16 + begin, end - begin);
  });
}

void SignSgd(double learning_rate, double weight_decay, float* row, const float* gradient, int64_t count) {
  const auto decay = static_cast<float>(1.0 - learning_rate * weight_decay);
  const auto rate = static_cast<float>(learning_rate);
  for (int64_t i = 0; i < count; ++i) {
    const float sign = gradient[i] > 0 ? 1.0f : gradient[i] < 0 ? -1.0f : 0.0f;
    row[i] = row[i] * decay - rate * sign;
  }
}

void Muon(const MuonStep& step, float* weights, const float* gradient, float* momentum, bf16* weights_bf16,
          int64_t rows, int64_t cols, float* scratch, ThreadPool& pool) {
  const MuonScalars scalars(step, rows, cols);
  const int64_t count = rows * cols;
  MuonWork work(rows, cols, scratch);

  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(MuonMomentumRange)
    (scalars.gradient_scale, scalars.momentum, scalars.rest, gradient + begin, momentum + begin, work.x + begin,
     end - begin);
  });
  Scale(work.x, static_cast<float>(1.0 / (Sqrt(SumOfSquares(work.x, count, pool)) + 1e-7)), work.x, count, pool);

  const int64_t squared = work.small * work.small;
  for (int i = 0; i < kMuonSteps; ++i) {
    if (step.bf16_products) {
      ConvertF32ToBF16(work.x, work.x_bf16, count, pool);
      MatMulBF16(work.Gram(), work.x_bf16, work.x_bf16, work.square, {}, pool);
      ConvertF32ToBF16(work.square, work.square_bf16, squared, pool);
      MatMulBF16(work.Square(), work.square_bf16, work.square_bf16, work.polynomial, {}, pool);
    } else {
      MatMulF32(work.Gram(), step.profile, work.x, work.x, work.square, {}, pool);
      MatMulF32(work.Square(), step.profile, work.square, work.square, work.polynomial, {}, pool);
    }
    ScaleAdd(kMuonB, work.square, kMuonC, work.polynomial, squared, pool);
    Scale(work.x, kMuonA, work.next, count, pool);
    if (step.bf16_products) {
      ConvertF32ToBF16(work.polynomial, work.square_bf16, squared, pool);
      MatMulBF16(work.Apply(), work.wide ? work.square_bf16 : work.x_bf16, work.wide ? work.x_bf16 : work.square_bf16,
                 work.next, {}, pool);
    } else {
      MatMulF32(work.Apply(), step.profile, work.wide ? work.polynomial : work.x, work.wide ? work.x : work.polynomial,
                work.next, {}, pool);
    }
    std::swap(work.x, work.next);
  }
  ForRanges(pool, count, kPieceElements, [&](int64_t begin, int64_t end) {
    PINTLE_DISPATCH(DecayAndSubtractRange)
    (scalars.decay, scalars.factor, work.x + begin, weights + begin,
     weights_bf16 == nullptr ? nullptr : weights_bf16 + begin, end - begin);
  });
}

void Ema(double decay, const float* weights, float* average, int64_t count, ThreadPool& pool) {
  ScaleAdd(static_cast<float>(1.0 - decay), weights, static_cast<float>(decay), average, count, pool);
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
