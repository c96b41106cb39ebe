#include "models/trm/layer.h"

#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/rope.h"
#include "kernels/swiglu.h"
#include "kernels/swiglu_kept.h"
#include "models/trm/local_mixing.h"

namespace pintle {
namespace {

using kernels::bf16;
using kernels::MatMulOp;

kernels::FullAttentionShape AttentionShape(const TrmConfig& config) {
  const int64_t head_dim = config.width / config.heads;
  return {config.positions_count(), config.heads, head_dim, kernels::Rsqrt(static_cast<float>(head_dim)),
          config.profile};
}

// Queries and keys of a token lie side by side: together they are 2 * heads heads.
kernels::RopeShape RotationShape(const TrmConfig& config) {
  return {config.positions_count(), 2 * config.heads, config.width / config.heads,
          3 * config.width,         3 * config.width, 0};
}

kernels::MatMulShape Contiguous(MatMulOp op, int64_t m, int64_t n, int64_t k, bool accumulate) {
  return {op, m, n, k, op == MatMulOp::kTN ? m : k, op == MatMulOp::kNT ? k : n, n, accumulate};
}

// gate | up at `hidden`, `ld` apart, rows of `width` -> active.
void Activate(const float* gate, const float* up, int64_t ld, int64_t rows, int64_t width, const Operand& active,
              bf16* kept_gate, bf16* kept_up, ThreadPool& pool) {
  if (active.f32 != nullptr) {
    kernels::SwiGlu(gate, up, ld, rows, width, active.f32, nullptr, pool);
  } else {
    kernels::SwiGluKeep(gate, up, ld, rows, width, active.b16, kept_gate, kept_up, pool);
  }
}

// gate | up become their gradients, `active` is made again.
void ActivateBackward(const Operand& gate, int64_t to_up, int64_t ld, const float* dy, int64_t rows, int64_t width,
                      const Operand& active, ThreadPool& pool) {
  if (gate.f32 != nullptr) {
    kernels::SwiGluBackwardInPlace(gate.f32, gate.f32 + to_up, ld, dy, rows, width, active.f32, pool);
  } else {
    kernels::SwiGluBackwardInPlace(gate.b16, gate.b16 + to_up, ld, dy, rows, width, active.b16, pool);
  }
}

}  // namespace

void TrmMatMul(const TrmConfig& config, MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a, const void* b,
               float* c, const float* residual, bool accumulate, ThreadPool& pool) {
  const kernels::MatMulShape shape = Contiguous(op, m, n, k, accumulate);
  const kernels::Epilogue epilogue = {nullptr, residual};
  if (config.dtype == DType::kBF16) {
    kernels::MatMulBF16(shape, static_cast<const bf16*>(a), static_cast<const bf16*>(b), c, epilogue, pool);
  } else {
    kernels::MatMulF32(shape, config.profile, static_cast<const float*>(a), static_cast<const float*>(b), c, epilogue,
                       pool);
  }
}

void TrmMatMul(const TrmConfig& config, MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a,
               const kernels::PackedB& b, float* c, const float* residual, ThreadPool& pool) {
  const kernels::MatMulShape shape = Contiguous(op, m, n, k, false);
  const kernels::Epilogue epilogue = {nullptr, residual};
  if (config.dtype == DType::kBF16) {
    kernels::MatMulBF16(shape, static_cast<const bf16*>(a), b, c, epilogue, pool);
  } else {
    kernels::MatMulF32(shape, config.profile, static_cast<const float*>(a), b, c, epilogue, pool);
  }
}

void PackTrmLayer(const TrmConfig& config, const TrmLayerWeights& weights, MatMulOp op, TrmLayerPacked& packed,
                  ThreadPool& pool) {
  const auto pack = [&](const Parameter& weight, kernels::PackedB& to) {
    const int64_t out = weight.shape[0], in = weight.shape[1];
    const kernels::MatMulShape shape =
        op == MatMulOp::kNT ? Contiguous(op, 0, out, in, false) : Contiguous(op, 0, in, out, false);
    if (config.dtype == DType::kBF16) {
      to.PackBF16(shape, static_cast<const bf16*>(TrmWeight(config, weight)), pool);
    } else {
      to.PackF32(shape, config.profile, static_cast<const float*>(TrmWeight(config, weight)), pool);
    }
  };
  if (config.mixing == TrmMixing::kAttention) pack(*weights.mix_in, packed.mix_in);
  if (config.mixing != TrmMixing::kMlpT) pack(*weights.mix_out, packed.mix_out);
  pack(*weights.gate_up_proj, packed.gate_up_proj);
  pack(*weights.down_proj, packed.down_proj);
}

const void* TrmWeight(const TrmConfig& config, const Parameter& parameter) {
  return config.dtype == DType::kBF16 ? parameter.weight_bf16.data() : parameter.weight.data();
}

void TrmLayerForward(const TrmLayerContext& context, const TrmLayerWeights& weights, const TrmLayerPacked& packed,
                     const float* x, Operand x_operand, const TrmLayerKept& kept, const TrmLayerScratch& scratch,
                     kernels::UnitNormOutput out) {
  const TrmConfig& config = *context.config;
  ThreadPool& pool = *context.pool;
  const int64_t length = config.positions_count(), width = config.width;
  const int64_t rows = context.rows(), columns = context.columns();
  float* y = kept.y.f32 != nullptr ? kept.y.f32 : scratch.y;
  const kernels::UnitNormOutput middle = {y, kept.y.b16, kept.mix_inverse};

  if (config.mixing == TrmMixing::kMlpT) {
    const int64_t inner = config.Inner(length), to_up = inner * columns;
    TrmMatMul(config, MatMulOp::kNN, 2 * inner, columns, length, TrmWeight(config, *weights.mix_in), x_operand.data(),
              kept.mix, nullptr, false, pool);
    Activate(kept.mix, kept.mix + to_up, columns, inner, columns, scratch.active, kept.mix_bf16,
             kept.mix_bf16 != nullptr ? kept.mix_bf16 + to_up : nullptr, pool);
    TrmMatMul(config, MatMulOp::kNN, length, columns, inner, TrmWeight(config, *weights.mix_out), scratch.active.data(),
              scratch.sum, x, false, pool);
    kernels::UnitNormColumns(scratch.sum, kTrmNormEpsilon, length, columns, middle, pool);
  } else if (config.mixing == TrmMixing::kLocal) {
    GatherNeighbours(context, x_operand, kept.mixed, kept.largest);
    TrmMatMul(config, MatMulOp::kNT, rows, width, kTrmNeighbours * width, kept.mixed.data(), packed.mix_out,
              scratch.sum, x, pool);
    kernels::UnitNormRows(scratch.sum, kTrmNormEpsilon, rows, width, middle, pool);
  } else {
    TrmMatMul(config, MatMulOp::kNT, length, 3 * width, width, x_operand.data(), packed.mix_in, kept.mix, nullptr,
              pool);
    if (context.cos != nullptr) {
      kernels::RopeQkNorm(RotationShape(config), kept.mix, nullptr, context.cos, context.sin, context.position,
                          kept.mix, nullptr, pool);
    }
    float* attended = kept.mixed.f32 != nullptr ? kept.mixed.f32 : scratch.sum;
    kernels::FullAttention(AttentionShape(config), kept.mix, attended, kept.mixed.b16, kept.lse, scratch.attention,
                           pool);
    TrmMatMul(config, MatMulOp::kNT, length, width, width, kept.mixed.data(), packed.mix_out, scratch.sum, x, pool);
    kernels::UnitNormRows(scratch.sum, kTrmNormEpsilon, length, width, middle, pool);
  }

  const int64_t inner = config.Inner(width);
  TrmMatMul(config, MatMulOp::kNT, rows, 2 * inner, width, kept.y.data(), packed.gate_up_proj, kept.hidden, nullptr,
            pool);
  Activate(kept.hidden, kept.hidden + inner, 2 * inner, rows, inner, scratch.active, kept.hidden_bf16,
           kept.hidden_bf16 != nullptr ? kept.hidden_bf16 + inner : nullptr, pool);
  TrmMatMul(config, MatMulOp::kNT, rows, width, inner, scratch.active.data(), packed.down_proj, scratch.sum, y, pool);
  out.inverse = kept.inverse;
  kernels::UnitNormRows(scratch.sum, kTrmNormEpsilon, rows, width, out, pool);
}

void TrmLayerBackward(const TrmLayerContext& context, const TrmLayerWeights& weights, const TrmLayerPacked& packed,
                      const TrmLayerKept& kept, const TrmLayerScratch& scratch, const TrmLayerDeltas& deltas,
                      float* dz) {
  const TrmConfig& config = *context.config;
  ThreadPool& pool = *context.pool;
  const int64_t length = config.positions_count(), width = config.width;
  const int64_t rows = context.rows(), columns = context.columns();
  const bool bf16_mode = context.bf16();

  const int64_t inner = config.Inner(width);
  float* d_out = deltas.out.f32 != nullptr ? deltas.out.f32 : scratch.d;
  kernels::UnitNormRowsBackward(kept.z.kept(), kept.inverse, dz, rows, width, d_out, deltas.out.b16, pool);
  TrmMatMul(config, MatMulOp::kNN, rows, inner, width, deltas.out.data(), packed.down_proj, scratch.wide, nullptr,
            pool);
  const Operand hidden = bf16_mode ? Operand{nullptr, kept.hidden_bf16} : Operand{kept.hidden, nullptr};
  ActivateBackward(hidden, inner, 2 * inner, scratch.wide, rows, inner, deltas.active, pool);
  TrmMatMul(config, MatMulOp::kNN, rows, width, 2 * inner, hidden.data(), packed.gate_up_proj, scratch.y, d_out, pool);

  float* d_mix = deltas.mix_out.f32 != nullptr ? deltas.mix_out.f32 : scratch.d;
  if (config.mixing == TrmMixing::kMlpT) {
    const int64_t mix_inner = config.Inner(length);
    kernels::UnitNormColumnsBackward(kept.y.kept(), kept.mix_inverse, scratch.y, length, columns, d_mix,
                                     deltas.mix_out.b16, pool);
    TrmMatMul(config, MatMulOp::kTN, mix_inner, columns, length, TrmWeight(config, *weights.mix_out),
              deltas.mix_out.data(), scratch.wide, nullptr, false, pool);
    const Operand mix = bf16_mode ? Operand{nullptr, kept.mix_bf16} : Operand{kept.mix, nullptr};
    ActivateBackward(mix, mix_inner * columns, columns, scratch.wide, mix_inner, columns, deltas.mix_active, pool);
    TrmMatMul(config, MatMulOp::kTN, length, columns, 2 * mix_inner, TrmWeight(config, *weights.mix_in), mix.data(), dz,
              d_mix, false, pool);
    return;
  }
  kernels::UnitNormRowsBackward(kept.y.kept(), kept.mix_inverse, scratch.y, rows, width, d_mix, deltas.mix_out.b16,
                                pool);
  if (config.mixing == TrmMixing::kLocal) {
    TrmMatMul(config, MatMulOp::kNN, rows, kTrmNeighbours * width, width, deltas.mix_out.data(), packed.mix_out,
              scratch.wide, nullptr, pool);
    NeighbourGradients(context, scratch.wide, kept.largest, d_mix, dz);
  } else {
    TrmMatMul(config, MatMulOp::kNN, length, width, width, deltas.mix_out.data(), packed.mix_out, scratch.y, nullptr,
              pool);
    float* d_qkv = deltas.qkv.f32 != nullptr ? deltas.qkv.f32 : scratch.wide;
    kernels::FullAttentionBackward(AttentionShape(config), kept.mix, kept.lse, scratch.y, d_qkv, scratch.attention,
                                   pool);
    if (context.cos != nullptr) {
      kernels::RopeQkNormBackward(RotationShape(config), kept.mix, nullptr, nullptr, context.cos, context.sin,
                                  context.position, d_qkv, d_qkv, nullptr, nullptr, nullptr, pool);
    }
    if (bf16_mode) kernels::ConvertF32ToBF16(d_qkv, deltas.qkv.b16, length * 3 * width, pool);
    TrmMatMul(config, MatMulOp::kNN, length, width, 3 * width, deltas.qkv.data(), packed.mix_in, dz, d_mix, pool);
  }
}

}  // namespace pintle
