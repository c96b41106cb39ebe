// The plain definitions of the optimizer updates; see optimizer.h.
#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/optimizer_scalars.h"
#include "kernels/reduce.h"

namespace pintle::kernels {
namespace {

// Through double, which is exact for roots.
float SquareRoot(float x) { return static_cast<float>(Sqrt(static_cast<double>(x))); }

template <class StepOf>
void ReferenceAdam(const AdamScalars& s, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
                   int64_t count, const StepOf& step_of) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
    weights[i] = weights[i] * s.decay - step_of(m[i], v[i]);
    if (weights_bf16 != nullptr) weights_bf16[i] = ReferenceToBF16(weights[i]);
  }
}

}  // namespace

void ReferenceAdamW(const AdamWStep& step, float* weights, const float* gradient, float* m, float* v,
                    bf16* weights_bf16, int64_t count) {
  const AdamWScalars s(step);
  ReferenceAdam(s, weights, gradient, m, v, weights_bf16, count, [&](float m1, float v1) {
    return (s.learning_rate * (m1 * s.correction1)) / (SquareRoot(v1 * s.correction2) + s.eps);
  });
}

void ReferenceAdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v,
                        bf16* weights_bf16, int64_t count) {
  const AdamAtan2Scalars s(step);
  ReferenceAdam(s, weights, gradient, m, v, weights_bf16, count,
                [&](float m1, float v1) { return s.rate * Atan2(m1, SquareRoot(v1) * s.correction2); });
}

void ReferenceMuon(const MuonStep& step, float* weights, const float* gradient, float* momentum, bf16* weights_bf16,
                   int64_t rows, int64_t cols, float* scratch) {
  const MuonScalars s(step, rows, cols);
  const int64_t count = rows * cols;
  MuonWork work(rows, cols, scratch);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    momentum[i] = s.momentum * momentum[i] + s.rest * g;
    work.x[i] = s.momentum * momentum[i] + s.rest * g;
  }
  ReferenceScale(work.x, static_cast<float>(1.0 / (Sqrt(ReferenceSumOfSquares(work.x, count)) + 1e-7)), work.x, count);
  // One product, with its operands rounded first if asked.
  const auto product = [&](const MatMulShape& shape, const float* a, int64_t a_count, const float* b, int64_t b_count,
                           float* c) {
    if (!step.bf16_products) {
      ReferenceMatMulF32(shape, step.profile, a, b, c, {});
      return;
    }
    std::vector<bf16> a_bf16(static_cast<size_t>(a_count)), b_bf16(static_cast<size_t>(b_count));
    std::transform(a, a + a_count, a_bf16.begin(), ReferenceToBF16);
    std::transform(b, b + b_count, b_bf16.begin(), ReferenceToBF16);
    ReferenceMatMulBF16(shape, a_bf16.data(), b_bf16.data(), c, {});
  };
  const int64_t squared = work.small * work.small;
  for (int i = 0; i < kMuonSteps; ++i) {
    product(work.Gram(), work.x, count, work.x, count, work.square);
    product(work.Square(), work.square, squared, work.square, squared, work.polynomial);
    ReferenceScaleAdd(kMuonB, work.square, kMuonC, work.polynomial, squared);
    ReferenceScale(work.x, kMuonA, work.next, count);
    if (work.wide) {
      product(work.Apply(), work.polynomial, squared, work.x, count, work.next);
    } else {
      product(work.Apply(), work.x, count, work.polynomial, squared, work.next);
    }
    std::swap(work.x, work.next);
  }
  for (int64_t i = 0; i < count; ++i) {
    weights[i] = weights[i] * s.decay - s.factor * work.x[i];
    if (weights_bf16 != nullptr) weights_bf16[i] = ReferenceToBF16(weights[i]);
  }
}

void ReferenceEma(double decay, const float* weights, float* average, int64_t count) {
  ReferenceScaleAdd(static_cast<float>(1.0 - decay), weights, static_cast<float>(decay), average, count);
}

}  // namespace pintle::kernels
