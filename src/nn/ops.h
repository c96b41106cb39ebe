// The fused ops that models record: each is one call into src/kernels forward and a hand-written backward. Shapes are
// [rows, columns], rows = batch * time. Parameters are added to: gradient += this micro-batch's, continuing the chain.
#pragma once

#include <cstdint>
#include <span>

#include "nn/parameters.h"
#include "nn/tape.h"

namespace pintle {

/// y[row] = table[ids[row]]. The gradient goes to the table's second gradient where it has one. Ids must be in range.
Var Embedding(Tape& tape, Var ids, Parameter& table);

/// y = x / rms(x) * gain. Feeds linear layers: in a bf16 tape only the bf16 copy exists.
Var RmsNorm(Tape& tape, Var x, Parameter& gain, double epsilon);

/// y = x W^T (+ residual), W the matrices of `weights` stacked by rows [N, K]. A residual passes its gradient on in
/// place: its other consumers must have been recorded before this op. Models for use only may have biases [N_i], one a
/// matrix, and matrices stored as their file has them (stored_ops.h).
Var Linear(Tape& tape, Var x, std::span<Parameter* const> weights, Var residual = {},
           std::span<Parameter* const> biases = {});

/// SwiGLU of x [rows, 2 F] = gate | up -> [rows, F]. Feeds linear layers.
Var SwiGlu(Tape& tape, Var gate_up);

/// Constants of self-attention; tables are [positions, head_dim / 2] (kernels/rope.h).
struct AttentionConfig {
  int64_t heads, kv_heads, head_dim;
  double epsilon;
  const float* cos;
  const float* sin;
  float scale = 0;     ///< of q k; 0: 1 / sqrt(head_dim)
  int64_t window = 0;  ///< positions that a row sees, its own included; 0: all. Only without training
};

/// Self-attention on qkv [rows, (H + 2 G) D]: QK-norm (in models that have it: else the gains are null, without
/// training), RoPE at `positions`, causal attention inside documents -> [rows, H D].
Var Attention(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain, Var positions,
              Var documents);

/// The same against the KV cache bound to the tape: the rows are the next positions of its sequences, and their keys
/// and values are appended to the pages of `layer`. Bit for bit the training form. Only without training.
Var AttentionWithCache(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain,
                       Var positions, int64_t layer);

/// Mean cross-entropy of softmax(x head^T) at `targets` (-100: not scored), in chunks of 256 rows so that all logits
/// never exist; while training each chunk also makes its gradients of x and head. Adds the rows' losses to
/// tape.loss_sum.
void HeadLoss(Tape& tape, Var x, Parameter& head, Var targets);

/// Rows of logits at once in the head.
inline constexpr int64_t kHeadChunk = 256;

/// C[m,n] = A B^T with the operands that a tape of this dtype uses; for heads outside the tape.
void ApplyHead(DType dtype, kernels::Profile profile, const void* x, int64_t rows, const Parameter& head, float* logits,
               ThreadPool& pool);

}  // namespace pintle
