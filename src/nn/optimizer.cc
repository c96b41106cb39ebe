#include "nn/optimizer.h"

#include <algorithm>

#include "base/check.h"
#include "base/time.h"
#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "tensor/arena.h"

namespace pintle {
namespace {

// The state of one parameter: AdamW has m and v, Muon m alone.
struct ParameterState {
  bool muon = false;
  Tensor m, v, ema;
};

}  // namespace

struct Optimizer::Impl {
  OptimizerOptions options;
  ParameterRegistry* parameters = nullptr;
  ThreadPool* pool = nullptr;
  Arena arena, scratch;
  std::vector<ParameterState> states;  // one for each parameter, registry order
  int64_t step = 0;
  double norm = 0;
  bool norm_is_fresh = false;
  OptimizerTimes times;

  void Update(Parameter& p, ParameterState& state, double factor, float gradient_scale) const;
};

Optimizer::Optimizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Optimizer::~Optimizer() = default;

Result<std::unique_ptr<Optimizer>> Optimizer::Create(const OptimizerOptions& options, ParameterRegistry& parameters,
                                                     ThreadPool& pool) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->parameters = &parameters;
  impl->pool = &pool;
  size_t bytes = 0, scratch = 0;
  for (const Parameter& p : parameters.all()) {
    PINTLE_CHECK(!p.gradient.empty(), "an optimizer needs gradients: " + p.name);
    ParameterState& state = impl->states.emplace_back();
    state.muon = options.kind == OptimizerKind::kMuon && p.group == ParameterGroup::kMatrix;
    const size_t one = Arena::BytesFor(DType::kF32, p.shape);
    bytes += one * (state.muon ? 1 : 2) + (options.ema_decay > 0 ? one : 0);
    if (state.muon) {
      scratch = std::max(scratch, static_cast<size_t>(kernels::MuonScratch(p.shape[0], p.shape[1])) * sizeof(float));
    }
  }
  PINTLE_ASSIGN(impl->arena, Arena::Create(bytes));
  PINTLE_ASSIGN(impl->scratch, Arena::Create(scratch));
  size_t i = 0;
  for (const Parameter& p : parameters.all()) {
    ParameterState& state = impl->states[i++];
    state.m = impl->arena.AllocateTensor(DType::kF32, p.shape);
    if (!state.muon) state.v = impl->arena.AllocateTensor(DType::kF32, p.shape);
    if (options.ema_decay > 0) {
      state.ema = impl->arena.AllocateTensor(DType::kF32, p.shape);
      std::copy_n(p.weight.f32(), p.shape.Count(), state.ema.f32());
    }
  }
  return std::unique_ptr<Optimizer>(new Optimizer(std::move(impl)));
}

double Optimizer::GradientNorm() {
  const double start = MonotonicSeconds();
  impl_->parameters->CombineGradients(*impl_->pool);
  double sum = 0;
  for (const Parameter& p : impl_->parameters->all()) {
    sum += kernels::SumOfSquares(p.gradient.f32(), p.shape.Count(), *impl_->pool);
  }
  impl_->norm = kernels::Sqrt(sum);
  impl_->norm_is_fresh = true;
  impl_->times = {};
  impl_->times.other = MonotonicSeconds() - start;
  return impl_->norm;
}

void Optimizer::Impl::Update(Parameter& p, ParameterState& state, double factor, float gradient_scale) const {
  kernels::bf16* copy = p.weight_bf16.empty() ? nullptr : p.weight_bf16.bf16();
  if (state.muon) {
    kernels::MuonStep muon;
    muon.learning_rate = options.muon_learning_rate * factor;
    muon.momentum = options.muon_momentum;
    muon.weight_decay = options.muon_weight_decay;
    muon.gradient_scale = gradient_scale;
    kernels::Muon(muon, p.weight.f32(), p.gradient.f32(), state.m.f32(), copy, p.shape[0], p.shape[1],
                  reinterpret_cast<float*>(scratch.base()), *pool);
    return;
  }
  kernels::AdamWStep adamw;
  adamw.learning_rate = options.learning_rate * factor;
  adamw.beta1 = options.beta1;
  adamw.beta2 = options.beta2;
  adamw.eps = options.epsilon;
  adamw.weight_decay = p.weight_decay ? options.weight_decay : 0;
  adamw.step = step;
  adamw.gradient_scale = gradient_scale;
  kernels::AdamW(adamw, p.weight.f32(), p.gradient.f32(), state.m.f32(), state.v.f32(), copy, p.shape.Count(), *pool);
}

void Optimizer::Step(double factor) {
  PINTLE_CHECK(impl_->norm_is_fresh, "GradientNorm comes before each Step");
  impl_->norm_is_fresh = false;
  const double clip = impl_->options.clip_norm;
  const bool clipped = clip > 0 && impl_->norm > clip;
  const float gradient_scale = clipped ? static_cast<float>(clip / impl_->norm) : 1.0f;
  ++impl_->step;
  size_t i = 0;
  for (Parameter& p : impl_->parameters->all()) {
    ParameterState& state = impl_->states[i++];
    const double start = MonotonicSeconds();
    impl_->Update(p, state, factor, gradient_scale);
    const double updated = MonotonicSeconds();
    (state.muon ? impl_->times.muon : impl_->times.adamw) += updated - start;
    if (!state.ema.empty()) {
      kernels::Ema(impl_->options.ema_decay, p.weight.f32(), state.ema.f32(), p.shape.Count(), *impl_->pool);
      impl_->times.other += MonotonicSeconds() - updated;
    }
  }
}

int64_t Optimizer::step() const { return impl_->step; }
void Optimizer::set_step(int64_t step) { impl_->step = step; }

std::vector<NamedTensor> Optimizer::State() const {
  std::vector<NamedTensor> tensors;
  size_t i = 0;
  for (const Parameter& p : impl_->parameters->all()) {
    const ParameterState& state = impl_->states[i++];
    tensors.push_back({(state.muon ? "muon_m/" : "adamw_m/") + p.name, state.m});
    if (!state.muon) tensors.push_back({"adamw_v/" + p.name, state.v});
    if (!state.ema.empty()) tensors.push_back({"ema/" + p.name, state.ema});
  }
  return tensors;
}

void Optimizer::SwapEma() {
  PINTLE_CHECK(impl_->options.ema_decay > 0, "no average is kept");
  size_t i = 0;
  for (Parameter& p : impl_->parameters->all()) {
    std::swap_ranges(p.weight.f32(), p.weight.f32() + p.shape.Count(), impl_->states[i++].ema.f32());
  }
  impl_->parameters->RefreshBF16(*impl_->pool);
}

size_t Optimizer::state_bytes() const { return impl_->arena.capacity() + impl_->scratch.capacity(); }
const OptimizerTimes& Optimizer::times() const { return impl_->times; }

}  // namespace pintle
