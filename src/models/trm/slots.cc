#include "models/trm/slots.h"

#include <algorithm>

namespace pintle {

void ResetTrmSlot(const TrmConfig& config, const TrmWeights& weights, TrmCarry& carry, int64_t slot) {
  const int64_t length = config.positions_count(), width = config.width;
  for (int64_t row = slot * length; row < (slot + 1) * length; ++row) {
    std::copy_n(weights.h_init.data(), width, carry.z_h.data() + row * width);
    std::copy_n(weights.l_init.data(), width, carry.z_l.data() + row * width);
  }
}

TrmSlots::TrmSlots(const TrmConfig& config, int64_t slots) {
  const auto cells = static_cast<size_t>(slots * config.cells);
  current = {slots, std::vector<int32_t>(cells), std::vector<int32_t>(cells),
             std::vector<int32_t>(static_cast<size_t>(slots))};
  halted.assign(static_cast<size_t>(slots), 1);
  steps.assign(static_cast<size_t>(slots), 0);
}

void TrmSlots::Take(const TrmConfig& config, const TrmWeights& weights, const TrmBatch& offered, TrmCarry& carry) {
  for (int64_t slot = 0; slot < current.slots; ++slot) {
    const auto at = static_cast<size_t>(slot);
    if (halted[at] == 0) continue;
    const int64_t cell = slot * config.cells;
    std::copy_n(offered.inputs.begin() + cell, config.cells, current.inputs.begin() + cell);
    std::copy_n(offered.labels.begin() + cell, config.cells, current.labels.begin() + cell);
    current.puzzle_ids[at] = offered.puzzle_ids[at];
    ResetTrmSlot(config, weights, carry, slot);
    steps[at] = 0;
    halted[at] = 0;
    ++samples_taken;
  }
}

void TrmSlots::Halt(const TrmConfig& config, std::span<const float> q, const int32_t* least_steps) {
  for (size_t slot = 0; slot < halted.size(); ++slot) {
    ++steps[slot];
    const bool sure = q[slot] > 0 && (least_steps == nullptr || steps[slot] >= least_steps[slot]);
    halted[slot] = steps[slot] >= config.halt_max_steps || sure ? 1 : 0;
  }
}

}  // namespace pintle
