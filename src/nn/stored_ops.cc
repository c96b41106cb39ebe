#include "nn/stored_ops.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/check.h"
#include "kernels/matmul.h"

namespace pintle {
namespace {

using kernels::bf16;

// An op without a backward pass.
class ForwardOp : public Op {
 public:
  using Op::Op;
  void Backward(const Tape& /*tape*/) const override { PINTLE_CHECK(false, "stored weights are not trained"); }
};

class StoredLinearOp final : public ForwardOp {
 public:
  StoredLinearOp(Tape& tape, Var x, std::span<Parameter* const> weights, Var residual,
                 std::span<Parameter* const> biases, Var y)
      : ForwardOp(OpKind::kLinear),
        weights_(weights.begin(), weights.end()),
        x_(tape.value(x)),
        y_(tape.value(y)),
        residual_(residual.valid() ? tape.value(residual).f32 : -1) {
    for (size_t i = 0; i < weights_.size(); ++i) {
      const float* bias = biases.empty() ? nullptr : biases[i]->weight.f32();
      parts_.push_back({weights_[i]->quant, bias});
      quantised_ = quantised_ || parts_.back().matrix.panels != nullptr;
    }
    const Slot in = tape.bf16() ? x_.bf16 : x_.f32;
    PINTLE_CHECK(!quantised_ || !tape.bf16(), "quantised matrices take fp32 values");
    scratch_ = tape.NewSlot(quantised_ ? kernels::QuantActivationBytes(tape.max_rows(), x_.columns) : 0);
    outputs = {y_.f32};
    forward_slots = {in, y_.f32, scratch_};
    if (residual_ >= 0) forward_slots.push_back(residual_);
  }

  void Forward(const Tape& tape) const override {
    const int64_t rows = tape.rows(), k = x_.columns, n = y_.columns;
    float* y = tape.Get<float>(y_.f32);
    const float* residual = residual_ >= 0 ? tape.Get<float>(residual_) : nullptr;
    kernels::QuantActivations x;
    if (quantised_) {
      x = kernels::PlaceQuantActivations(tape.Data(scratch_), rows, k);
      kernels::QuantizeActivations(tape.Get<float>(x_.f32), k, rows, x, tape.pool());
    }
    int64_t column = 0;
    for (size_t first = 0; first < parts_.size();) {
      // Quantised matrices that follow each other are one call.
      size_t end = first;
      while (end < parts_.size() && parts_[end].matrix.panels != nullptr) ++end;
      const float* add = residual == nullptr ? nullptr : residual + column;
      if (end > first) {
        kernels::QuantMatMul({parts_.data() + first, end - first}, x, rows, y + column, n, add, tape.pool());
        for (; first < end; ++first) column += weights_[first]->shape[0];
        continue;
      }
      const Parameter& weight = *weights_[first];
      const kernels::MatMulShape shape = {kernels::MatMulOp::kNT, rows, weight.shape[0], k, k, k, n};
      const kernels::Epilogue epilogue = {parts_[first].bias, add};
      if (tape.bf16()) {
        kernels::MatMulBF16(shape, tape.Get<bf16>(x_.bf16), weight.weight_bf16.bf16(), y + column, epilogue,
                            tape.pool());
      } else {
        kernels::MatMulF32(shape, tape.options().profile, tape.Get<float>(x_.f32), weight.weight.f32(), y + column,
                           epilogue, tape.pool());
      }
      column += weight.shape[0];
      ++first;
    }
  }

 private:
  std::vector<Parameter*> weights_;
  std::vector<kernels::QuantPart> parts_;  // no panels: a matrix of floats
  Value x_, y_;
  Slot residual_, scratch_ = -1;
  bool quantised_ = false;
};

class StoredEmbeddingOp final : public ForwardOp {
 public:
  StoredEmbeddingOp(Tape& tape, Var ids, Parameter& table, Var y)
      : ForwardOp(OpKind::kElementwise), ids_(ids), table_(&table), y_(tape.value(y)) {
    outputs = forward_slots = {y_.f32};
  }
  void Forward(const Tape& tape) const override {
    float* y = tape.Get<float>(y_.f32);
    const int32_t* ids = tape.InputData(ids_);
    if (table_->quant.panels != nullptr) {
      kernels::QuantEmbedding(table_->quant, ids, tape.rows(), y, tape.pool());
      return;
    }
    const int64_t width = y_.columns;
    const bf16* table = table_->weight_bf16.bf16();
    tape.pool().ParallelFor(tape.rows(), [&](int64_t row) {
      for (int64_t i = 0; i < width; ++i) {
        const uint32_t bits = static_cast<uint32_t>(table[ids[row] * width + i]) << 16;
        std::memcpy(y + row * width + i, &bits, 4);
      }
    });
  }

