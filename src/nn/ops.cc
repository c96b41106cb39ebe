#include "nn/ops.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/check.h"
#include "kernels/attention.h"
#include "kernels/embedding.h"
#include "kernels/math.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/swiglu.h"
#include "nn/stored_ops.h"

namespace pintle {
namespace {

using kernels::bf16;
using kernels::MatMulOp;

// C = op(A, B) in the tape's dtype; the operands are its fp32 or bf16 buffers.
void MatMul(DType dtype, kernels::Profile profile, MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a,
            const void* b, float* c, bool accumulate, const float* residual, ThreadPool& pool) {
  const int64_t lda = op == MatMulOp::kTN ? m : k;
  const int64_t ldb = op == MatMulOp::kNT ? k : n;
  const kernels::MatMulShape shape = {op, m, n, k, lda, ldb, n, accumulate};
  const kernels::Epilogue epilogue = {nullptr, residual};
  if (dtype == DType::kBF16) {
    kernels::MatMulBF16(shape, static_cast<const bf16*>(a), static_cast<const bf16*>(b), c, epilogue, pool);
  } else {
    kernels::MatMulF32(shape, profile, static_cast<const float*>(a), static_cast<const float*>(b), c, epilogue, pool);
  }
}

void TapeMatMul(const Tape& tape, MatMulOp op, int64_t m, int64_t n, int64_t k, const void* a, const void* b, float* c,
                bool accumulate = false, const float* residual = nullptr) {
  MatMul(tape.options().dtype, tape.options().profile, op, m, n, k, a, b, c, accumulate, residual, tape.pool());
}

// The buffers that matmuls of this tape read: a value, its gradient, a weight.
Slot Operand(const Tape& tape, const Value& value) { return tape.bf16() ? value.bf16 : value.f32; }
Slot GradientOperand(const Tape& tape, const Value& value) {
  return tape.bf16() ? value.gradient_bf16 : value.gradient;
}
const void* WeightOperand(DType dtype, const Parameter& parameter) {
  return dtype == DType::kBF16 ? parameter.weight_bf16.data() : parameter.weight.data();
}

class EmbeddingOp final : public Op {
 public:
  EmbeddingOp(Tape& tape, Var ids, Parameter& table, Var y)
      : Op(OpKind::kElementwise), ids_(ids), table_(&table), y_(tape.value(y)) {
    outputs = forward_slots = {y_.f32};
    backward_slots = {y_.gradient};
  }
  void Forward(const Tape& tape) const override {
    kernels::Embedding(table_->weight.f32(), tape.InputData(ids_), tape.rows(), y_.columns, tape.Get<float>(y_.f32),
                       nullptr, tape.pool());
  }
  void Backward(const Tape& tape) const override {
    const Tensor& gradient = table_->second_gradient.empty() ? table_->gradient : table_->second_gradient;
    kernels::EmbeddingBackward(tape.Get<float>(y_.gradient), tape.InputData(ids_), tape.rows(), y_.columns,
                               gradient.f32(), tape.pool());
  }

