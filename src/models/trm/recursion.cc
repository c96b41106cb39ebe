// The forward pass: one group of puzzles through a whole supervision step; see recursion.h.
#include "models/trm/recursion.h"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "models/trm/group_rows.h"
#include "models/trm/recursion_impl.h"

namespace pintle {

using kernels::bf16;
using kernels::MatMulOp;

// The network on x (fp32) and set.x (its operand). Inner layers hand their output on in x's own buffers, or in what is
// kept of it.
void TrmRecursion::Impl::Evaluate(const TrmLayerContext& context, TrmScratch& s, const float* x, const TrmKeptSet& set,
                                  const kernels::UnitNormOutput& out) const {
  Operand operand = set.x;
  for (size_t i = 0; i < set.layers.size(); ++i) {
    TrmLayerKept layer = set.layers[i];
    if (layer.mix == nullptr) layer.mix = s.free.mix;
    if (layer.hidden == nullptr) layer.hidden = s.free.hidden;
    kernels::UnitNormOutput to = out;
    if (i + 1 < set.layers.size()) {
      to = {};
      to.y = layer.z.f32 != nullptr ? layer.z.f32 : s.x;
      to.y_bf16 = layer.z.b16;
    }
    TrmLayerForward(context, weights->layers[i], forward[i], x, operand, layer, s.layer, to);
    x = to.y;
    operand = layer.z;
  }
}

void TrmRecursion::Impl::Pack(MatMulOp op, std::vector<TrmLayerPacked>& layers) const {
  layers.resize(weights->layers.size());
  for (size_t i = 0; i < layers.size(); ++i) PackTrmLayer(config, weights->layers[i], op, layers[i], *pool);
}

void TrmRecursion::Impl::Step(const TrmBatch& batch, int64_t first, int64_t count, bool keep, TrmCarry& carry,
                              TrmScratch& s, ThreadPool& threads, const TrmObserver& observer, Operand& head,
                              float*& z_h_out) {
  const TrmLayerContext context = Context(count, threads);
  const int64_t state = count * Cells(), last = config.h_cycles - 1;
  const GroupRows rows = {count, Length(), config.width};
  rows.Gather(carry.z_h.data() + first * Cells(), s.z_h);
  rows.Gather(carry.z_l.data() + first * Cells(), s.z_l);
  EmbedGroup(config, *weights, scale, batch, first, rows, s.e);

  TrmKeptSet free;
  free.x = s.x_operand;
  free.layers.assign(weights->layers.size(), s.free);
  const auto set_of = [&](int64_t cycle, int64_t evaluation) {
    return keep && !recompute && cycle == last ? KeptOf(evaluation, first) : free;
  };
  // Where the input of an evaluation is written in fp32.
  const auto input_of = [&](int64_t cycle, int64_t evaluation, const TrmKeptSet& set) {
    if (keep && recompute && cycle == last) return inputs[static_cast<size_t>(evaluation)] + first * Cells();
    return set.x.f32 != nullptr ? set.x.f32 : s.x;
  };

  float *z_h = s.z_h, *z_l = s.z_l;
  TrmKeptSet set = set_of(0, 0);
  float* x = input_of(0, 0, set);
  // In an fp32 model with recompute x is the operand as well.
  const auto operand_of = [&](const TrmKeptSet& from, float* f32) { return Bf16() ? from.x : Operand{f32, nullptr}; };
  set.x = operand_of(set, x);
  kernels::Add(z_h, s.e, s.inject, nullptr, state, threads);
  kernels::Add(z_l, s.inject, x, set.x.b16, state, threads);
  for (int64_t cycle = 0; cycle <= last; ++cycle) {
    for (int64_t i = 0; i <= config.l_cycles; ++i) {
      const bool is_h = i == config.l_cycles;
      const bool final = is_h && cycle == last;
      const int64_t next_cycle = is_h ? cycle + 1 : cycle, next_i = is_h ? 0 : i + 1;
      TrmKeptSet next = final ? TrmKeptSet{} : set_of(next_cycle, next_i);
      float* next_x = final ? nullptr : input_of(next_cycle, next_i, next);
      next.x = operand_of(next, next_x);

      // The state is written where it is kept, if it is kept in fp32.
      const bool kept_f32 = keep && !recompute && cycle == last && !Bf16();
      const Operand& kept_z = set.layers.back().z;
      float*& z = is_h ? z_h : z_l;
      z = kept_f32 ? kept_z.f32 : is_h ? s.z_h : s.z_l;
      kernels::UnitNormOutput out;
      out.y = z;
      if (keep && !recompute && cycle == last) out.y_bf16 = kept_z.b16;
      if (final) {
        head = keep ? last_z.Offset(first * Cells()) : s.x_operand;
        if (Bf16()) out.y_bf16 = head.b16;
      } else if (!is_h) {
        // The next input is z_L + (z_H + e), or z_L + z_H before z_H's own turn.
        out.add = i + 1 < config.l_cycles ? s.inject : z_h;
        out.next = next_x;
        out.next_bf16 = next.x.b16;
      } else {
        out.add = s.e;
        out.next = s.inject;
      }
      Evaluate(context, s, x, set, out);
      if (final && keep && !recompute && Bf16()) {
        std::memcpy(kept_z.b16, head.b16, static_cast<size_t>(state) * sizeof(bf16));
      }
      if (is_h && !final) kernels::Add(z_l, s.inject, next_x, next.x.b16, state, threads);
      if (observer) {
        std::vector<float> natural(static_cast<size_t>(state));
        rows.Scatter(z, natural.data());
        observer({first, count, cycle, i, is_h, natural.data()});
      }
      set = std::move(next);
      x = next_x;
    }
  }
  if (!Bf16()) {
    if (keep) std::memcpy(head.f32, z_h, static_cast<size_t>(state) * sizeof(float));
    if (!keep) head = {z_h, nullptr};
  }
  rows.Scatter(z_h, carry.z_h.data() + first * Cells());
  rows.Scatter(z_l, carry.z_l.data() + first * Cells());
  z_h_out = z_h;
}

// logits of the group's cells into scratch: rows in the order (cell, puzzle).
void TrmRecursion::Impl::Read(const Operand& z, int64_t count, TrmScratch& s, ThreadPool& threads) const {
  const int64_t prefix = config.prefix * count * config.width;
  TrmMatMul(config, MatMulOp::kNT, config.cells * count, config.vocab, config.width, z.Offset(prefix).data(),
            TrmWeight(config, *weights->lm_head), s.logits, nullptr, false, threads);
}

void TrmRecursion::Impl::Answer(const float* z_h, int64_t first, int64_t count, const TrmScratch& s,
                                TrmAnswer& answer) const {
  const GroupRows cells = {count, config.cells, config.vocab};
  cells.Scatter(s.logits, answer.logits.data() + first * config.cells * config.vocab);
  for (int64_t i = 0; i < count; ++i) {
    answer.q[static_cast<size_t>(first + i)] =
        kernels::Dot(z_h + i * config.width, weights->q_head_weight->weight.f32(), config.width) +
        weights->q_head_bias->weight.f32()[0];
  }
}

void TrmRecursion::Forward(const TrmBatch& batch, TrmCarry& carry, TrmAnswer& answer, const TrmObserver& observer) {
  Impl& m = *impl_;
  answer.logits.resize(static_cast<size_t>(batch.slots * m.config.cells * m.config.vocab));
  answer.q.resize(static_cast<size_t>(batch.slots));
  m.Pack(MatMulOp::kNT, m.forward);
  const auto work = [&](int64_t first, int64_t count, TrmScratch& s, ThreadPool& threads) {
    Operand head;
    float* z_h = nullptr;
    m.Step(batch, first, count, false, carry, s, threads, observer, head, z_h);
    m.Read(head, count, s, threads);
    m.Answer(z_h, first, count, s, answer);
  };
  if (!observer) {
    m.ForGroups(batch.slots, work);
    return;
  }
  for (int64_t first = 0; first < batch.slots; first += m.group) {
    work(first, std::min(m.group, batch.slots - first), m.scratch[0], *m.pool);
  }
}

void TrmRecursion::Decode(std::span<const float> z, int64_t slots, std::vector<float>& logits) {
  Impl& m = *impl_;
  logits.resize(static_cast<size_t>(slots * m.config.cells * m.config.vocab));
  m.ForGroups(slots, [&](int64_t first, int64_t count, TrmScratch& s, ThreadPool& threads) {
    const GroupRows rows = {count, m.Length(), m.config.width};
    rows.Gather(z.data() + first * m.Cells(), s.x);
    if (m.Bf16()) kernels::ConvertF32ToBF16(s.x, s.x_operand.b16, count * m.Cells(), threads);
    m.Read(s.x_operand, count, s, threads);
    const GroupRows cells = {count, m.config.cells, m.config.vocab};
    cells.Scatter(s.logits, logits.data() + first * m.config.cells * m.config.vocab);
  });
}

}  // namespace pintle
