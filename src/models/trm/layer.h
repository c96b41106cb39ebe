// One layer of the TRM for one group of puzzles, forward and backward. Post-norm: mix positions, norm, mix channels,
// norm. Puzzles of a group stand side by side, position by position: x is [L, samples, D], so the token mixer is one
// matmul over samples * D columns and the channel mixer one over L * samples rows, and nothing is ever transposed.
// Attention takes groups of one puzzle. Not here: the recursion (recursion.h), who is whose neighbour (local_mixing.h).
//
// In a bf16 model everything that a matmul reads is kept in bf16; residuals, norms and attention are fp32. An Operand
// is a buffer in the model's dtype: one of its two pointers is null.
#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "kernels/unit_norm.h"
#include "models/trm/config.h"
#include "nn/parameters.h"

namespace pintle {

/// Added to the mean square in every norm.
inline constexpr float kTrmNormEpsilon = 1e-5f;

/// A buffer in the model's dtype.
struct Operand {
  float* f32 = nullptr;
  kernels::bf16* b16 = nullptr;

  [[nodiscard]] const void* data() const { return f32 != nullptr ? static_cast<const void*>(f32) : b16; }
  [[nodiscard]] kernels::Kept kept() const { return {f32, b16}; }
  [[nodiscard]] Operand Offset(int64_t elements) const {
    return {f32 != nullptr ? f32 + elements : nullptr, b16 != nullptr ? b16 + elements : nullptr};
  }
};

/// One layer's parameters; fields are named as in the checkpoint.
struct TrmLayerWeights {
  Parameter *mix_in, *mix_out;  ///< mlp_t.gate_up_proj and down_proj, self_attn.qkv_proj and o_proj, or null and
                                ///< local.proj
  Parameter *gate_up_proj, *down_proj;
};

/// One layer's weights as right operands, packed once a step: every group reads them in every evaluation. The token
/// mixer's weights are left operands and are not here.
struct TrmLayerPacked {
  kernels::PackedB mix_in, mix_out, gate_up_proj, down_proj;
};

/// What is the same for every layer and group of one call.
struct TrmLayerContext {
  const TrmConfig* config;
  int64_t samples;          ///< of the group: c
  const float *cos, *sin;   ///< [L, D / heads / 2], attention with positions only, else null
  const int32_t* position;  ///< 0 .. L-1, likewise
  ThreadPool* pool;

  [[nodiscard]] int64_t rows() const { return config->positions_count() * samples; }
  [[nodiscard]] int64_t columns() const { return config->width * samples; }
  [[nodiscard]] bool bf16() const { return config->dtype == DType::kBF16; }
};

/// What the backward pass needs of one layer of one group (L c rows). Forward fills it; without a backward pass the
/// optional pointers are null and the others are scratch.
struct TrmLayerKept {
  float* mix = nullptr;  ///< mlp_t: gate | up [2 It, c D], fp32; attention: q | k | v [L, 3 D] after rotation
  kernels::bf16* mix_bf16 = nullptr;     ///< mlp_t in bf16: what is kept of `mix`, which is scratch then; optional
  Operand mixed;                         ///< what mix_out reads; attention: [L, D], local: [rows, 5 D]
  float* lse = nullptr;                  ///< attention: [heads, L]; optional
  int32_t* largest = nullptr;            ///< local: [c, D], see GatherNeighbours; optional
  float* mix_inverse = nullptr;          ///< mlp_t: [c D], else [rows]; optional
  Operand y;                             ///< behind the first norm
  float* hidden = nullptr;               ///< gate | up [rows, 2 I], fp32
  kernels::bf16* hidden_bf16 = nullptr;  ///< in bf16: what is kept of `hidden`, which is scratch then; optional
  float* inverse = nullptr;              ///< [rows]; optional
  Operand z;                             ///< the layer's output
};

/// Buffers of one thread, for groups of up to the planned number of samples.
struct TrmLayerScratch {
  Operand active;              ///< [It, c D] or [rows, I]
  float *sum, *y, *d, *wide;   ///< [rows, D] each; wide: fp32 [It, c D] or [rows, I] or [rows, 3 D] or
                               ///< [rows, 5 D]
  float* attention = nullptr;  ///< FullAttentionScratch
};

/// For the forward pass (kNT) or the backward pass (kNN).
void PackTrmLayer(const TrmConfig& config, const TrmLayerWeights& weights, kernels::MatMulOp op, TrmLayerPacked& packed,
                  ThreadPool& pool);

/// x [L, c, D] (fp32 and operand; in fp32 the same) -> out. `out.inverse` is set to kept.inverse here.
/// `packed` by PackTrmLayer(kNT).
void TrmLayerForward(const TrmLayerContext& context, const TrmLayerWeights& weights, const TrmLayerPacked& packed,
                     const float* x, Operand x_operand, const TrmLayerKept& kept, const TrmLayerScratch& scratch,
                     kernels::UnitNormOutput out);

/// The left operands of the four weight gradients, for the rows of one group.
struct TrmLayerDeltas {
  Operand out;         ///< of down_proj's output [rows, D]
  Operand active;      ///< its input, made again [rows, I]
  Operand mix_out;     ///< of mix_out's output [rows, D]
  Operand mix_active;  ///< mlp_t: its input, made again [It, c D]
  Operand qkv;         ///< attention: of mix_in's output [L, 3 D]
};

/// dz [L, c, D] becomes the gradient of the layer's input. kept.hidden and, with mlp_t, kept.mix become their
/// gradients. `packed` by PackTrmLayer(kNN).
void TrmLayerBackward(const TrmLayerContext& context, const TrmLayerWeights& weights, const TrmLayerPacked& packed,
                      const TrmLayerKept& kept, const TrmLayerScratch& scratch, const TrmLayerDeltas& deltas,
                      float* dz);

/// C = op(A, B) in the model's dtype, for the heads of the recursion as well.
void TrmMatMul(const TrmConfig& config, kernels::MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a,
               const void* b, float* c, const float* residual, bool accumulate, ThreadPool& pool);
/// The same with a packed B.
void TrmMatMul(const TrmConfig& config, kernels::MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a,
               const kernels::PackedB& b, float* c, const float* residual, ThreadPool& pool);
/// The buffer of a weight that matmuls of this model read.
const void* TrmWeight(const TrmConfig& config, const Parameter& parameter);

}  // namespace pintle