 private:
  Var ids_;
  Parameter* table_;
  Value y_;
};

class RmsNormOp final : public Op {
 public:
  RmsNormOp(Tape& tape, Var x, Parameter& gain, double epsilon, Var y)
      : Op(OpKind::kElementwise),
        x_var_(x),
        gain_(&gain),
        epsilon_(static_cast<float>(epsilon)),
        x_(tape.value(x)),
        y_(tape.value(y)),
        inverse_norm_(tape.NewSlot(tape.max_rows() * 4)),
        scratch_(tape.NewSlot(kernels::RmsNormBackwardScratch(tape.max_rows(), x_.columns) * 4)) {
    outputs = {Operand(tape, y_), inverse_norm_};
    forward_slots = {x_.f32, Operand(tape, y_), inverse_norm_};
    backward_slots = {x_.f32, inverse_norm_, y_.gradient, x_.gradient, scratch_};
    if (WritesBF16(tape)) backward_slots.push_back(x_.gradient_bf16);
  }
  void Forward(const Tape& tape) const override {
    kernels::RmsNorm(tape.Get<float>(x_.f32), gain_->weight.f32(), epsilon_, tape.rows(), x_.columns,
                     tape.bf16() ? nullptr : tape.Get<float>(y_.f32), tape.bf16() ? tape.Get<bf16>(y_.bf16) : nullptr,
                     tape.Get<float>(inverse_norm_), tape.pool());
  }
  void Backward(const Tape& tape) const override {
    float* dx = tape.Get<float>(x_.gradient);
    kernels::RmsNormBackward(tape.Get<float>(x_.f32), gain_->weight.f32(), tape.Get<float>(inverse_norm_),
                             tape.Get<float>(y_.gradient), tape.rows(), x_.columns,
                             tape.value(x_var_).residual ? dx : nullptr, dx,
                             WritesBF16(tape) ? tape.Get<bf16>(x_.gradient_bf16) : nullptr, gain_->gradient.f32(),
                             tape.Get<float>(scratch_), tape.pool());
  }

 private:
  [[nodiscard]] bool WritesBF16(const Tape& tape) const { return tape.bf16() && x_.from_linear; }

  Var x_var_;
  Parameter* gain_;
  float epsilon_;
  Value x_, y_;
  Slot inverse_norm_, scratch_;
};

class LinearOp final : public Op {
 public:
  LinearOp(Tape& tape, Var x, Parameter& first, int64_t rows, Var residual, Var y)
      : Op(OpKind::kLinear),
        weight_(&first),
        n_(rows),
        x_(tape.value(x)),
        y_(tape.value(y)),
        residual_(residual.valid() ? tape.value(residual).f32 : -1) {
    outputs = {y_.f32};
    forward_slots = {Operand(tape, x_), y_.f32};
    if (residual_ >= 0) forward_slots.push_back(residual_);
    backward_slots = {Operand(tape, x_), GradientOperand(tape, y_), x_.gradient};
    // The residual's gradient is y's own buffer: it must stay until the residual's producer has run.
    if (residual_ >= 0) backward_slots.push_back(y_.gradient);
  }
  void Forward(const Tape& tape) const override {
    TapeMatMul(tape, MatMulOp::kNT, tape.rows(), n_, x_.columns, tape.Data(Operand(tape, x_)),
               WeightOperand(tape.options().dtype, *weight_), tape.Get<float>(y_.f32), false,
               residual_ >= 0 ? tape.Get<float>(residual_) : nullptr);
  }
  void Backward(const Tape& tape) const override {
    const void* dy = tape.Data(GradientOperand(tape, y_));
    TapeMatMul(tape, MatMulOp::kNN, tape.rows(), x_.columns, n_, dy, WeightOperand(tape.options().dtype, *weight_),
               tape.Get<float>(x_.gradient));
    TapeMatMul(tape, MatMulOp::kTN, n_, x_.columns, tape.rows(), dy, tape.Data(Operand(tape, x_)),
               weight_->gradient.f32(), true);
  }

 private:
  Parameter* weight_;
  int64_t n_;
  Value x_, y_;
  Slot residual_;
};

class SwiGluOp final : public Op {
 public:
  SwiGluOp(Tape& tape, Var x, Var y) : Op(OpKind::kElementwise), x_(tape.value(x)), y_(tape.value(y)) {
    outputs = {Operand(tape, y_)};
    forward_slots = {x_.f32, Operand(tape, y_)};
    backward_slots = {x_.f32, y_.gradient, GradientOperand(tape, x_)};
  }
  void Forward(const Tape& tape) const override {
    const float* gate = tape.Get<float>(x_.f32);
    kernels::SwiGlu(gate, gate + y_.columns, x_.columns, tape.rows(), y_.columns,
                    tape.bf16() ? nullptr : tape.Get<float>(y_.f32), tape.bf16() ? tape.Get<bf16>(y_.bf16) : nullptr,
                    tape.pool());
  }
  void Backward(const Tape& tape) const override {
    const float* gate = tape.Get<float>(x_.f32);
    const int64_t width = y_.columns;
    float* dx = tape.bf16() ? nullptr : tape.Get<float>(x_.gradient);
    bf16* dx_bf16 = tape.bf16() ? tape.Get<bf16>(x_.gradient_bf16) : nullptr;
    kernels::SwiGluBackward(gate, gate + width, x_.columns, tape.Get<float>(y_.gradient), tape.rows(), width, dx,
                            dx != nullptr ? dx + width : nullptr, dx_bf16,
                            dx_bf16 != nullptr ? dx_bf16 + width : nullptr, tape.pool());
  }

