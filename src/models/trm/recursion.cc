#include "models/trm/recursion.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "kernels/elementwise.h"
#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/reduce.h"
#include "kernels/rope.h"
#include "kernels/stablemax.h"
#include "models/trm/group_rows.h"

namespace pintle {
namespace {

using kernels::bf16;
using kernels::MatMulOp;

// Floats of one token mixer's gate | up that stay in a core's cache beside the rest.
constexpr int64_t kGroupFloats = 131072;
constexpr int64_t kLargestGroup = 16;

// Hands out pieces of an arena twice: first to count, then for real.
class Layout {
 public:
  explicit Layout(char* base) : base_(base) {}
  template <typename T>
  T* Take(int64_t count) {
    T* at = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
    used_ += Arena::Rounded(static_cast<size_t>(count) * sizeof(T));
    return at;
  }
  Operand TakeOperand(DType dtype, int64_t count) {
    if (dtype == DType::kBF16) return {nullptr, Take<bf16>(count)};
    return {Take<float>(count), nullptr};
  }
  [[nodiscard]] size_t used() const { return used_; }

 private:
  char* base_;
  size_t used_ = 0;
};

// The buffers of one thread, for one group.
struct Scratch {
  TrmLayerScratch layer;
  TrmLayerKept free;                  // what a layer keeps where nothing is kept
  float *e, *z_h, *z_l, *inject, *x;  // [rows, D]
  Operand x_operand;                  // in fp32: x
  Operand dlogits;                    // [S c, V]
  float* logits;                      // [S c, V]
};

// What training keeps of one layer in one evaluation, or of the gradients of a layer, for all slots.
struct KeptSet {
  Operand x;  // of the evaluation (its first layer)
  std::vector<TrmLayerKept> layers;
};

}  // namespace

TrmWeights DeclareTrm(const TrmConfig& config, ParameterRegistry& registry) {
  const int64_t width = config.width, length = config.positions_count();
  const bool copies = config.dtype == DType::kBF16;
  const auto declare = [&](const std::string& name, const Shape& shape, bool copy) {
    return &registry.Declare({name, shape, ParameterGroup::kOther, true, copy, false});
  };
  TrmWeights w;
  w.embed_tokens = declare("embed_tokens.embedding_weight", {config.vocab, width}, false);
  w.lm_head = declare("lm_head.weight", {config.vocab, width}, copies);
  w.q_head_weight = declare("q_head.weight", {2, width}, false);
  w.q_head_bias = declare("q_head.bias", {2}, false);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string layer = "L_level.layers." + std::to_string(i) + ".";
    TrmLayerWeights& l = w.layers.emplace_back();
    if (config.mixing == TrmMixing::kMlpT) {
      const int64_t inner = config.Inner(length);
      l.mix_in = declare(layer + "mlp_t.gate_up_proj.weight", {2 * inner, length}, copies);
      l.mix_out = declare(layer + "mlp_t.down_proj.weight", {length, inner}, copies);
    } else {
      l.mix_in = declare(layer + "self_attn.qkv_proj.weight", {3 * width, width}, copies);
      l.mix_out = declare(layer + "self_attn.o_proj.weight", {width, width}, copies);
    }
    const int64_t inner = config.Inner(width);
    l.gate_up_proj = declare(layer + "mlp.gate_up_proj.weight", {2 * inner, width}, copies);
    l.down_proj = declare(layer + "mlp.down_proj.weight", {width, inner}, copies);
  }
  w.h_init.resize(static_cast<size_t>(width));
  w.l_init.resize(static_cast<size_t>(width));
  w.puzzle_emb.resize(static_cast<size_t>(config.puzzle_ids * width));
  return w;
}

int64_t TrmGroup(const TrmConfig& config) {
  if (config.mixing == TrmMixing::kAttention) return 1;
  const int64_t floats = 2 * config.Inner(config.positions_count()) * config.width;
  return std::clamp<int64_t>(kGroupFloats / floats, 1, kLargestGroup);
}

