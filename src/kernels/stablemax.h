// Stablemax cross-entropy: the loss of recursive reasoning models. A softmax whose exponential is replaced by a
// rational function with a heavy tail, so that gradients do not vanish when the model is sure. All in double, one row
// after the other, our own logarithm: rows are as long as a puzzle's alphabet, so this is never where time goes.
//   s(x) = x + 1 for x >= 0, 1 / (1 - x + 1e-30) below       S = s_0 + s_1 + ... in order
//   loss = -Log(s_target / S)
//   dx_i = (s'_i / S - [i = target] s'_i / s_i) * scale       s' = 1 above, s^2 below
// Source: Prieto et al. 2025, "Grokking at the Edge of Numerical Stability".
#pragma once

#include <cstdint>

#include "kernels/matmul.h"

namespace pintle::kernels {

/// Loss of one row of `vocab` logits at `target` (in [0, vocab)). dlogits and dlogits_bf16 [vocab] may be null.
double StablemaxCrossEntropy(const float* logits, int64_t vocab, int32_t target, double scale, float* dlogits,
                             bf16* dlogits_bf16);

/// p_i = s_i / S: what the model says of each symbol.
void Stablemax(const float* logits, int64_t vocab, double* p);

/// -[t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))] for t = 0 or 1, without overflow; d is sigmoid(x) - t.
double BinaryCrossEntropy(double logit, bool target, double* d);

}  // namespace pintle::kernels