 private:
  Value x_, y_;
};

// Both forms of self-attention: QK-norm and RoPE are common, then either the batch's own keys or the cache's.
class AttentionOp final : public Op {
 public:
  AttentionOp(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain, Var positions,
              Var documents, int64_t layer, Var y)
      : Op(OpKind::kAttention),
        config_(config),
        q_gain_(q_gain),
        k_gain_(k_gain),
        positions_(positions),
        documents_(documents),
        layer_(layer),
        qkv_(tape.value(qkv)),
        y_(tape.value(y)) {
    const int64_t rows = tape.max_rows();
    const int64_t q_bytes = rows * QColumns() * 4, k_bytes = rows * KColumns() * 4;
    const kernels::AttentionShape shape = AttentionShape(tape);
    q_ = tape.NewSlot(q_bytes);
    k_ = tape.NewSlot(k_bytes);
    q_norm_ = tape.NewSlot(rows * config.heads * 4);
    k_norm_ = tape.NewSlot(rows * config.kv_heads * 4);
    lse_ = tape.NewSlot(rows * config.heads * 4);
    dq_ = tape.NewSlot(q_bytes);
    dk_ = tape.NewSlot(k_bytes);
    scratch_ = tape.NewSlot(
        4 * (layer < 0 ? kernels::AttentionScratch(shape) : kernels::AttentionCachedScratch(shape, tape.pool())));
    backward_scratch_ = tape.NewSlot(kernels::AttentionBackwardScratch(shape) * 4);
    rope_scratch_ = tape.NewSlot(kernels::RopeQkNormBackwardScratch(rows, config.head_dim) * 4);
    outputs = {y_.f32, q_, k_, q_norm_, k_norm_, lse_};
    forward_slots = {qkv_.f32, y_.f32, q_, k_, q_norm_, k_norm_, lse_, scratch_};
    if (tape.bf16()) {
      outputs.push_back(y_.bf16);
      forward_slots.push_back(y_.bf16);
    }
    backward_slots = {qkv_.f32,    y_.f32,        q_,  k_,  q_norm_,           k_norm_,      lse_,
                      y_.gradient, qkv_.gradient, dq_, dk_, backward_scratch_, rope_scratch_};
    if (tape.bf16()) backward_slots.push_back(qkv_.gradient_bf16);
  }

