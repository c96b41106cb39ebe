// The slots of a batch under deep supervision: which puzzle each one works on, for how many steps, and when it stops.
// A slot that halted takes the next offered puzzle and starts afresh; the others keep theirs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/trm/recursion.h"

namespace pintle {

/// Plain data, all by slot; part of a checkpoint.
struct TrmSlots {
  TrmBatch current;             ///< with labels
  std::vector<uint8_t> halted;  ///< 1: takes the next offered puzzle
  std::vector<int32_t> steps;   ///< supervision steps on the current puzzle
  int64_t samples_taken = 0;

  /// All halted.
  TrmSlots(const TrmConfig& config, int64_t slots);
  /// Rows of halted slots come in, with a fresh carry. `offered` is checked by the caller.
  void Take(const TrmConfig& config, const TrmWeights& weights, const TrmBatch& offered, TrmCarry& carry);
  /// Counts the step. A slot halts at halt_max_steps, or when q > 0 and it has done least_steps (null: 0) of its own.
  void Halt(const TrmConfig& config, std::span<const float> q, const int32_t* least_steps);
};

/// Puts one slot of a carry back to H_init, L_init.
void ResetTrmSlot(const TrmConfig& config, const TrmWeights& weights, TrmCarry& carry, int64_t slot);

}  // namespace pintle
