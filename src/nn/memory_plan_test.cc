#include "nn/memory_plan.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace pintle {
namespace {

bool Overlap(size_t a, size_t a_size, size_t b, size_t b_size) { return a < b + b_size && b < a + a_size; }

}  // namespace

TEST_CASE("buffers that live at different times share bytes") {
  std::vector<PlannedBuffer> buffers = {{100, 0, 1, 0}, {100, 2, 3, 0}, {60, 1, 2, 0}, {0, 0, 9, 0}, {50, 0, -1, 0}};
  CHECK(PlanMemory(buffers) == 192);
  CHECK(buffers[0].offset == 0);
  CHECK(buffers[1].offset == 0);
  CHECK(buffers[2].offset == 128);
}

TEST_CASE("no two living buffers overlap, and the total is close to the peak") {
  RandomStream random(1, Purpose::kTest, 0);
  std::vector<PlannedBuffer> buffers;
  for (int i = 0; i < 300; ++i) {
    const auto first = static_cast<int64_t>(random.NextBelow(200));
    buffers.push_back({64 * (1 + random.NextBelow(50)), first, first + random.NextBelow(40), 0});
  }
  const size_t total = PlanMemory(buffers);
  size_t peak = 0;
  for (int64_t event = 0; event < 240; ++event) {
    size_t alive = 0;
    for (const auto& buffer : buffers) {
      if (buffer.first <= event && event <= buffer.last) alive += buffer.bytes;
    }
    peak = std::max(peak, alive);
  }
  for (size_t a = 0; a < buffers.size(); ++a) {
    CHECK(buffers[a].offset % 64 == 0);
    for (size_t b = 0; b < a; ++b) {
      if (buffers[a].first > buffers[b].last || buffers[b].first > buffers[a].last) continue;
      CHECK_FALSE(Overlap(buffers[a].offset, buffers[a].bytes, buffers[b].offset, buffers[b].bytes));
    }
  }
  CHECK(total >= peak);
  CHECK(static_cast<double>(total) < 1.2 * static_cast<double>(peak));
}

}  // namespace pintle
