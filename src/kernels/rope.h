// Rotary position embedding with the per-head RMSNorm of Qwen3 in front of it, fused: [tokens, heads, D] in one pass.
// Half-split layout (the one of Hugging Face checkpoints): element i is rotated with element i + D/2.
//   n = RMSNorm of the head over D with gain (skipped if gain is null)
//   y[i] = (n[i] * cos) - (n[i + D/2] * sin)        y[i + D/2] = (n[i + D/2] * cos) + (n[i] * sin)
// Source: Su et al. 2021, "RoFormer"; Qwen3 model code for the norm.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// frequency[i] = theta^(-2i / head_dim), i < head_dim / 2, in double.
void RopeFrequencies(double theta, int64_t head_dim, double* frequency);

/// cos, sin [positions, head_dim / 2]: of position * frequency[i], computed in double and rounded once. Row p is
/// position p.
void RopeTable(const double* frequency, int64_t head_dim, int64_t positions, float* cos, float* sin);

/// The largest head dimension of the backward pass.
inline constexpr int64_t kMaxHeadDim = 256;

/// Extents of one call. head_dim is even; `ldx`, `ldy` are the floats from one token to the next (>= heads *
/// D).
struct RopeShape {
  int64_t tokens, heads, head_dim;
  int64_t ldx, ldy;
  float eps;
};

/// x -> y (may be the same when ldx = ldy). position [tokens] indexes the table rows. inverse_norm [tokens, heads] out,
/// may be null; unused without gain.
void RopeQkNorm(const RopeShape& shape, const float* x, const float* gain, const float* cos, const float* sin,
                const int32_t* position, float* y, float* inverse_norm, ThreadPool& pool);

/// Floats of scratch that RopeQkNormBackward needs (chunks of 64 tokens, see rms_norm.h).
constexpr int64_t RopeQkNormBackwardScratch(int64_t tokens, int64_t head_dim) { return (tokens + 63) / 64 * head_dim; }

/// x is the forward's input (ldx), dy the gradient of y (ldy), dx has x's layout (ldx) and may be dy when ldx = ldy.
/// dx or dx_bf16 (same layout) may be null. gain_gradient [D] accumulates over (token, head) in order within chunks of
/// 64 tokens, then chunk after chunk; null without gain.
void RopeQkNormBackward(const RopeShape& shape, const float* x, const float* gain, const float* inverse_norm,
                        const float* cos, const float* sin, const int32_t* position, const float* dy, float* dx,
                        bf16* dx_bf16, float* gain_gradient, float* scratch, ThreadPool& pool);

template <typename T>
void ReferenceRopeQkNorm(const RopeShape& shape, const T* x, const T* gain, const T* cos, const T* sin,
                         const int32_t* position, T* y, T* inverse_norm);
template <typename T>
void ReferenceRopeQkNormBackward(const RopeShape& shape, const T* x, const T* gain, const T* inverse_norm, const T* cos,
                                 const T* sin, const int32_t* position, const T* dy, T* dx, T* gain_gradient);

}  // namespace pintle::kernels