struct TrmRecursion::Impl {
  TrmConfig config;
  TrmWeights* weights = nullptr;
  ThreadPool* pool = nullptr;
  int64_t group = 1;
  int64_t slots = 0;  // planned for training; 0: none
  bool recompute = false;
  float scale = 1;  // of embeddings: sqrt(D)
  std::vector<std::unique_ptr<ThreadPool>> alone;
  std::vector<Scratch> scratch;  // one a thread
  std::vector<float> cos, sin;
  std::vector<int32_t> position;
  Arena scratch_arena, kept_arena;

  // Training, for all slots:
  std::vector<KeptSet> kept;   // one an evaluation of the last cycle; with recompute one in all
  std::vector<float*> inputs;  // with recompute: x of each evaluation, fp32
  TrmLayerDeltas deltas;
  Operand last_z;  // z_H
  float *dz = nullptr, *de = nullptr;
  Operand dlogits;

  [[nodiscard]] int64_t Length() const { return config.positions_count(); }
  [[nodiscard]] int64_t Cells() const { return Length() * config.width; }  // of one slot's state
  [[nodiscard]] bool Bf16() const { return config.dtype == DType::kBF16; }
  [[nodiscard]] int64_t Evaluations() const { return config.l_cycles + 1; }

  void PlanScratch(Layout& layout);
  void PlanKept(Layout& layout);
  TrmLayerKept TakeKept(Layout& layout, int64_t count) const;
  void BuildRotation();

  [[nodiscard]] TrmLayerContext Context(int64_t count, ThreadPool& threads) const {
    return {&config,         count,   cos.empty() ? nullptr : cos.data(), cos.empty() ? nullptr : sin.data(),
            position.data(), &threads};
  }
  [[nodiscard]] KeptSet KeptOf(int64_t evaluation, int64_t first) const;
  [[nodiscard]] TrmLayerDeltas DeltasOf(int64_t first) const;

  // work(first slot, slots, scratch, pool) for each group.
  template <typename Work>
  void ForGroups(int64_t count, const Work& work) {
    const int64_t groups = (count + group - 1) / group;
    if (groups >= pool->threads()) {
      pool->ParallelForWithThread(groups, [&](int64_t i, int thread) {
        work(i * group, std::min(group, count - i * group), scratch[static_cast<size_t>(thread)],
             *alone[static_cast<size_t>(thread)]);
      });
    } else {
      for (int64_t i = 0; i < groups; ++i) {
        work(i * group, std::min(group, count - i * group), scratch[0], *pool);
      }
    }
  }

  void Evaluate(const TrmLayerContext& context, Scratch& s, const float* x, const KeptSet& set,
                const kernels::UnitNormOutput& out) const;
  // The whole step of one group. `keep`: for a backward pass. Leaves z_H's operand in `head`.
  void Step(const TrmBatch& batch, int64_t first, int64_t count, bool keep, TrmCarry& carry, Scratch& s,
            ThreadPool& threads, const TrmObserver& observer, Operand& head, float*& z_h);
  void Read(const Operand& z, int64_t count, Scratch& s, ThreadPool& threads) const;
  void Answer(const float* z_h, int64_t first, int64_t count, const Scratch& s, TrmAnswer& answer) const;
  void Loss(const TrmBatch& batch, double gradient_scale, int64_t first, int64_t count, const float* z_h,
            const TrmAnswer& answer, Scratch& s, ThreadPool& threads, std::vector<TrmSlotScore>& scores,
            std::vector<float>& q_gradient) const;
  void HeadGradients(int64_t count, const std::vector<float>& q_gradient, const TrmCarry& carry);
  void LayerGradients(const TrmLayerWeights& layer, const KeptSet& set, size_t index, const Operand& x);
  void EmbeddingGradients(const TrmBatch& batch, std::vector<float>& puzzle_gradient);
};