  void Forward(const Tape& tape) const override {
    const float* qkv = tape.Get<float>(qkv_.f32);
    float* q = tape.Get<float>(q_);
    float* k = tape.Get<float>(k_);
    const float* v = qkv + QColumns() + KColumns();
    const int32_t* position = tape.InputData(positions_);
    kernels::RopeQkNorm(QShape(tape), qkv, Gain(q_gain_), config_.cos, config_.sin, position, q,
                        tape.Get<float>(q_norm_), tape.pool());
    kernels::RopeQkNorm(KShape(tape), qkv + QColumns(), Gain(k_gain_), config_.cos, config_.sin, position, k,
                        tape.Get<float>(k_norm_), tape.pool());
    float* o = tape.Get<float>(y_.f32);
    bf16* o_bf16 = tape.bf16() ? tape.Get<bf16>(y_.bf16) : nullptr;
    if (layer_ < 0) {
      kernels::Attention(AttentionShape(tape), q, k, v, tape.InputData(documents_), o, o_bf16, tape.Get<float>(lse_),
                         tape.Get<float>(scratch_), tape.pool());
      return;
    }
    std::array<kernels::CachedSequence, kMaxKvSequences> sequences;
    int64_t count = 0, row = 0;
    for (const KvSequence& sequence : tape.kv()) {
      kernels::CachedSequence& cached = sequences.at(static_cast<size_t>(count++));
      cached = {sequence.rows, sequence.first_position, sequence.pages[layer_], sequence.type};
      kernels::AppendKv(cached, config_.kv_heads, config_.head_dim, k + row * KColumns(), KColumns(),
                        v + row * qkv_.columns, qkv_.columns, tape.pool());
      row += sequence.rows;
    }
    kernels::AttentionCached(AttentionShape(tape), sequences.data(), count, q, o, o_bf16, tape.Get<float>(scratch_),
                             tape.pool());
  }

  void Backward(const Tape& tape) const override {
    const float* qkv = tape.Get<float>(qkv_.f32);
    float* dqkv = tape.Get<float>(qkv_.gradient);
    float* dq = tape.Get<float>(dq_);
    float* dk = tape.Get<float>(dk_);
    bf16* dqkv_bf16 = tape.bf16() ? tape.Get<bf16>(qkv_.gradient_bf16) : nullptr;
    const auto bf16_at = [&](int64_t column) { return dqkv_bf16 == nullptr ? nullptr : dqkv_bf16 + column; };
    const auto f32_at = [&](int64_t column) { return dqkv_bf16 == nullptr ? dqkv + column : nullptr; };
    const int32_t* position = tape.InputData(positions_);
    const int64_t v_column = QColumns() + KColumns();
    // v has no norm and no rotation: its gradient goes straight to its place in dqkv.
    kernels::AttentionBackward(AttentionShape(tape), tape.Get<float>(q_), tape.Get<float>(k_), qkv + v_column,
                               tape.InputData(documents_), tape.Get<float>(y_.f32), tape.Get<float>(lse_),
                               tape.Get<float>(y_.gradient), dq, dk, dqkv + v_column,
                               tape.Get<float>(backward_scratch_), tape.pool(), bf16_at(v_column));
    float* scratch = tape.Get<float>(rope_scratch_);
    kernels::RopeQkNormBackward(QShape(tape), qkv, q_gain_->weight.f32(), tape.Get<float>(q_norm_), config_.cos,
                                config_.sin, position, dq, f32_at(0), bf16_at(0), q_gain_->gradient.f32(), scratch,
                                tape.pool());
    kernels::RopeQkNormBackward(KShape(tape), qkv + QColumns(), k_gain_->weight.f32(), tape.Get<float>(k_norm_),
                                config_.cos, config_.sin, position, dk, f32_at(QColumns()), bf16_at(QColumns()),
                                k_gain_->gradient.f32(), scratch, tape.pool());
  }

 private:
  static const float* Gain(const Parameter* gain) { return gain == nullptr ? nullptr : gain->weight.f32(); }
  [[nodiscard]] int64_t QColumns() const { return config_.heads * config_.head_dim; }
  [[nodiscard]] int64_t KColumns() const { return config_.kv_heads * config_.head_dim; }
  [[nodiscard]] kernels::RopeShape QShape(const Tape& tape) const {
    return {tape.rows(),  config_.heads, config_.head_dim,
            qkv_.columns, QColumns(),    static_cast<float>(config_.epsilon)};
  }
  [[nodiscard]] kernels::RopeShape KShape(const Tape& tape) const {
    return {tape.rows(),  config_.kv_heads, config_.head_dim,
            qkv_.columns, KColumns(),       static_cast<float>(config_.epsilon)};
  }
  [[nodiscard]] kernels::AttentionShape AttentionShape(const Tape& tape) const {
    kernels::AttentionShape shape;
    shape.batch = tape.options().batch;
    shape.time = tape.options().time;
    shape.heads = config_.heads;
    shape.kv_heads = config_.kv_heads;
    shape.head_dim = config_.head_dim;
    shape.ldq = shape.ldo = QColumns();
    shape.ldk = KColumns();
    shape.ldv = qkv_.columns;
    shape.scale = config_.scale > 0 ? config_.scale : kernels::Rsqrt(static_cast<float>(config_.head_dim));
    shape.profile = tape.options().profile;
    shape.window = config_.window;
    return shape;
  }

