// The loss and the way back along the chain of evaluations; see recursion.h.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/elementwise.h"
#include "kernels/stablemax.h"
#include "models/trm/recursion_impl.h"

namespace pintle {

using kernels::bf16;
using kernels::MatMulOp;

// Loss of the group's slots; their part of dlogits, and the head's part of dz.
void TrmRecursion::Impl::Loss(const TrmBatch& batch, double gradient_scale, int64_t first, int64_t count,
                              const TrmAnswer& answer, TrmScratch& s, ThreadPool& threads,
                              std::vector<TrmSlotScore>& scores, std::vector<float>& q_gradient) const {
  const int64_t cells = config.cells, vocab = config.vocab, width = config.width;
  const Operand d = dlogits.Offset(first * cells * vocab);
  float* dz_group = dz + first * Cells();
  std::memset(dz_group, 0, static_cast<size_t>(config.prefix * count * width) * sizeof(float));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t slot = first + i;
    const int32_t* labels = batch.labels.data() + slot * cells;
    TrmSlotScore& score = scores[static_cast<size_t>(slot)];
    score = {};
    for (int64_t cell = 0; cell < cells; ++cell) score.cells += labels[cell] >= 0 && labels[cell] < vocab ? 1 : 0;
    const double divisor = static_cast<double>(std::max<int64_t>(1, score.cells));
    for (int64_t cell = 0; cell < cells; ++cell) {
      const int64_t at = (cell * count + i) * vocab;
      const float* logits = s.logits + at;
      const Operand out = d.Offset(at);
      if (labels[cell] < 0 || labels[cell] >= vocab) {
        if (out.f32 != nullptr) std::fill_n(out.f32, vocab, 0.0f);
        if (out.b16 != nullptr) std::fill_n(out.b16, vocab, bf16{0});
        continue;
      }
      score.lm_loss +=
          kernels::StablemaxCrossEntropy(logits, vocab, labels[cell], gradient_scale / divisor, out.f32, out.b16);
      score.right += std::max_element(logits, logits + vocab) - logits == labels[cell] ? 1 : 0;
    }
    score.lm_loss /= divisor;
    score.exact = score.right == score.cells;
    double slope;
    score.q_loss =
        kernels::BinaryCrossEntropy(static_cast<double>(answer.q[static_cast<size_t>(slot)]), score.exact, &slope);
    const auto dq = static_cast<float>(0.5 * gradient_scale * slope);
    q_gradient[static_cast<size_t>(slot)] = dq;
    kernels::Scale(weights->q_head_weight->weight.f32(), dq, dz_group + i * width, width, threads);
  }
  TrmMatMul(config, MatMulOp::kNN, cells * count, width, vocab, d.data(), TrmWeight(config, *weights->lm_head),
            dz_group + config.prefix * count * width, nullptr, false, threads);
}

void TrmRecursion::Impl::HeadGradients(int64_t count, const std::vector<float>& q_gradient, const TrmCarry& carry) {
  float* q_weight = weights->q_head_weight->gradient.f32();
  for (int64_t first = 0; first < count; first += group) {
    const int64_t n = std::min(group, count - first);
    const Operand z = last_z.Offset(first * Cells() + config.prefix * n * config.width);
    TrmMatMul(config, MatMulOp::kTN, config.vocab, config.width, config.cells * n,
              dlogits.Offset(first * config.cells * config.vocab).data(), z.data(), weights->lm_head->gradient.f32(),
              nullptr, true, *pool);
  }
  for (int64_t slot = 0; slot < count; ++slot) {
    const float dq = q_gradient[static_cast<size_t>(slot)];
    const float* z = carry.z_h.data() + slot * Cells();
    for (int64_t i = 0; i < config.width; ++i) q_weight[i] = q_weight[i] + dq * z[i];
    weights->q_head_bias->gradient.f32()[0] += dq;
  }
}

// All weight gradients of a layer: one chain over all rows of all slots for the channel mixer, group after group
// for the token mixer.
void TrmRecursion::Impl::LayerGradients(const TrmLayerWeights& layer, const TrmKeptSet& set, size_t index,
                                        const Operand& x) {
  const TrmLayerKept& k = set.layers[index];
  const int64_t width = config.width, length = Length(), rows = slots * length, inner = config.Inner(width);
  const auto add = [&](MatMulOp op, int64_t m, int64_t n, int64_t depth, const Operand& a, const Operand& b,
                       Parameter& parameter) {
    TrmMatMul(config, op, m, n, depth, a.data(), b.data(), parameter.gradient.f32(), nullptr, true, *pool);
  };
  const Operand hidden = Bf16() ? Operand{nullptr, k.hidden_bf16} : Operand{k.hidden, nullptr};
  add(MatMulOp::kTN, width, inner, rows, deltas.out, deltas.active, *layer.down_proj);
  add(MatMulOp::kTN, 2 * inner, width, rows, hidden, k.y, *layer.gate_up_proj);
  if (config.mixing == TrmMixing::kLocal) {
    add(MatMulOp::kTN, width, kTrmNeighbours * width, rows, deltas.mix_out, k.mixed, *layer.mix_out);
    return;
  }
  if (config.mixing == TrmMixing::kAttention) {
    add(MatMulOp::kTN, width, width, rows, deltas.mix_out, k.mixed, *layer.mix_out);
    add(MatMulOp::kTN, 3 * width, width, rows, deltas.qkv, x, *layer.mix_in);
    return;
  }
  const int64_t mix_inner = config.Inner(length);
  const Operand mix = Bf16() ? Operand{nullptr, k.mix_bf16} : Operand{k.mix, nullptr};
  for (int64_t first = 0; first < slots; first += group) {
    const int64_t columns = std::min(group, slots - first) * width;
    const int64_t state = first * Cells();
    add(MatMulOp::kNT, length, mix_inner, columns, deltas.mix_out.Offset(state),
        deltas.mix_active.Offset(first * mix_inner * width), *layer.mix_out);
    add(MatMulOp::kNT, 2 * mix_inner, length, columns, mix.Offset(first * 2 * mix_inner * width), x.Offset(state),
        *layer.mix_in);
  }
}