namespace {

// What one layer keeps, `count` slots.
struct LayerSizes {
  int64_t mix, hidden;  // fp32
  int64_t inverse, mix_inverse;
  int64_t lse, state;
};

LayerSizes SizesOf(const TrmConfig& config) {
  const int64_t length = config.positions_count(), width = config.width;
  const bool mlp_t = config.mixing == TrmMixing::kMlpT;
  return {mlp_t ? 2 * config.Inner(length) * width : 3 * length * width,
          2 * config.Inner(width) * length,
          length,
          mlp_t ? width : length,
          mlp_t ? 0 : config.heads * length,
          length * width};
}

TrmLayerKept Offset(const TrmConfig& config, const TrmLayerKept& kept, int64_t slot) {
  const LayerSizes sizes = SizesOf(config);
  const auto at = [slot](auto* base, int64_t size) { return base == nullptr ? nullptr : base + slot * size; };
  TrmLayerKept result;
  result.mix = at(kept.mix, sizes.mix);
  result.mix_bf16 = at(kept.mix_bf16, sizes.mix);
  result.attended = kept.attended.Offset(slot * sizes.state);
  result.lse = at(kept.lse, sizes.lse);
  result.mix_inverse = at(kept.mix_inverse, sizes.mix_inverse);
  result.y = kept.y.Offset(slot * sizes.state);
  result.hidden = at(kept.hidden, sizes.hidden);
  result.hidden_bf16 = at(kept.hidden_bf16, sizes.hidden);
  result.inverse = at(kept.inverse, sizes.inverse);
  result.z = kept.z.Offset(slot * sizes.state);
  return result;
}

}  // namespace

TrmLayerKept TrmRecursion::Impl::TakeKept(Layout& layout, int64_t count) const {
  const LayerSizes sizes = SizesOf(config);
  const bool mlp_t = config.mixing == TrmMixing::kMlpT;
  TrmLayerKept k;
  if (mlp_t && Bf16()) {
    k.mix_bf16 = layout.Take<bf16>(count * sizes.mix);
  } else {
    k.mix = layout.Take<float>(count * sizes.mix);
  }
  if (!mlp_t) {
    k.attended = layout.TakeOperand(config.dtype, count * sizes.state);
    k.lse = layout.Take<float>(count * sizes.lse);
  }
  k.mix_inverse = layout.Take<float>(count * sizes.mix_inverse);
  k.y = layout.TakeOperand(config.dtype, count * sizes.state);
  if (Bf16()) {
    k.hidden_bf16 = layout.Take<bf16>(count * sizes.hidden);
  } else {
    k.hidden = layout.Take<float>(count * sizes.hidden);
  }
  k.inverse = layout.Take<float>(count * sizes.inverse);
  k.z = layout.TakeOperand(config.dtype, count * sizes.state);
  return k;
}

void TrmRecursion::Impl::PlanScratch(Layout& layout) {
  const LayerSizes sizes = SizesOf(config);
  const int64_t state = group * Cells();
  const int64_t active = group * std::max(sizes.mix, sizes.hidden) / 2;
  const bool mlp_t = config.mixing == TrmMixing::kMlpT;
  scratch.resize(static_cast<size_t>(pool->threads()));
  for (Scratch& s : scratch) {
    s.layer.active = layout.TakeOperand(config.dtype, active);
    for (float** buffer : {&s.layer.sum, &s.layer.y, &s.layer.d, &s.e, &s.z_h, &s.z_l, &s.inject, &s.x}) {
      *buffer = layout.Take<float>(state);
    }
    s.layer.wide = layout.Take<float>(std::max(active, 3 * state));
    if (!mlp_t) {
      s.layer.attention =
          layout.Take<float>(kernels::FullAttentionScratch({Length(), config.heads, 0, 0, config.profile}));
    }
    s.free.mix = layout.Take<float>(group * sizes.mix);
    s.free.hidden = layout.Take<float>(group * sizes.hidden);
    if (!mlp_t) s.free.attended = layout.TakeOperand(config.dtype, state);
    s.free.y = Bf16() ? layout.TakeOperand(config.dtype, state) : Operand{s.layer.y, nullptr};
    s.x_operand = Bf16() ? layout.TakeOperand(config.dtype, state) : Operand{s.x, nullptr};
    s.free.z = s.x_operand;
    s.logits = layout.Take<float>(group * config.cells * config.vocab);
    s.dlogits = layout.TakeOperand(config.dtype, group * config.cells * config.vocab);
  }
}