  AttentionConfig config_;
  Parameter *q_gain_, *k_gain_;
  Var positions_, documents_;
  int64_t layer_;  // of the cache; -1: the batch form
  Value qkv_, y_;
  Slot q_, k_, q_norm_, k_norm_, lse_, dq_, dk_, scratch_, backward_scratch_, rope_scratch_;
};

class HeadLossOp final : public Op {
 public:
  HeadLossOp(Tape& tape, Var x, Parameter& head, Var targets)
      : Op(OpKind::kHead), head_(&head), targets_(targets), x_(tape.value(x)) {
    const int64_t rows = std::min(kHeadChunk, tape.max_rows());
    logits_ = tape.NewSlot(rows * Vocab() * 4);
    losses_ = tape.NewSlot(rows * 4);
    dlogits_ = tape.NewSlot(rows * Vocab() * 2);
    forward_slots = {Operand(tape, x_), logits_, losses_};
    if (tape.options().training) {
      forward_slots.push_back(x_.gradient);
      if (tape.bf16()) forward_slots.push_back(dlogits_);
    }
  }
  void Forward(const Tape& tape) const override {
    for (int64_t first = 0; first < tape.rows(); first += kHeadChunk) {
      Chunk(tape, first, std::min(kHeadChunk, tape.rows() - first));
    }
  }
  void Backward(const Tape& /*tape*/) const override {}  // each chunk's gradients are made while its logits exist

 private:
  [[nodiscard]] int64_t Vocab() const { return head_->shape[0]; }

  void Chunk(const Tape& tape, int64_t first, int64_t rows) const {
    const int64_t width = x_.columns;
    const DType dtype = tape.options().dtype;
    const char* x = tape.Get<char>(Operand(tape, x_)) + first * width * ElementSize(dtype);
    const int32_t* targets = tape.InputData(targets_) + first;
    float* logits = tape.Get<float>(logits_);
    float* losses = tape.Get<float>(losses_);
    ApplyHead(dtype, tape.options().profile, x, rows, *head_, logits, tape.pool());
    if (tape.options().training) {
      bf16* dlogits_bf16 = tape.bf16() ? tape.Get<bf16>(dlogits_) : nullptr;
      kernels::SoftmaxCrossEntropy(logits, Vocab(), targets, rows, Vocab(), tape.gradient_scale(), losses, dlogits_bf16,
                                   tape.pool());
      const void* dlogits = tape.bf16() ? static_cast<const void*>(dlogits_bf16) : logits;
      TapeMatMul(tape, MatMulOp::kNN, rows, width, Vocab(), dlogits, WeightOperand(dtype, *head_),
                 tape.Get<float>(x_.gradient) + first * width);
      TapeMatMul(tape, MatMulOp::kTN, Vocab(), width, rows, dlogits, x, head_->gradient.f32(), true);
    } else {
      kernels::SoftmaxCrossEntropyLoss(logits, Vocab(), targets, rows, Vocab(), losses, tape.pool());
    }
    for (int64_t row = 0; row < rows; ++row) *tape.loss_sum += static_cast<double>(losses[row]);
  }

