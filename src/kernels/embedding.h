// Token embedding: gather rows forward, add rows backward. Every element of the gradient takes its tokens in order, so
// any number of threads and any cut into micro-batches give the same bits.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// table [vocab, width], ids [tokens] (each in [0, vocab), checked by the caller), y [tokens, width]; y or y_bf16 may
/// be null.
void Embedding(const float* table, const int32_t* ids, int64_t tokens, int64_t width, float* y, bf16* y_bf16,
               ThreadPool& pool);

/// table_gradient[ids[t], :] += dy[t, :] for t = 0, 1, ...
void EmbeddingBackward(const float* dy, const int32_t* ids, int64_t tokens, int64_t width, float* table_gradient,
                       ThreadPool& pool);

template <typename T>
void ReferenceEmbedding(const T* table, const int32_t* ids, int64_t tokens, int64_t width, T* y);
template <typename T>
void ReferenceEmbeddingBackward(const T* dy, const int32_t* ids, int64_t tokens, int64_t width, T* table_gradient);

}  // namespace pintle::kernels
