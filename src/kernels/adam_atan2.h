// AdamATan2: Adam with the quotient m / (sqrt(v) + eps) replaced by atan2(m, sqrt(v)), which needs no eps and does not
// care for the scale of the loss; and sign-SGD for the rows of an embedding table. One pass over each tensor.
// Source: Everett et al. 2024, "Scaling Exponents Across Parameterizations and Optimizers", section 4.3.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// Constants of one step. step counts from 1.
struct AdamAtan2Step {
  double learning_rate;
  double beta1 = 0.9, beta2 = 0.95;
  double weight_decay = 0;
  int64_t step = 1;
  float gradient_scale = 1;
};

/// g = gradient * gradient_scale;  m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * (g * g)
/// w = w * (1 - lr * wd) - (lr / (1 - b1^step)) * Atan2(m, sqrt(v) * (1 / sqrt(1 - b2^step)))
/// All arrays [count]; weights_bf16 may be null.
void AdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
               int64_t count, ThreadPool& pool);
void ReferenceAdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v,
                        bf16* weights_bf16, int64_t count);

/// row = row * (1 - lr * wd) - lr * sign(gradient), sign(0) = 0.
void SignSgd(double learning_rate, double weight_decay, float* row, const float* gradient, int64_t count);

}  // namespace pintle::kernels