void TrmRecursion::Impl::PlanKept(Layout& layout) {
  const LayerSizes sizes = SizesOf(config);
  const int64_t state = slots * Cells();
  kept.clear();
  inputs.clear();
  for (int64_t i = 0; i < (recompute ? 1 : Evaluations()); ++i) {
    KeptSet& set = kept.emplace_back();
    set.x = layout.TakeOperand(config.dtype, state);
    for (int64_t layer = 0; layer < config.layers; ++layer) set.layers.push_back(TakeKept(layout, slots));
  }
  if (recompute) {
    for (int64_t i = 0; i < Evaluations(); ++i) inputs.push_back(layout.Take<float>(state));
  }
  deltas.out = layout.TakeOperand(config.dtype, state);
  deltas.active = layout.TakeOperand(config.dtype, slots * sizes.hidden / 2);
  deltas.mix_out = layout.TakeOperand(config.dtype, state);
  if (config.mixing == TrmMixing::kMlpT) {
    deltas.mix_active = layout.TakeOperand(config.dtype, slots * sizes.mix / 2);
  } else {
    deltas.qkv = layout.TakeOperand(config.dtype, 3 * state);
  }
  last_z = layout.TakeOperand(config.dtype, state);
  dz = layout.Take<float>(state);
  de = layout.Take<float>(state);
  dlogits = layout.TakeOperand(config.dtype, slots * config.cells * config.vocab);
}

// kRope: angle = position * base^(-2i / d). kRope2d: the first half of the frequencies belongs to the row, the second
// to the column, each half spaced like a head of half the width; prefix positions stay at angle 0.
void TrmRecursion::Impl::BuildRotation() {
  if (config.positions == TrmPositions::kNone) return;
  constexpr double kBase = 10000.0;
  const int64_t head_dim = config.width / config.heads, half = head_dim / 2;
  cos.resize(static_cast<size_t>(Length() * half));
  sin.resize(cos.size());
  for (int64_t l = 0; l < Length(); ++l) position.push_back(static_cast<int32_t>(l));
  const bool grid = config.positions == TrmPositions::kRope2d;
  std::vector<double> frequency(static_cast<size_t>(grid ? half / 2 : half));
  kernels::RopeFrequencies(kBase, grid ? half : head_dim, frequency.data());
  if (!grid) {
    kernels::RopeTable(frequency.data(), head_dim, Length(), cos.data(), sin.data());
    return;
  }
  for (int64_t l = 0; l < Length(); ++l) {
    const int64_t cell = l - config.prefix;
    for (int64_t i = 0; i < half; ++i) {
      const int64_t place = cell < 0 ? 0 : i < half / 2 ? cell / config.columns : cell % config.columns;
      const double angle = static_cast<double>(place) * frequency[static_cast<size_t>(i % (half / 2))];
      cos[static_cast<size_t>(l * half + i)] = static_cast<float>(kernels::Cos(angle));
      sin[static_cast<size_t>(l * half + i)] = static_cast<float>(kernels::Sin(angle));
    }
  }
}

KeptSet TrmRecursion::Impl::KeptOf(int64_t evaluation, int64_t first) const {
  const KeptSet& all = kept[static_cast<size_t>(recompute ? 0 : evaluation)];
  KeptSet set;
  set.x = all.x.Offset(first * Cells());
  for (const TrmLayerKept& layer : all.layers) set.layers.push_back(Offset(config, layer, first));
  return set;
}

TrmLayerDeltas TrmRecursion::Impl::DeltasOf(int64_t first) const {
  const LayerSizes sizes = SizesOf(config);
  return {deltas.out.Offset(first * sizes.state), deltas.active.Offset(first * sizes.hidden / 2),
          deltas.mix_out.Offset(first * sizes.state), deltas.mix_active.Offset(first * sizes.mix / 2),
          deltas.qkv.Offset(first * 3 * sizes.state)};
}