  Parameter* head_;
  Var targets_;
  Value x_;
  Slot logits_, losses_, dlogits_;
};

}  // namespace

Var Embedding(Tape& tape, Var ids, Parameter& table) {
  if (IsStored(table)) return StoredEmbedding(tape, ids, table);
  const Var y = tape.NewValue(table.shape[1], false);
  tape.Record(std::make_unique<EmbeddingOp>(tape, ids, table, y));
  return y;
}

Var RmsNorm(Tape& tape, Var x, Parameter& gain, double epsilon) {
  PINTLE_CHECK(gain.shape[0] == tape.value(x).columns, "RmsNorm: gain " + gain.shape.ToString());
  const Var y = tape.NewValue(tape.value(x).columns, false);
  tape.Record(std::make_unique<RmsNormOp>(tape, x, gain, epsilon, y));
  return y;
}

Var Linear(Tape& tape, Var x, std::span<Parameter* const> weights, Var residual, std::span<Parameter* const> biases) {
  const bool stored = std::any_of(weights.begin(), weights.end(), [](const Parameter* p) { return IsStored(*p); });
  if (stored || !biases.empty()) return StoredLinear(tape, x, weights, residual, biases);
  int64_t rows = 0;
  for (const Parameter* weight : weights) {
    PINTLE_CHECK(weight->shape.rank() == 2 && weight->shape[1] == tape.value(x).columns &&
                     weight->weight.f32() == weights[0]->weight.f32() + rows * weight->shape[1],
                 "Linear: " + weight->name + " " + weight->shape.ToString() + " on " +
                     std::to_string(tape.value(x).columns) + " columns");
    rows += weight->shape[0];
  }
  const Var y = tape.NewValue(rows, true);
  if (residual.valid()) {
    Value& from = tape.value(residual);
    PINTLE_CHECK(from.columns == rows && !from.residual,
                 "Linear: the residual has the output's shape and one such use");
    from.residual = true;
    tape.value(y).gradient = from.gradient;
  }
  tape.Record(std::make_unique<LinearOp>(tape, x, *weights[0], rows, residual, y));
  return y;
}

Var SwiGlu(Tape& tape, Var gate_up) {
  const Var y = tape.NewValue(tape.value(gate_up).columns / 2, false);
  tape.Record(std::make_unique<SwiGluOp>(tape, gate_up, y));
  return y;
}

namespace {

Var RecordAttention(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain,
                    Var positions, Var documents, int64_t layer) {
  PINTLE_CHECK(tape.value(qkv).columns == (config.heads + 2 * config.kv_heads) * config.head_dim,
               "Attention on " + std::to_string(tape.value(qkv).columns) + " columns");
  PINTLE_CHECK(config.window == 0 || !tape.options().training, "a sliding window is not trained");
  const Var y = tape.NewValue(config.heads * config.head_dim, false);
  tape.Record(std::make_unique<AttentionOp>(tape, qkv, config, q_gain, k_gain, positions, documents, layer, y));
  return y;
}

}  // namespace

Var Attention(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain, Var positions,
              Var documents) {
  return RecordAttention(tape, qkv, config, q_gain, k_gain, positions, documents, -1);
}

Var AttentionWithCache(Tape& tape, Var qkv, const AttentionConfig& config, Parameter* q_gain, Parameter* k_gain,
                       Var positions, int64_t layer) {
  PINTLE_CHECK(!tape.options().training, "the cache is not for training");
  return RecordAttention(tape, qkv, config, q_gain, k_gain, positions, {}, layer);
}

void HeadLoss(Tape& tape, Var x, Parameter& head, Var targets) {
  PINTLE_CHECK(head.shape[1] == tape.value(x).columns, "HeadLoss: " + head.shape.ToString());
  tape.Record(std::make_unique<HeadLossOp>(tape, x, head, targets));
}

void ApplyHead(DType dtype, kernels::Profile profile, const void* x, int64_t rows, const Parameter& head, float* logits,
               ThreadPool& pool) {
  MatMul(dtype, profile, MatMulOp::kNT, rows, head.shape[0], head.shape[1], x, WeightOperand(dtype, head), logits,
         false, nullptr, pool);
}

}  // namespace pintle
