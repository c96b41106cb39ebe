// Optimizer updates, one fused pass over each tensor; every pass can write the bf16 copy of the new weights on its way.
// Scalars come from the host in double (math.h) and are rounded to float once. The gradient is multiplied by
// gradient_scale (clipping) as it is read.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// Constants of one AdamW step. step counts from 1.
struct AdamWStep {
  double learning_rate;
  double beta1 = 0.9, beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0;
  int64_t step = 1;
  float gradient_scale = 1;
};

/// g = gradient * gradient_scale;  m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * (g * g)
/// w = w * (1 - lr * wd) - (lr * (m * c1)) / (sqrt(v * c2) + eps), c1 = 1 / (1 - b1^step), c2 = 1 / (1 - b2^step).
/// All arrays [count]; weights_bf16 may be null. Source: Loshchilov and Hutter 2019.
void AdamW(const AdamWStep& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
           int64_t count, ThreadPool& pool);

/// Constants of one AdamATan2 step. step counts from 1.
struct AdamAtan2Step {
  double learning_rate;
  double beta1 = 0.9, beta2 = 0.95;
  double weight_decay = 0;
  int64_t step = 1;
  float gradient_scale = 1;
};

/// AdamW with the quotient m / (sqrt(v) + eps) replaced by atan2(m, sqrt(v)), which needs no eps and does not care for
/// the scale of the loss: g, m and v as there;
/// w = w * (1 - lr * wd) - (lr / (1 - b1^step)) * Atan2(m, sqrt(v) * (1 / sqrt(1 - b2^step)))
/// Source: Everett et al. 2024, "Scaling Exponents Across Parameterizations and Optimizers", section 4.3.
void AdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v, bf16* weights_bf16,
               int64_t count, ThreadPool& pool);

/// For a row of an embedding table: row = row * (1 - lr * wd) - lr * sign(gradient), sign(0) = 0.
void SignSgd(double learning_rate, double weight_decay, float* row, const float* gradient, int64_t count);

/// Constants of one Muon step.
struct MuonStep {
  double learning_rate;
  double momentum = 0.95;
  double weight_decay = 0;
  float gradient_scale = 1;
  Profile profile = Profile::kFma;
  /// The iteration's matrix products take bf16 operands, as published; about twice as fast.
  bool bf16_products = false;
};

/// Floats of scratch for one [rows, cols] matrix: two such matrices and two of min(rows, cols) squared, and one bf16
/// copy of each.
constexpr int64_t MuonScratch(int64_t rows, int64_t cols) {
  const int64_t small = rows < cols ? rows : cols;
  return 2 * rows * cols + 2 * small * small + (rows * cols + small * small + 1) / 2;
}

/// g = gradient * gradient_scale;  m = mu * m + (1 - mu) * g;  u = mu * m + (1 - mu) * g (Nesterov)
/// x = u / (|u| + 1e-7), five times: a = x x^T (x^T x if rows > cols), b = -4.7750 a + 2.0315 a a, x = 3.4445 x + b x
/// w = w * (1 - lr * wd) - (lr * sqrt(max(1, rows / cols))) * x. weights, gradient, momentum [rows, cols].
/// Source: Jordan et al. 2024, "Muon".
void Muon(const MuonStep& step, float* weights, const float* gradient, float* momentum, bf16* weights_bf16,
          int64_t rows, int64_t cols, float* scratch, ThreadPool& pool);

/// average = average * decay + weights * (1 - decay).
void Ema(double decay, const float* weights, float* average, int64_t count, ThreadPool& pool);

void ReferenceAdamW(const AdamWStep& step, float* weights, const float* gradient, float* m, float* v,
                    bf16* weights_bf16, int64_t count);
void ReferenceAdamAtan2(const AdamAtan2Step& step, float* weights, const float* gradient, float* m, float* v,
                        bf16* weights_bf16, int64_t count);
void ReferenceMuon(const MuonStep& step, float* weights, const float* gradient, float* momentum, bf16* weights_bf16,
                   int64_t rows, int64_t cols, float* scratch);
void ReferenceEma(double decay, const float* weights, float* average, int64_t count);

}  // namespace pintle::kernels
