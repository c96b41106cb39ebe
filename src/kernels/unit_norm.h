// RMSNorm without gain, over the rows of a matrix or over its columns: the post-norm of recursive models, where the
// same network runs on its own output and what is added before the next run is known beforehand. So a forward pass may
// write the next input, y + add, on its way. Backward needs y and the inverse norm alone, because y is x normalised.
//   inv = 1 / sqrt(S / count + eps)     y = x * inv     next = y + add
//   c = (sum of dy * y) / count         dx = (dy - y * c) * inv
// Sums over a row: 32 lanes (reduce.h). Sums over a column: one chain over the rows from +0, product before sum.
// Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// Where the forward pass writes; every pointer but y may be null. All arrays but `inverse` have x's shape.
struct UnitNormOutput {
  float* y = nullptr;        ///< may be x
  bf16* y_bf16 = nullptr;    ///< y rounded
  float* inverse = nullptr;  ///< one per row, or one per column
  const float* add = nullptr;
  float* next = nullptr;  ///< y + add; may be x or add
  bf16* next_bf16 = nullptr;
};

/// A value kept from the forward pass in the model's dtype: one of the two is not null.
struct Kept {
  const float* f32 = nullptr;
  const bf16* b16 = nullptr;
};

/// Each row of x [rows, width] becomes a vector of mean square 1.
void UnitNormRows(const float* x, float eps, int64_t rows, int64_t width, const UnitNormOutput& out, ThreadPool& pool);
/// Each column likewise.
void UnitNormColumns(const float* x, float eps, int64_t rows, int64_t width, const UnitNormOutput& out,
                     ThreadPool& pool);

/// dy and dx [rows, width], dx may be dy; dx_bf16 may be null.
void UnitNormRowsBackward(const Kept& y, const float* inverse, const float* dy, int64_t rows, int64_t width, float* dx,
                          bf16* dx_bf16, ThreadPool& pool);
void UnitNormColumnsBackward(const Kept& y, const float* inverse, const float* dy, int64_t rows, int64_t width,
                             float* dx, bf16* dx_bf16, ThreadPool& pool);

template <typename T>
void ReferenceUnitNormRows(const T* x, T eps, int64_t rows, int64_t width, T* y, T* inverse);
template <typename T>
void ReferenceUnitNormColumns(const T* x, T eps, int64_t rows, int64_t width, T* y, T* inverse);
template <typename T>
void ReferenceUnitNormRowsBackward(const T* y, const T* inverse, const T* dy, int64_t rows, int64_t width, T* dx);
template <typename T>
void ReferenceUnitNormColumnsBackward(const T* y, const T* inverse, const T* dy, int64_t rows, int64_t width, T* dx);

}  // namespace pintle::kernels
