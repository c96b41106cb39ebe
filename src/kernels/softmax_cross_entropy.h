// Softmax cross-entropy of a chunk of logits rows, in place: the logits become their gradient. The head calls it chunk
// by chunk, so that all logits never exist at once.
//   m = Max(x)   e = Exp(x - m)   s = Sum(e)   loss = Log(s) - (x[target] - m)
//   dx = e * (gradient_scale / s), then dx[target] = dx[target] - gradient_scale
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

inline constexpr int32_t kIgnoredTarget = -100;

/// logits [rows, vocab] with `ld` floats from row to row; targets [rows], kIgnoredTarget rows get loss 0 and zero
/// gradient. gradient_scale is 1 / (targets of the whole step). losses [rows] out. dlogits_bf16 (same layout) may be
/// null; if it is given, `logits` is left holding scratch values, else the gradient.
void SoftmaxCrossEntropy(float* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                         float gradient_scale, float* losses, bf16* dlogits_bf16, ThreadPool& pool);

/// Only the losses; the logits stay as they are. Same bits as above.
void SoftmaxCrossEntropyLoss(const float* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                             float* losses, ThreadPool& pool);

/// Rows in order, as doubles.
double SumLosses(const float* losses, int64_t rows);

template <typename T>
void ReferenceSoftmaxCrossEntropy(T* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                                  T gradient_scale, T* losses);

}  // namespace pintle::kernels
