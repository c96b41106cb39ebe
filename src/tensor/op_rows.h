// What the files that hold rows of the op table share; see op_table.h. For these files only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "tensor/op_table.h"

namespace pintle {
namespace op_rows {

using In = const OpValues<float>&;
using Out = OpValues<float>&;
using InD = const OpValues<double>&;
using OutD = OpValues<double>&;

inline size_t Index(int64_t i) { return static_cast<size_t>(i); }

/// Values between -1 and 1.
inline std::vector<float> Draw(int64_t count, uint64_t seed) {
  std::vector<float> values(Index(count));
  RandomStream stream(seed, Purpose::kTest, 0);
  for (float& value : values) value = stream.NextFloat() * 2.0f - 1.0f;
  return values;
}

/// Values from 0 to `bound` - 1.
inline std::vector<int32_t> DrawIds(int64_t count, uint32_t bound, uint64_t seed) {
  std::vector<int32_t> ids(Index(count));
  RandomStream stream(seed, Purpose::kTest, 1);
  for (int32_t& id : ids) id = static_cast<int32_t>(stream.NextBelow(bound));
  return ids;
}

}  // namespace op_rows

/// The rows of the kernels of recursive models (op_rows_recursive.cc).
void AddRecursiveOps(std::vector<OpRow>& rows);

}  // namespace pintle
