// Cuts a range into pieces of fixed size for the pool. The cut depends on the extents alone and never shows in the
// numbers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// Elements that make one piece of element-wise work: about 5 microseconds, far above the cost of handing it out.
inline constexpr int64_t kPieceElements = 16384;

/// work(begin, end) for [0, count) in pieces of `piece`.
template <typename Work>
void ForRanges(ThreadPool& pool, int64_t count, int64_t piece, const Work& work) {
  pool.ParallelFor((count + piece - 1) / piece, [&](int64_t i) { work(i * piece, std::min(count, (i + 1) * piece)); });
}

/// Rows of `width` elements that make one piece.
inline int64_t PieceRows(int64_t width) { return std::max<int64_t>(1, kPieceElements / std::max<int64_t>(1, width)); }

}  // namespace pintle::kernels
