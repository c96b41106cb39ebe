// AdamW, AdamATan2, and Muon for the block matrices with AdamW for the rest: the step after the last micro-batch.
// Clipping by the global norm, decoupled weight decay, optional EMA of the weights. State is plain fp32 tensors that
// checkpoints save by name. All host scalars come from our own double functions.
//
//   model.parameters().ZeroGradients(pool); ... micro-batches ...
//   const double norm = optimizer.GradientNorm();   // stop here if it is not finite: nothing has changed yet
//   optimizer.Step(ScheduleFactor(schedule, step));
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "nn/parameters.h"

namespace pintle {

enum class OptimizerKind : uint8_t { kAdamW, kMuon, kAdamAtan2 };

/// Constants of the update; the schedule multiplies both learning rates.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double learning_rate = 3e-4;                       ///< of AdamW and AdamATan2, before the schedule's factor
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;  ///< AdamATan2 has no epsilon
  double weight_decay = 0.1;                         ///< parameters with the decay flag: w -= rate * decay * w
  double clip_norm = 1.0;                            ///< 0 = no clipping
  double muon_learning_rate = 0.02;                  ///< Muon's, before the schedule's factor
  double muon_momentum = 0.95;
  double muon_weight_decay = 0.0;
  double ema_decay = 0.0;                             ///< 0 = no average is kept
  kernels::Profile profile = kernels::Profile::kFma;  ///< of Muon's matmuls: the model's
};

/// Seconds spent in the last Step, by part, for `bench train`.
struct OptimizerTimes {
  double adamw = 0, muon = 0, other = 0;
};

/// One caller at a time. The registry must outlive it and have gradients.
class Optimizer {
 public:
  static Result<std::unique_ptr<Optimizer>> Create(const OptimizerOptions& options, ParameterRegistry& parameters,
                                                   ThreadPool& pool);
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Combines the two gradients of tied tables and returns the norm over all gradients, tensors in registry order. Must
  /// be called once a step, before Step.
  double GradientNorm();
  /// One update with gradients scaled by min(1, clip_norm / norm); rewrites the bf16 copies and the EMA. `factor` is
  /// the schedule's. Gradients are left as they are.
  void Step(double factor);

  /// Updates made so far; part of a checkpoint.
  [[nodiscard]] int64_t step() const;
  void set_step(int64_t step);
  /// All state tensors with their file names ("adamw_m/NAME", "adamw_v/NAME", "muon_m/NAME", "ema/NAME"; AdamATan2:
  /// "adam_atan2_m/NAME", "adam_atan2_v/NAME"), registry order. Writing into them restores a checkpoint.
  [[nodiscard]] std::vector<NamedTensor> State() const;
  /// Exchanges weights and their EMA (and back): for validation and export. A CHECK without ema_decay.
  void SwapEma();
  [[nodiscard]] size_t state_bytes() const;
  [[nodiscard]] const OptimizerTimes& times() const;

 private:
  struct Impl;
  explicit Optimizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pintle