// The network on x (fp32) and set.x (its operand). Inner layers hand their output on in x's own buffers, or in what is
// kept of it.
void TrmRecursion::Impl::Evaluate(const TrmLayerContext& context, Scratch& s, const float* x, const KeptSet& set,
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
    TrmLayerForward(context, weights->layers[i], x, operand, layer, s.layer, to);
    x = to.y;
    operand = layer.z;
  }
}

void TrmRecursion::Impl::Step(const TrmBatch& batch, int64_t first, int64_t count, bool keep, TrmCarry& carry,
                              Scratch& s, ThreadPool& threads, const TrmObserver& observer, Operand& head,
                              float*& z_h_out) {
  const TrmLayerContext context = Context(count, threads);
  const int64_t state = count * Cells(), last = config.h_cycles - 1;
  const GroupRows rows = {count, Length(), config.width};
  rows.Gather(carry.z_h.data() + first * Cells(), s.z_h);
  rows.Gather(carry.z_l.data() + first * Cells(), s.z_l);
  EmbedGroup(config, *weights, scale, batch, first, rows, s.e);

  KeptSet free;
  free.x = s.x_operand;
  free.layers.assign(weights->layers.size(), s.free);
  const auto set_of = [&](int64_t cycle, int64_t evaluation) {
    return keep && !recompute && cycle == last ? KeptOf(evaluation, first) : free;
  };
  // Where the input of an evaluation is written in fp32.
  const auto input_of = [&](int64_t cycle, int64_t evaluation, const KeptSet& set) {
    if (keep && recompute && cycle == last) return inputs[static_cast<size_t>(evaluation)] + first * Cells();
    return set.x.f32 != nullptr ? set.x.f32 : s.x;
  };

  float *z_h = s.z_h, *z_l = s.z_l;
  KeptSet set = set_of(0, 0);
  float* x = input_of(0, 0, set);
  // In an fp32 model with recompute x is the operand as well.
  const auto operand_of = [&](const KeptSet& from, float* f32) { return Bf16() ? from.x : Operand{f32, nullptr}; };
  set.x = operand_of(set, x);
  kernels::Add(z_h, s.e, s.inject, nullptr, state, threads);
  kernels::Add(z_l, s.inject, x, set.x.b16, state, threads);
  for (int64_t cycle = 0; cycle <= last; ++cycle) {
    for (int64_t i = 0; i <= config.l_cycles; ++i) {
      const bool is_h = i == config.l_cycles;
      const bool final = is_h && cycle == last;
      const int64_t next_cycle = is_h ? cycle + 1 : cycle, next_i = is_h ? 0 : i + 1;
      KeptSet next = final ? KeptSet{} : set_of(next_cycle, next_i);
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
void TrmRecursion::Impl::Read(const Operand& z, int64_t count, Scratch& s, ThreadPool& threads) const {
  const int64_t prefix = config.prefix * count * config.width;
  TrmMatMul(config, MatMulOp::kNT, config.cells * count, config.vocab, config.width, z.Offset(prefix).data(),
            TrmWeight(config, *weights->lm_head), s.logits, nullptr, false, threads);
}

void TrmRecursion::Impl::Answer(const float* z_h, int64_t first, int64_t count, const Scratch& s,
                                TrmAnswer& answer) const {
  const GroupRows cells = {count, config.cells, config.vocab};
  cells.Scatter(s.logits, answer.logits.data() + first * config.cells * config.vocab);
  for (int64_t i = 0; i < count; ++i) {
    answer.q[static_cast<size_t>(first + i)] =
        kernels::Dot(z_h + i * config.width, weights->q_head_weight->weight.f32(), config.width) +
        weights->q_head_bias->weight.f32()[0];
  }
}

// Loss of the group's slots; their part of dlogits, and the head's part of dz.
void TrmRecursion::Impl::Loss(const TrmBatch& batch, double gradient_scale, int64_t first, int64_t count,
                              const float* /*z_h*/, const TrmAnswer& answer, Scratch& s, ThreadPool& threads,
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

// All four weight gradients of a layer: one chain over all rows of all slots for the channel mixer, group after group
// for the token mixer.
void TrmRecursion::Impl::LayerGradients(const TrmLayerWeights& layer, const KeptSet& set, size_t index,
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
  if (config.mixing == TrmMixing::kAttention) {
    add(MatMulOp::kTN, width, width, rows, deltas.mix_out, k.attended, *layer.mix_out);
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

TrmRecursion::TrmRecursion(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrmRecursion::~TrmRecursion() = default;

Result<std::unique_ptr<TrmRecursion>> TrmRecursion::Create(const TrmConfig& config, TrmWeights& weights, int64_t slots,
                                                           bool recompute, ThreadPool& pool) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->weights = &weights;
  impl->pool = &pool;
  impl->group = TrmGroup(config);
  impl->slots = slots;
  impl->recompute = recompute;
  impl->scale = static_cast<float>(kernels::Sqrt(static_cast<double>(config.width)));
  for (int thread = 0; thread < pool.threads(); ++thread) impl->alone.push_back(std::make_unique<ThreadPool>(1));
  impl->BuildRotation();
  Layout scratch(nullptr), kept(nullptr);
  impl->PlanScratch(scratch);
  if (slots > 0) impl->PlanKept(kept);
  PINTLE_ASSIGN(impl->scratch_arena, Arena::Create(scratch.used()));
  PINTLE_ASSIGN(impl->kept_arena, Arena::Create(kept.used()));
  scratch = Layout(impl->scratch_arena.base());
  kept = Layout(impl->kept_arena.base());
  impl->PlanScratch(scratch);
  if (slots > 0) impl->PlanKept(kept);
  return std::unique_ptr<TrmRecursion>(new TrmRecursion(std::move(impl)));
}

void TrmRecursion::Forward(const TrmBatch& batch, TrmCarry& carry, TrmAnswer& answer, const TrmObserver& observer) {
  Impl& m = *impl_;
  answer.logits.resize(static_cast<size_t>(batch.slots * m.config.cells * m.config.vocab));
  answer.q.resize(static_cast<size_t>(batch.slots));
  const auto work = [&](int64_t first, int64_t count, Scratch& s, ThreadPool& threads) {
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
  m.ForGroups(slots, [&](int64_t first, int64_t count, Scratch& s, ThreadPool& threads) {
    const GroupRows rows = {count, m.Length(), m.config.width};
    rows.Gather(z.data() + first * m.Cells(), s.x);
    if (m.Bf16()) kernels::ConvertF32ToBF16(s.x, s.x_operand.b16, count * m.Cells(), threads);
    m.Read(s.x_operand, count, s, threads);
    const GroupRows cells = {count, m.config.cells, m.config.vocab};
    cells.Scatter(s.logits, logits.data() + first * m.config.cells * m.config.vocab);
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
  m.ForGroups(m.slots, [&](int64_t first, int64_t count, Scratch& s, ThreadPool& threads) {
    Operand head;
    float* z_h = nullptr;
    m.Step(batch, first, count, true, carry, s, threads, {}, head, z_h);
    m.Read(head, count, s, threads);
    m.Answer(z_h, first, count, s, answer);
    m.Loss(batch, scale, first, count, z_h, answer, s, threads, scores, q_gradient);
  });
  m.HeadGradients(m.slots, q_gradient, carry);

  // Back along the chain of evaluations.
  for (int64_t i = m.config.l_cycles; i >= 0; --i) {
    if (m.recompute) {
      m.ForGroups(m.slots, [&](int64_t first, int64_t count, Scratch& s, ThreadPool& threads) {
        KeptSet set = m.KeptOf(0, first);
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
    const KeptSet whole = m.KeptOf(i, 0);
    for (size_t layer = whole.layers.size(); layer-- > 0;) {
      m.ForGroups(m.slots, [&](int64_t first, int64_t count, Scratch& s, ThreadPool& threads) {
        const KeptSet set = m.KeptOf(i, first);
        float* dz = m.dz + first * m.Cells();
        TrmLayerBackward(m.Context(count, threads), m.weights->layers[layer], set.layers[layer], s.layer,
                         m.DeltasOf(first), dz);
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

size_t TrmRecursion::memory_bytes() const { return impl_->scratch_arena.capacity() + impl_->kept_arena.capacity(); }

}  // namespace pintle
