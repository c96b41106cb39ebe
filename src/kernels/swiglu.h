// SwiGLU: the gated activation between the two halves of the feed-forward block.
//   s = 1 / (1 + Exp(-g))      y = (g * s) * u
//   du = dy * (g * s)          dg = (dy * u) * (s * (1 + (g * (1 - s))))
// Source: Shazeer 2020, "GLU Variants Improve Transformer".
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// gate, up: rows of `width` floats, `ld_in` apart (so both may lie in one [rows, 2 * width] buffer); y [rows, width]
/// dense. y or y_bf16 may be null.
void SwiGlu(const float* gate, const float* up, int64_t ld_in, int64_t rows, int64_t width, float* y, bf16* y_bf16,
            ThreadPool& pool);

/// dy dense; dgate, dup (ld_in apart, may be gate and up themselves); the fp32 pair or the bf16 pair (same layout) may
/// be null.
void SwiGluBackward(const float* gate, const float* up, int64_t ld_in, const float* dy, int64_t rows, int64_t width,
                    float* dgate, float* dup, bf16* dgate_bf16, bf16* dup_bf16, ThreadPool& pool);

template <typename T>
void ReferenceSwiGlu(const T* gate, const T* up, int64_t ld_in, int64_t rows, int64_t width, T* y);
template <typename T>
void ReferenceSwiGluBackward(const T* gate, const T* up, int64_t ld_in, const T* dy, int64_t rows, int64_t width,
                             T* dgate, T* dup);

}  // namespace pintle::kernels
