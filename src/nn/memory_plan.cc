#include "nn/memory_plan.h"

#include <algorithm>

#include "tensor/arena.h"

namespace pintle {

size_t PlanMemory(std::vector<PlannedBuffer>& buffers) {
  std::vector<size_t> order;
  for (size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].offset = 0;
    if (buffers[i].bytes > 0 && buffers[i].last >= buffers[i].first) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return buffers[a].bytes != buffers[b].bytes ? buffers[a].bytes > buffers[b].bytes : a < b;
  });

  size_t total = 0;
  std::vector<const PlannedBuffer*> placed;  // by offset
  for (const size_t index : order) {
    PlannedBuffer& buffer = buffers[index];
    size_t offset = 0;
    for (const PlannedBuffer* other : placed) {
      if (other->last < buffer.first || other->first > buffer.last) continue;
      if (offset + buffer.bytes <= other->offset) break;  // the gap before `other` is large enough
      offset = std::max(offset, Arena::Rounded(other->offset + other->bytes));
    }
    buffer.offset = offset;
    total = std::max(total, offset + buffer.bytes);
    const auto place = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [](size_t value, const PlannedBuffer* other) { return value < other->offset; });
    placed.insert(place, &buffer);
  }
  return Arena::Rounded(total);
}

}  // namespace pintle
