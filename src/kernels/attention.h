// Causal block attention inside documents, grouped-query, fp32: the training form (whole sequences, with gradient) and
// the decode form (new tokens against a KV cache in pages). Both run the same code for one row and one block.
//
// One query row i walks the key blocks of 64 aligned to absolute positions, in order:
//   s[j] = chain over d of q[i,d] * k[j,d] (profile), times scale; invisible keys: -inf
//   m' = max(m, s)      p = Exp(s - m')       a = Exp(m - m')
//   l  = l * a + Sum(p) (32 lanes over the 64 keys)       o[d] = chain over j of p[j] * v[j,d] that starts at o[d] * a,
//   plus +0
// and ends with o = o * (1 / l), lse = m + Log(l). While no key was visible m' counts as 0, so a block without a
// visible key changes no bit (Exp(0) = 1 and o is never -0): whether it is skipped or computed does not show, nor does
// the number of rows computed together. A key is visible if it is not later, of the same document, and inside the
// window where there is one. Values of keys that are not visible must be finite.
//
// Backward recomputes p = Exp(s - lse):
//   delta[i] = Dot(do[i], o[i])    dp[i,j] = chain over d of do[i,d] * v[j,d]    ds = (p * (dp - delta)) * scale
//   dq[i,d] = chain over j of ds * k     dk[j,d] = chain over (head of the group, i) of ds * q
//   dv[j,d] likewise of p * do
// each chain from +0, keys or queries ascending, +0 added at its end (so products that are zero leave no trace).
// Source: Dao et al. 2022, "FlashAttention", algorithms 1 and 4.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/kv_page.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// Extents. heads is a multiple of kv_heads; head h reads kv head h / (heads / kv_heads). head_dim is a multiple of 16,
/// at most 256. ld* are the floats from one token to the next (>= heads * head_dim or kv_heads * head_dim).
struct AttentionShape {
  int64_t batch, time, heads, kv_heads, head_dim;
  int64_t ldq, ldk, ldv, ldo;
  float scale;
  Profile profile;
  int64_t window = 0;  ///< a row sees so many positions at most, its own included; 0: all. Forward only
};

/// Floats of scratch for Attention and AttentionBackward.
int64_t AttentionScratch(const AttentionShape& shape);
int64_t AttentionBackwardScratch(const AttentionShape& shape);

/// q [B,T,H,D], k, v [B,T,G,D], document [B,T] (null: one document) -> o [B,T,H,D] and lse [B,H,T]. o_bf16 (o's layout)
/// may be null. o must not overlap the inputs.
void Attention(const AttentionShape& shape, const float* q, const float* k, const float* v, const int32_t* document,
               float* o, bf16* o_bf16, float* lse, float* scratch, ThreadPool& pool);

/// dout is the gradient of o (ldo); dq, dk, dv have the layouts of q, k, v and are overwritten. dv_bf16 (v's layout)
/// may be null. Parallel over (batch, kv head).
void AttentionBackward(const AttentionShape& shape, const float* q, const float* k, const float* v,
                       const int32_t* document, const float* o, const float* lse, const float* dout, float* dq,
                       float* dk, float* dv, float* scratch, ThreadPool& pool, bf16* dv_bf16 = nullptr);

/// Floats of scratch for AttentionCached.
int64_t AttentionCachedScratch(const AttentionShape& shape, const ThreadPool& pool);

/// The decode form: `count` sequences, their rows one after another in q and o (shape.ldq, shape.ldo; batch, time, ldk
/// and ldv are not used). Their own keys must have been appended (kv_page.h). Equal bit for bit to Attention on the
/// whole sequence as one document that starts at position 0, its keys and values rounded as their type says, for any
/// grouping of rows and sequences.
void AttentionCached(const AttentionShape& shape, const CachedSequence* sequences, int64_t count, const float* q,
                     float* o, bf16* o_bf16, float* scratch, ThreadPool& pool);

template <typename T>
void ReferenceAttention(const AttentionShape& shape, const T* q, const T* k, const T* v, const int32_t* document, T* o,
                        T* lse);
template <typename T>
void ReferenceAttentionBackward(const AttentionShape& shape, const T* q, const T* k, const T* v,
                                const int32_t* document, const T* o, const T* lse, const T* dout, T* dq, T* dk, T* dv);

}  // namespace pintle::kernels
