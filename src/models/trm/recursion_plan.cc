// The memory plan of the recursion, its parameters and its rotation tables; see recursion.h.
#include <algorithm>
#include <string>

#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/rope.h"
#include "models/trm/recursion_impl.h"

namespace pintle {
namespace {

using kernels::bf16;

// Floats of one SwiGLU's gate | up that stay in a core's cache beside the rest.
constexpr int64_t kGroupFloats = 131072;
constexpr int64_t kLargestGroup = 16;

// Elements of what one layer keeps of one slot.
struct LayerSizes {
  int64_t state, hidden, inverse, mix_inverse;
  int64_t mix = 0, mixed = 0, largest = 0, lse = 0;  // of some mixings
};

LayerSizes SizesOf(const TrmConfig& config) {
  const int64_t length = config.positions_count(), width = config.width;
  LayerSizes sizes = {length * width, 2 * config.Inner(width) * length, length, length};
  if (config.mixing == TrmMixing::kMlpT) {
    sizes.mix = 2 * config.Inner(length) * width;
    sizes.mix_inverse = width;
  } else if (config.mixing == TrmMixing::kLocal) {
    sizes.mixed = kTrmNeighbours * sizes.state;
    sizes.largest = width;
  } else {
    sizes.mix = 3 * sizes.state;
    sizes.mixed = sizes.state;
    sizes.lse = config.heads * length;
  }
  return sizes;
}

TrmLayerKept Offset(const TrmConfig& config, const TrmLayerKept& kept, int64_t slot) {
  const LayerSizes sizes = SizesOf(config);
  const auto at = [slot](auto* base, int64_t size) { return base == nullptr ? nullptr : base + slot * size; };
  TrmLayerKept result;
  result.mix = at(kept.mix, sizes.mix);
  result.mix_bf16 = at(kept.mix_bf16, sizes.mix);
  result.mixed = kept.mixed.Offset(slot * sizes.mixed);
  result.largest = at(kept.largest, sizes.largest);
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
    } else if (config.mixing == TrmMixing::kLocal) {
      l.mix_in = nullptr;
      l.mix_out = declare(layer + "local.proj.weight", {width, kTrmNeighbours * width}, copies);
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
  const int64_t length = config.positions_count(), width = config.width;
  const int64_t floats =
      2 * (config.mixing == TrmMixing::kMlpT ? config.Inner(length) * width : config.Inner(width) * length);
  return std::clamp<int64_t>(kGroupFloats / floats, 1, kLargestGroup);
}

TrmLayerKept TrmRecursion::Impl::TakeKept(TrmLayout& layout, int64_t count) const {
  const LayerSizes sizes = SizesOf(config);
  TrmLayerKept k;
  if (config.mixing == TrmMixing::kMlpT && Bf16()) {
    k.mix_bf16 = layout.Take<bf16>(count * sizes.mix);
  } else {
    k.mix = layout.Take<float>(count * sizes.mix);
  }
  k.mixed = layout.TakeOperand(config.dtype, count * sizes.mixed);
  k.largest = layout.Take<int32_t>(count * sizes.largest);
  k.lse = layout.Take<float>(count * sizes.lse);
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

void TrmRecursion::Impl::PlanScratch(TrmLayout& layout) {
  const LayerSizes sizes = SizesOf(config);
  const int64_t state = group * Cells();
  const int64_t active = group * std::max(sizes.mix, sizes.hidden) / 2;
  scratch.resize(static_cast<size_t>(pool->threads()));
  for (TrmScratch& s : scratch) {
    s.layer.active = layout.TakeOperand(config.dtype, active);
    for (float** buffer : {&s.layer.sum, &s.layer.y, &s.layer.d, &s.e, &s.z_h, &s.z_l, &s.inject, &s.x}) {
      *buffer = layout.Take<float>(state);
    }
    s.layer.wide = layout.Take<float>(std::max({active, 3 * state, group * sizes.mixed}));
    if (config.mixing == TrmMixing::kAttention) {
      s.layer.attention =
          layout.Take<float>(kernels::FullAttentionScratch({Length(), config.heads, 0, 0, config.profile}));
    }
    s.free.mix = layout.Take<float>(group * sizes.mix);
    s.free.hidden = layout.Take<float>(group * sizes.hidden);
    s.free.mixed = layout.TakeOperand(config.dtype, group * sizes.mixed);
    s.free.y = Bf16() ? layout.TakeOperand(config.dtype, state) : Operand{s.layer.y, nullptr};
    s.x_operand = Bf16() ? layout.TakeOperand(config.dtype, state) : Operand{s.x, nullptr};
    s.free.z = s.x_operand;
    s.logits = layout.Take<float>(group * config.cells * config.vocab);
  }
}

void TrmRecursion::Impl::PlanKept(TrmLayout& layout) {
  const LayerSizes sizes = SizesOf(config);
  const int64_t state = slots * Cells();
  kept.clear();
  inputs.clear();
  for (int64_t i = 0; i < (recompute ? 1 : Evaluations()); ++i) {
    TrmKeptSet& set = kept.emplace_back();
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
  } else if (config.mixing == TrmMixing::kAttention) {
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

TrmKeptSet TrmRecursion::Impl::KeptOf(int64_t evaluation, int64_t first) const {
  const TrmKeptSet& all = kept[static_cast<size_t>(recompute ? 0 : evaluation)];
  TrmKeptSet set;
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
  TrmLayout scratch(nullptr), kept(nullptr);
  impl->PlanScratch(scratch);
  if (slots > 0) impl->PlanKept(kept);
  PINTLE_ASSIGN(impl->scratch_arena, Arena::Create(scratch.used()));
  PINTLE_ASSIGN(impl->kept_arena, Arena::Create(kept.used()));
  scratch = TrmLayout(impl->scratch_arena.base());
  kept = TrmLayout(impl->kept_arena.base());
  impl->PlanScratch(scratch);
  if (slots > 0) impl->PlanKept(kept);
  return std::unique_ptr<TrmRecursion>(new TrmRecursion(std::move(impl)));
}

size_t TrmRecursion::memory_bytes() const { return impl_->scratch_arena.capacity() + impl_->kept_arena.capacity(); }

}  // namespace pintle
