// The forward ops of models that are only used, on weights held as their file has them: quantised panels
// (kernels/quant.h), bf16 without an fp32 original, fp32 with a bias. Linear and Embedding of ops.h come here by
// themselves; models do not. No gradients.
#pragma once

#include <cstdint>
#include <span>

#include "nn/parameters.h"
#include "nn/tape.h"

namespace pintle {

/// As Linear. Quantised matrices take the fp32 value of x, so they stand in fp32 tapes only.
Var StoredLinear(Tape& tape, Var x, std::span<Parameter* const> weights, Var residual,
                 std::span<Parameter* const> biases);

/// As Embedding.
Var StoredEmbedding(Tape& tape, Var ids, Parameter& table);

/// The next multiple of 16, which the attention kernels want of a head.
constexpr int64_t PaddedHeadDim(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }
/// [rows, heads * D] -> [rows, heads * PaddedHeadDim(D)]: both halves of each head (the partners of RoPE) keep their
/// order and are followed by zeros. GatherHeads is the way back. fp32 tapes only.
Var SpreadHeads(Tape& tape, Var x, int64_t heads, int64_t head_dim);
Var GatherHeads(Tape& tape, Var x, int64_t heads, int64_t head_dim);

/// Bytes of scratch that ApplyStoredHead needs for `rows` rows.
int64_t StoredHeadScratch(const Parameter& head, int64_t rows);
/// logits[rows, V] = x head^T for a quantised head; x fp32 [rows, C].
void ApplyStoredHead(const float* x, int64_t rows, const Parameter& head, float* logits, void* scratch,
                     ThreadPool& pool);

}  // namespace pintle
