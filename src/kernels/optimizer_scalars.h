// The scalars of one optimizer step, worked out in double and rounded to float once; shared by the kernels and their
// references.
#pragma once

#include "kernels/math.h"
#include "kernels/optimizer.h"

namespace pintle::kernels {

struct AdamWScalars {
  float learning_rate, beta1, rest1, beta2, rest2, correction1, correction2, eps, decay, gradient_scale;

  explicit AdamWScalars(const AdamWStep& step)
      : learning_rate(static_cast<float>(step.learning_rate)),
        beta1(static_cast<float>(step.beta1)),
        rest1(static_cast<float>(1.0 - step.beta1)),
        beta2(static_cast<float>(step.beta2)),
        rest2(static_cast<float>(1.0 - step.beta2)),
        correction1(static_cast<float>(1.0 / (1.0 - Pow(step.beta1, static_cast<double>(step.step))))),
        correction2(static_cast<float>(1.0 / (1.0 - Pow(step.beta2, static_cast<double>(step.step))))),
        eps(static_cast<float>(step.eps)),
        decay(static_cast<float>(1.0 - step.learning_rate * step.weight_decay)),
        gradient_scale(step.gradient_scale) {}
};

// The published quintic of Muon's Newton-Schulz iteration: x -> a x + (b (x x^T) + c (x x^T)^2) x.
inline constexpr int kMuonSteps = 5;
inline constexpr float kMuonA = 3.4445f;
inline constexpr float kMuonB = -4.7750f;
inline constexpr float kMuonC = 2.0315f;

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

}  // namespace pintle::kernels
