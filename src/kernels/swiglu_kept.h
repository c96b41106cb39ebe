// SwiGLU for models that keep little between forward and backward: the forward pass may keep gate and up rounded to
// bf16 instead of fp32, and the backward pass makes the activation again, which the gradient of the next weight needs.
// The arithmetic is that of swiglu.h.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "kernels/unit_norm.h"

namespace pintle::kernels {

/// gate, up: rows of `width` floats, ld_in apart; y_bf16 [rows, width] dense. kept_gate, kept_up (bf16, ld_in apart)
/// get the rounded inputs; both may be null. The activation comes from the inputs as they are, not as kept.
void SwiGluKeep(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, bf16* y_bf16,
                bf16* kept_gate, bf16* kept_up, ThreadPool& pool);

/// In place: gate and up (ld_in apart, fp32 or bf16) become their gradients; y [rows, width] dense, in the same dtype,
/// gets the activation again; dy is dense.
void SwiGluBackwardInPlace(float* gate, float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width,
                           float* y, ThreadPool& pool);
void SwiGluBackwardInPlace(bf16* gate, bf16* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width, bf16* y,
                           ThreadPool& pool);

}  // namespace pintle::kernels
