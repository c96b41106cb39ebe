// RMSNorm with gain over rows. Forward keeps only the inverse norm of each row; backward rebuilds the rest from x.
//   inv = 1 / sqrt(Sum(x*x) / width + eps)      y = (x * inv) * gain
//   t = gain * dy     xhat = x * inv      c = Dot(t, xhat) / width      dx = (t - xhat * c) * inv
//   dgain += dy * xhat over rows
// Sums over a row: 32 lanes (reduce.h). dgain: rows in order within chunks of 64 rows (each from +0), then
// gain_gradient = gain_gradient + chunk, chunk after chunk: micro-batches of whole chunks give the bits of one batch.
// Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

inline constexpr int64_t kGainChunkRows = 64;

/// x, y [rows, width]; inverse_norm [rows] out (may be null when no backward follows); y and y_bf16: either may be
/// null. y may be x.
void RmsNorm(const float* x, const float* gain, float eps, int64_t rows, int64_t width, float* y, bf16* y_bf16,
             float* inverse_norm, ThreadPool& pool);

/// Floats of scratch that RmsNormBackward needs.
constexpr int64_t RmsNormBackwardScratch(int64_t rows, int64_t width) {
  return (rows + kGainChunkRows - 1) / kGainChunkRows * width;
}

/// dx [rows, width] = dx_add + gradient, where dx_add (may be null, may be dx) is what came past the norm by the
/// residual path; dx_bf16 may be null. gain_gradient [width] accumulates. dx may be dy.
void RmsNormBackward(const float* x, const float* gain, const float* inverse_norm, const float* dy, int64_t rows,
                     int64_t width, const float* dx_add, float* dx, bf16* dx_bf16, float* gain_gradient, float* scratch,
                     ThreadPool& pool);

template <typename T>
void ReferenceRmsNorm(const T* x, const T* gain, T eps, int64_t rows, int64_t width, T* y, T* inverse_norm);
template <typename T>
void ReferenceRmsNormBackward(const T* x, const T* gain, const T* inverse_norm, const T* dy, int64_t rows,
                              int64_t width, const T* dx_add, T* dx, T* gain_gradient);

}  // namespace pintle::kernels