void TrmRecursion::Impl::EmbeddingGradients(const TrmBatch& batch, std::vector<float>& puzzle_gradient) {
  // Each piece of columns takes all rows in order.
  constexpr int64_t kColumns = 16;
  const int64_t width = config.width;
  float* table = weights->embed_tokens->gradient.f32();
  pool->ParallelFor((width + kColumns - 1) / kColumns, [&](int64_t piece) {
    const int64_t begin = piece * kColumns, end = std::min(width, begin + kColumns);
    for (int64_t first = 0; first < slots; first += group) {
      const int64_t n = std::min(group, slots - first);
      const float* d = de + first * Cells();
      for (int64_t row = 0; row < Length() * n; ++row, d += width) {
        const int64_t cell = row / n - config.prefix, slot = first + row % n;
        if (row / n == 0) {
          for (int64_t i = begin; i < end; ++i) puzzle_gradient[static_cast<size_t>(slot * width + i)] = scale * d[i];
        }
        if (cell < 0) continue;
        float* to = table + batch.inputs[static_cast<size_t>(slot * config.cells + cell)] * width;
        for (int64_t i = begin; i < end; ++i) to[i] = to[i] + scale * d[i];
      }
    }
  });
}

void TrmRecursion::ForwardBackward(const TrmBatch& batch, double scale, TrmCarry& carry, TrmAnswer& answer,
                                   std::vector<TrmSlotScore>& scores, std::vector<float>& puzzle_gradient) {
  Impl& m = *impl_;
  PINTLE_CHECK(batch.slots == m.slots, "planned for another number of slots");
  answer.logits.resize(static_cast<size_t>(m.slots * m.config.cells * m.config.vocab));
  answer.q.resize(static_cast<size_t>(m.slots));
  scores.resize(static_cast<size_t>(m.slots));
  puzzle_gradient.resize(static_cast<size_t>(m.slots * m.config.width));
  std::vector<float> q_gradient(static_cast<size_t>(m.slots));
  m.Pack(MatMulOp::kNT, m.forward);
  m.Pack(MatMulOp::kNN, m.backward);
  m.ForGroups(m.slots, [&](int64_t first, int64_t count, TrmScratch& s, ThreadPool& threads) {
    Operand head;
    float* z_h = nullptr;
    m.Step(batch, first, count, true, carry, s, threads, {}, head, z_h);
    m.Read(head, count, s, threads);
    m.Answer(z_h, first, count, s, answer);
    m.Loss(batch, scale, first, count, answer, s, threads, scores, q_gradient);
  });
  m.HeadGradients(m.slots, q_gradient, carry);

  // Back along the chain of evaluations.
  for (int64_t i = m.config.l_cycles; i >= 0; --i) {
    if (m.recompute) {
      m.ForGroups(m.slots, [&](int64_t first, int64_t count, TrmScratch& s, ThreadPool& threads) {
        TrmKeptSet set = m.KeptOf(0, first);
        const float* x = m.inputs[static_cast<size_t>(i)] + first * m.Cells();
        const int64_t state = count * m.Cells();
        if (m.Bf16()) {
          kernels::ConvertF32ToBF16(x, set.x.b16, state, threads);
        } else {
          std::memcpy(set.x.f32, x, static_cast<size_t>(state) * sizeof(float));
        }
        const Operand& z = set.layers.back().z;
        kernels::UnitNormOutput out;
        out.y = m.Bf16() ? s.z_l : z.f32;
        out.y_bf16 = z.b16;
        m.Evaluate(m.Context(count, threads), s, x, set, out);
      });
    }
    const TrmKeptSet whole = m.KeptOf(i, 0);
    for (size_t layer = whole.layers.size(); layer-- > 0;) {
      m.ForGroups(m.slots, [&](int64_t first, int64_t count, TrmScratch& s, ThreadPool& threads) {
        const TrmKeptSet set = m.KeptOf(i, first);
        float* dz = m.dz + first * m.Cells();
        TrmLayerBackward(m.Context(count, threads), m.weights->layers[layer], m.backward[layer], set.layers[layer],
                         s.layer, m.DeltasOf(first), dz);
        if (layer > 0 || i == m.config.l_cycles) return;
        float* de = m.de + first * m.Cells();
        const int64_t state = count * m.Cells();
        if (i + 1 == m.config.l_cycles) {
          std::memcpy(de, dz, static_cast<size_t>(state) * sizeof(float));
        } else {
          kernels::Add(de, dz, de, nullptr, state, threads);
        }
      });
      m.LayerGradients(m.weights->layers[layer], whole, layer, layer > 0 ? whole.layers[layer - 1].z : whole.x);
    }
  }
  m.EmbeddingGradients(batch, puzzle_gradient);
}

}  // namespace pintle
