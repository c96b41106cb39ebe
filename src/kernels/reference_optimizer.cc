// The plain definitions of the optimizer updates; see optimizer.h.
#include <utility>

#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/optimizer_scalars.h"
#include "kernels/reduce.h"

namespace pintle::kernels {
namespace {

float SquareRoot(float x) { return static_cast<float>(Sqrt(static_cast<double>(x))); }

}  // namespace

void ReferenceAdamW(const AdamWStep& step, float* weights, const float* gradient, float* m, float* v,
                    bf16* weights_bf16, int64_t count) {
  const AdamWScalars s(step);
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
    weights[i] =
        weights[i] * s.decay - (s.learning_rate * (m[i] * s.correction1)) / (SquareRoot(v[i] * s.correction2) + s.eps);
    if (weights_bf16 != nullptr) weights_bf16[i] = ReferenceToBF16(weights[i]);
  }
}

void ReferenceMuon(const MuonStep& step, float* weights, const float* gradient, float* momentum, bf16* weights_bf16,
                   int64_t rows, int64_t cols, float* scratch) {
  const MuonScalars s(step, rows, cols);
  const int64_t count = rows * cols;
  const bool wide = rows <= cols;
  const int64_t small = wide ? rows : cols;
  float* x = scratch;
  float* next = x + count;
  float* square = next + count;
  float* polynomial = square + small * small;
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    momentum[i] = s.momentum * momentum[i] + s.rest * g;
    x[i] = s.momentum * momentum[i] + s.rest * g;
  }
  ReferenceScale(x, static_cast<float>(1.0 / (Sqrt(ReferenceSumOfSquares(x, count)) + 1e-7)), x, count);
  for (int i = 0; i < kMuonSteps; ++i) {
    const MatMulShape gram{wide ? MatMulOp::kNT : MatMulOp::kTN, small, small, wide ? cols : rows, cols, cols, small};
    ReferenceMatMulF32(gram, step.profile, x, x, square, {});
    const MatMulShape product{MatMulOp::kNN, small, small, small, small, small, small};
    ReferenceMatMulF32(product, step.profile, square, square, polynomial, {});
    ReferenceScaleAdd(kMuonB, square, kMuonC, polynomial, small * small);
    ReferenceScale(x, kMuonA, next, count);
    const MatMulShape apply{MatMulOp::kNN, rows, cols, small, wide ? small : cols, wide ? cols : small, cols, true};
    ReferenceMatMulF32(apply, step.profile, wide ? polynomial : x, wide ? x : polynomial, next, {});
    std::swap(x, next);
  }
  for (int64_t i = 0; i < count; ++i) {
    weights[i] = weights[i] * s.decay - s.factor * x[i];
    if (weights_bf16 != nullptr) weights_bf16[i] = ReferenceToBF16(weights[i]);
  }
}

void ReferenceEma(double decay, const float* weights, float* average, int64_t count) {
  ReferenceScaleAdd(static_cast<float>(1.0 - decay), weights, static_cast<float>(decay), average, count);
}

}  // namespace pintle::kernels
