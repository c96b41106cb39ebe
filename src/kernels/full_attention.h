// Attention without a mask over one short sequence, fp32: every position sees every other. Written as matmuls over the
// whole score matrix, one head after the other: puzzles have a few hundred positions, so a head's scores fit the cache.
// Long or causal sequences: attention.h.
//   x = (chain over d of q * k) * scale     m = Max(row)   p = Exp(x - m)   l = Sum(p)   p = p * (1 / l)
//   o = chain over j of p * v               lse = m + Log(l)
// Backward: p = Exp(x - lse), dp = chain over d of do * v, delta = Dot(p, dp), ds = (p * (dp - delta)) * scale,
//   dq = chain over j of ds * k, dk = chain over i of ds * q, dv = chain over i of p * do.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// One sequence: qkv [time, 3, heads, head_dim] dense, o [time, heads, head_dim] dense. Any head_dim.
struct FullAttentionShape {
  int64_t time, heads, head_dim;
  float scale;
  Profile profile;
};

/// Floats of scratch for either pass.
constexpr int64_t FullAttentionScratch(const FullAttentionShape& shape) { return 2 * shape.time * shape.time; }

/// lse [heads, time] may be null; o_bf16 (o's layout) may be null.
void FullAttention(const FullAttentionShape& shape, const float* qkv, float* o, bf16* o_bf16, float* lse,
                   float* scratch, ThreadPool& pool);
/// dqkv has qkv's layout and is overwritten.
void FullAttentionBackward(const FullAttentionShape& shape, const float* qkv, const float* lse, const float* dout,
                           float* dqkv, float* scratch, ThreadPool& pool);

template <typename T>
void ReferenceFullAttention(const FullAttentionShape& shape, const T* qkv, T* o, T* lse);
template <typename T>
void ReferenceFullAttentionBackward(const FullAttentionShape& shape, const T* qkv, const T* lse, const T* dout,
                                    T* dqkv);

}  // namespace pintle::kernels
