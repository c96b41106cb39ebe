// Training with deep supervision: slots that carry their state from step to step, halting with exploration, the loss,
// its gradient through the last cycle, AdamATan2 with warm-up, sign-SGD on the puzzle embeddings, EMA. One optimizer
// step = one supervision step of every slot.
//
//   while (...) {
//     make samples for the slots with trainer->halted()[slot] != 0;
//     report = trainer->TrainStep(offered);
//   }
//   trainer->SaveModel(folder, notes);     // the EMA weights
//
// Not here: where samples come from, curricula (SetCycles, set_learning_rate), evaluation. In the reference a sample
// offered to a slot that is still busy is lost; here its row is ignored, so a caller may as well keep it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/trm.h"

namespace pintle {

/// Constants of training. Defaults are the reference's but for the learning rate, which suits short runs.
struct TrmTrainOptions {
  int64_t slots = 64;  ///< B
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.95;
  double weight_decay = 0.1;           ///< on every trained tensor
  double puzzle_learning_rate = 1e-2;  ///< of the sign-SGD on puzzle embeddings
  double puzzle_weight_decay = 0.1;    ///< likewise
  int64_t warmup_steps = 100;          ///< step s < warmup runs at (s + 1) / warmup of both rates
  double ema_decay = 0.99;             ///< 0 = no average; the model is then the weights themselves
  double halt_exploration = 0.1;       ///< chance that a slot must not halt before a random step
  uint64_t seed = 0;                   ///< of exploration
  bool recompute = false;              ///< keep only the states between evaluations: less memory, the same bits
};

/// Sums over the slots of one step; "finished" are the slots that halted after it (their final answers).
struct TrmStepReport {
  int64_t step = 0;              ///< steps done, this one included
  double lm_loss = 0;            ///< stablemax cross-entropy, mean per scored cell of each slot, summed over slots
  double q_loss = 0;             ///< binary cross-entropy of the halting logit, summed over slots (not halved)
  double gradient_norm = 0;      ///< of the mean loss
  int64_t cells = 0;             ///< scored
  int64_t right_cells = 0;       ///< of them, right
  int64_t exact = 0;             ///< slots with every scored cell right
  int64_t finished = 0;          ///< slots that halted
  int64_t finished_exact = 0;    ///< of them, with every scored cell right
  int64_t finished_steps = 0;    ///< sum of their steps
  int64_t finished_q_right = 0;  ///< of them, where q > 0 said the truth
};

/// One caller at a time; `model` (created for training) and its pool must outlive it.
class TrmTrainer {
 public:
  /// Reserves carry, activations and optimizer state. All slots start halted.
  static Result<std::unique_ptr<TrmTrainer>> Create(Trm& model, const TrmTrainOptions& options, ThreadPool& pool);
  ~TrmTrainer();
  TrmTrainer(const TrmTrainer&) = delete;
  TrmTrainer& operator=(const TrmTrainer&) = delete;

  /// One byte a slot: 1 = its row of the next offered batch is taken.
  [[nodiscard]] std::span<const uint8_t> halted() const;
  /// Steps done; samples that slots have taken so far (both part of a checkpoint).
  [[nodiscard]] int64_t step() const;
  [[nodiscard]] int64_t samples_taken() const;
  [[nodiscard]] const TrmTrainOptions& options() const;

  /// One step of every slot. `offered` has options().slots rows; only rows of halted slots are read and checked. A loss
  /// or gradient that is not finite is a runtime error and leaves the weights as they are.
  Result<TrmStepReport> TrainStep(const TrmBatch& offered);

  /// From the next step on (curricula, schedules).
  void set_learning_rate(double rate);
  /// As Trm::SetCycles, and plans the memory anew.
  Status SetCycles(int64_t h_cycles, int64_t l_cycles);
  /// As Trm::SetGrid, and plans the memory anew; every slot takes a new puzzle.
  Status SetGrid(int64_t rows, int64_t columns);

  /// The answers and losses of the last step, by slot; for inspection and tests.
  [[nodiscard]] const TrmAnswer& answer() const;
  [[nodiscard]] const TrmCarry& carry() const;

  /// A folder with weights, averages, moments, carry, current puzzles and counters, written atomically. N steps, Save,
  /// Restore into a trainer of the same options, M steps = N + M steps, bit for bit.
  Status Save(const std::filesystem::path& folder) const;
  /// Validation error, and nothing changed, if the folder belongs to another configuration or holds values that are
  /// not finite. A checkpoint of the other fp32 profile is refused likewise.
  Status Restore(const std::filesystem::path& folder);

  /// Exchanges the weights with their EMA (and back), to evaluate; nothing without an EMA.
  void SwapEma();
  /// Writes the EMA weights as a model folder (model_folder.h); returns the SHA-256 of model.safetensors.
  Result<std::string> SaveModel(const std::filesystem::path& folder, const std::map<std::string, std::string>& notes);

  [[nodiscard]] size_t memory_bytes() const;  ///< activations, optimizer state and gradients

  struct Impl;  ///< trainer_impl.h

 private:
  explicit TrmTrainer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pintle
