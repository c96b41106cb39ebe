// The Tiny Recursive Model in use: weights, and one supervision step for any number of puzzles. Training stands in
// trainer.h, files in model_folder.h; the recursion itself in recursion.h. Not here: tasks, halting policy, sampling.
//
// A supervision step improves the state (z_H, z_L) of each slot and reads an answer off z_H; a puzzle is solved by
// running steps on the same carry, 16 in the reference, fewer when q says so, more for hard puzzles.
//
// Numeric contract: the same weights, inputs and carry give the same bytes for any number of threads, instruction set
// and composition of the batch: a slot never depends on its neighbours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/config.h"
#include "nn/parameters.h"

namespace pintle {

/// Puzzles of one batch; all vectors by slot. Labels outside the vocabulary are never scored.
struct TrmBatch {
  int64_t slots = 0;                ///< B
  std::vector<int32_t> inputs;      ///< [B, S], each in [0, V)
  std::vector<int32_t> labels;      ///< [B, S], in [0, V) or kTrmIgnored; may be empty where no training happens
  std::vector<int32_t> puzzle_ids;  ///< [B], each in [0, config.puzzle_ids)
};

/// A label that is not scored.
inline constexpr int32_t kTrmIgnored = -100;

/// The recurrent state of `slots` puzzles: plain vectors, so that callers copy, drop, perturb or save slots as they
/// like.
struct TrmCarry {
  int64_t slots = 0;
  std::vector<float> z_h, z_l;  ///< [slots, L, D]
};

/// The outcome of a supervision step.
struct TrmAnswer {
  std::vector<float> logits;  ///< [B, S, V]
  std::vector<float> q;       ///< [B]: halting logit; > 0 = "my answer is right"
};

/// One state of the recursion, as an observer sees it.
struct TrmStateView {
  int64_t first_slot, slots;  ///< the slots it covers
  int64_t cycle;              ///< 0 .. T-1
  int64_t evaluation;         ///< 0 .. n; the last one is z_H, the others are z_L
  bool is_h;
  const float* z;  ///< [slots, L, D]; valid during the call
};
using TrmObserver = std::function<void(const TrmStateView&)>;

/// One caller at a time; `pool` must outlive it.
class Trm {
 public:
  /// All weights are zero until Init or until they are loaded. `training` reserves gradients (trainer.h needs them).
  static Result<std::unique_ptr<Trm>> Create(const TrmConfig& config, bool training, ThreadPool& pool);
  ~Trm();
  Trm(const Trm&) = delete;
  Trm& operator=(const Trm&) = delete;

  [[nodiscard]] const TrmConfig& config() const;
  /// Trained weights by the reference's names ("L_level.layers.0.mlp.down_proj.weight", ...).
  [[nodiscard]] ParameterRegistry& parameters();
  [[nodiscard]] const ParameterRegistry& parameters() const;
  /// What is not trained by gradient: "H_init", "L_init" [D] and "puzzle_emb.weights" [puzzle_ids, D].
  [[nodiscard]] std::vector<NamedTensor> Buffers() const;
  /// After weights were written from outside: rewrites the bf16 copies.
  void WeightsChanged();

  /// Random weights as the reference draws them (truncated normal, std 1 / sqrt(fan in); initial states std 1; halting
  /// head weight 0, bias -5; puzzle embeddings 0). A pure function of (seed, tensor number, element).
  void Init(uint64_t seed);
  /// Another recursion depth from the next step on. Validation error outside 1 .. 64.
  Status SetCycles(int64_t h_cycles, int64_t l_cycles);

  /// Another grid from the next step on: with kLocal mixing no weight belongs to a position. Validation error with
  /// other mixings, and where the grid is too large.
  Status SetGrid(int64_t rows, int64_t columns);

  /// A fresh carry: every slot at H_init, L_init.
  [[nodiscard]] TrmCarry NewCarry(int64_t slots) const;
  /// Puts one slot of `carry` back to the start.
  void ResetSlot(TrmCarry& carry, int64_t slot) const;
  /// z_L += sigma * normal noise, a pure function of (seed, step, slot number, element): for sampling several answers.
  static void AddNoise(TrmCarry& carry, double sigma, uint64_t seed, uint64_t step);

  /// One supervision step: replaces the carry, fills `answer`. Inputs out of range, or a carry of other extents, are
  /// validation errors and change nothing. The observer, if given, sees T (n + 1) states of every slot in order (some
  /// slots complete before others start).
  Status Step(const TrmBatch& batch, TrmCarry& carry, TrmAnswer& answer, const TrmObserver& observer = {});
  /// What the head reads from any state: logits [slots, S, V] of z [slots, L, D].
  void Decode(std::span<const float> z, int64_t slots, std::vector<float>& logits);

 private:
  friend class TrmTrainer;
  struct Impl;
  explicit Trm(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The most likely symbol of each cell, the lowest of equals: logits [count, V] -> [count].
std::vector<int32_t> TrmArgmax(std::span<const float> logits, int64_t vocab);

}  // namespace pintle