 private:
  Var ids_;
  Parameter* table_;
  Value y_;
};

class MoveHeadsOp final : public ForwardOp {
 public:
  MoveHeadsOp(Tape& tape, Var x, int64_t heads, int64_t head_dim, bool spread, Var y)
      : ForwardOp(OpKind::kElementwise),
        heads_(heads),
        half_(head_dim / 2),
        padded_half_(PaddedHeadDim(head_dim) / 2),
        spread_(spread),
        x_(tape.value(x)),
        y_(tape.value(y)) {
    PINTLE_CHECK(!tape.bf16(), "heads are moved in fp32");
    outputs = {y_.f32};
    forward_slots = {x_.f32, y_.f32};
  }
  void Forward(const Tape& tape) const override {
    const int64_t from_step = spread_ ? half_ : padded_half_, to_step = spread_ ? padded_half_ : half_;
    for (int64_t row = 0; row < tape.rows(); ++row) {
      const float* from = tape.Get<float>(x_.f32) + row * x_.columns;
      float* to = tape.Get<float>(y_.f32) + row * y_.columns;
      for (int64_t piece = 0; piece < 2 * heads_; ++piece, from += from_step, to += to_step) {
        std::copy(from, from + half_, to);
        std::fill(to + half_, to + to_step, 0.0f);
      }
    }
  }

 private:
  int64_t heads_, half_, padded_half_;
  bool spread_;
  Value x_, y_;
};

Var MoveHeads(Tape& tape, Var x, int64_t heads, int64_t head_dim, bool spread) {
  const Var y = tape.NewValue(heads * (spread ? PaddedHeadDim(head_dim) : head_dim), false);
  tape.Record(std::make_unique<MoveHeadsOp>(tape, x, heads, head_dim, spread, y));
  return y;
}

}  // namespace

Var StoredLinear(Tape& tape, Var x, std::span<Parameter* const> weights, Var residual,
                 std::span<Parameter* const> biases) {
  PINTLE_CHECK(!tape.options().training, "stored weights are not trained");
  PINTLE_CHECK(biases.empty() || biases.size() == weights.size(), "one bias a matrix");
  int64_t rows = 0;
  for (const Parameter* weight : weights) {
    PINTLE_CHECK(weight->shape.rank() == 2 && weight->shape[1] == tape.value(x).columns,
                 "Linear: " + weight->name + " " + weight->shape.ToString());
    rows += weight->shape[0];
  }
  const Var y = tape.NewValue(rows, true);
  tape.Record(std::make_unique<StoredLinearOp>(tape, x, weights, residual, biases, y));
  return y;
}

Var StoredEmbedding(Tape& tape, Var ids, Parameter& table) {
  PINTLE_CHECK(!tape.options().training, "stored weights are not trained");
  const Var y = tape.NewValue(table.shape[1], false);
  tape.Record(std::make_unique<StoredEmbeddingOp>(tape, ids, table, y));
  return y;
}

Var SpreadHeads(Tape& tape, Var x, int64_t heads, int64_t head_dim) {
  return MoveHeads(tape, x, heads, head_dim, true);
}
Var GatherHeads(Tape& tape, Var x, int64_t heads, int64_t head_dim) {
  return MoveHeads(tape, x, heads, head_dim, false);
}

int64_t StoredHeadScratch(const Parameter& head, int64_t rows) {
  return kernels::QuantActivationBytes(rows, head.shape[1]);
}

void ApplyStoredHead(const float* x, int64_t rows, const Parameter& head, float* logits, void* scratch,
                     ThreadPool& pool) {
  const kernels::QuantActivations q = kernels::PlaceQuantActivations(scratch, rows, head.shape[1]);
  kernels::QuantizeActivations(x, head.shape[1], rows, q, pool);
  const kernels::QuantPart part{head.quant, nullptr};
  kernels::QuantMatMul({&part, 1}, q, rows, logits, head.shape[0], nullptr, pool);
}

}  // namespace pintle
