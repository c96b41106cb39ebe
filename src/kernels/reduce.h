// Reductions of one row by 32 virtual lanes and a fixed tree: the order is the same for every vector width.
//   lane j takes elements j, j+32, j+64, ... in order, starting from +0 (sum, dot) or the identity (max);
//   then lane j += lane j+16 for j < 16, then +8, +4, +2, +1.
// Products are rounded before they are added. Used by norms, softmax, losses and gradient clipping.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace pintle::kernels {

float Sum(const float* x, int64_t count);
float Dot(const float* x, const float* y, int64_t count);
/// The largest element; -inf for count = 0. Elements must not be NaN.
float Max(const float* x, int64_t count);

/// Sum of squares for gradient clipping: Dot(x, x) over chunks of 16384 elements, the chunks added in order as doubles.
double SumOfSquares(const float* x, int64_t count, ThreadPool& pool);

template <typename T>
T ReferenceSum(const T* x, int64_t count);
template <typename T>
T ReferenceDot(const T* x, const T* y, int64_t count);
float ReferenceMax(const float* x, int64_t count);
double ReferenceSumOfSquares(const float* x, int64_t count);

}  // namespace pintle::kernels
