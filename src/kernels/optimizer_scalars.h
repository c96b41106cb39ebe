// The scalars of one optimizer step, worked out in double and rounded to float once; shared by the kernels and their
// references.
#pragma once

#include "kernels/math.h"
#include "kernels/optimizer.h"

namespace pintle::kernels {

/// What both forms of Adam share.
struct AdamScalars {
  float beta1, rest1, beta2, rest2, decay, gradient_scale;

  template <class Step>
  explicit AdamScalars(const Step& step)
      : beta1(static_cast<float>(step.beta1)),
        rest1(static_cast<float>(1.0 - step.beta1)),
        beta2(static_cast<float>(step.beta2)),
        rest2(static_cast<float>(1.0 - step.beta2)),
        decay(static_cast<float>(1.0 - step.learning_rate * step.weight_decay)),
        gradient_scale(step.gradient_scale) {}
};

/// AdamW's scalars of one step.
struct AdamWScalars : AdamScalars {
  float learning_rate, correction1, correction2, eps;

  explicit AdamWScalars(const AdamWStep& step)
      : AdamScalars(step),
        learning_rate(static_cast<float>(step.learning_rate)),
        correction1(static_cast<float>(1.0 / (1.0 - Pow(step.beta1, static_cast<double>(step.step))))),
        correction2(static_cast<float>(1.0 / (1.0 - Pow(step.beta2, static_cast<double>(step.step))))),
        eps(static_cast<float>(step.eps)) {}
};

/// AdamATan2's scalars of one step.
struct AdamAtan2Scalars : AdamScalars {
  float rate, correction2;

  explicit AdamAtan2Scalars(const AdamAtan2Step& step)
      : AdamScalars(step),
        rate(static_cast<float>(step.learning_rate / (1.0 - Pow(step.beta1, static_cast<double>(step.step))))),
        correction2(static_cast<float>(1.0 / Sqrt(1.0 - Pow(step.beta2, static_cast<double>(step.step))))) {}
};

// The published quintic of Muon's Newton-Schulz iteration: x -> a x + (b (x x^T) + c (x x^T)^2) x.
inline constexpr int kMuonSteps = 5;
inline constexpr float kMuonA = 3.4445f;
inline constexpr float kMuonB = -4.7750f;
inline constexpr float kMuonC = 2.0315f;

/// Muon's scalars of one step.
struct MuonScalars {
  float momentum, rest, gradient_scale, decay, factor;

  MuonScalars(const MuonStep& step, int64_t rows, int64_t cols)
      : momentum(static_cast<float>(step.momentum)),
        rest(static_cast<float>(1.0 - step.momentum)),
        gradient_scale(step.gradient_scale),
        decay(static_cast<float>(1.0 - step.learning_rate * step.weight_decay)),
        factor(static_cast<float>(step.learning_rate *
                                  (rows > cols ? Sqrt(static_cast<double>(rows) / static_cast<double>(cols)) : 1.0))) {}
};

/// The layout of Muon's scratch and the three products of its iteration.
struct MuonWork {
  int64_t rows, cols, small;
  bool wide;
  float *x, *next, *square, *polynomial;
  bf16 *x_bf16, *square_bf16;

  MuonWork(int64_t r, int64_t c, float* scratch)
      : rows(r),
        cols(c),
        small(r < c ? r : c),
        wide(r <= c),
        x(scratch),
        next(x + r * c),
        square(next + r * c),
        polynomial(square + small * small),
        x_bf16(reinterpret_cast<bf16*>(polynomial + small * small)),
        square_bf16(x_bf16 + r * c) {}

  [[nodiscard]] MatMulShape Gram() const {
    return {wide ? MatMulOp::kNT : MatMulOp::kTN, small, small, wide ? cols : rows, cols, cols, small};
  }
  [[nodiscard]] MatMulShape Square() const { return {MatMulOp::kNN, small, small, small, small, small, small}; }
  [[nodiscard]] MatMulShape Apply() const {
    return {MatMulOp::kNN, rows, cols, small, wide ? small : cols, wide ? cols : small, cols, true};
  }
};

}  // namespace pintle::kernels
