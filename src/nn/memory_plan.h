// The memory plan of a tape: every buffer has a lifetime in events (one event = one op run forward, again, or
// backward); two buffers may share bytes only if their lifetimes do not meet. Made once, before the first step, so a
// step never allocates. Placement is first fit, largest buffer first: the classic heuristic for this packing problem,
// usually within a few percent of the peak of what is alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pintle {

/// One buffer: alive in events [first, last]; `offset` is filled in.
struct PlannedBuffer {
  size_t bytes = 0;
  int64_t first = 0, last = -1;
  size_t offset = 0;
};

/// Chooses offsets, multiples of 64 bytes; returns the total size. Buffers with last < first or no bytes get offset 0
/// and no room. Deterministic: ties go by index.
size_t PlanMemory(std::vector<PlannedBuffer>& buffers);

}  // namespace pintle
