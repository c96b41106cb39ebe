#include "nn/optimizer.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "kernels/elementwise.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "tensor/arena.h"

namespace pintle {
namespace {

// The state of one parameter: AdamW and AdamATan2 have m and v, Muon m alone.
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
  size_t scratch_bytes = 0;                        // of one thread
  std::vector<size_t> muon;                        // indices of Muon's parameters, largest first
  std::vector<std::unique_ptr<ThreadPool>> alone;  // one pool of one thread for each thread
  std::vector<ParameterState> states;              // one for each parameter, registry order
  int64_t step = 0;
  double norm = 0;
  bool norm_is_fresh = false;
  OptimizerTimes times;

  void UpdateAdamW(Parameter& p, ParameterState& state, double factor, float gradient_scale) const;
  void UpdateMuon(Parameter& p, ParameterState& state, double factor, float gradient_scale, int thread) const;
};

Optimizer::Optimizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Optimizer::~Optimizer() = default;

Result<std::unique_ptr<Optimizer>> Optimizer::Create(const OptimizerOptions& options, ParameterRegistry& parameters,
                                                     ThreadPool& pool) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->parameters = &parameters;
  impl->pool = &pool;
  size_t bytes = 0, scratch = 0, index = 0;
  for (const Parameter& p : parameters.all()) {
    PINTLE_CHECK(!p.gradient.empty(), "an optimizer needs gradients: " + p.name);
    ParameterState& state = impl->states.emplace_back();
    state.muon = options.kind == OptimizerKind::kMuon && p.group == ParameterGroup::kMatrix;
    const size_t one = Arena::BytesFor(DType::kF32, p.shape);
    bytes += one * (state.muon ? 1 : 2) + (options.ema_decay > 0 ? one : 0);
    if (state.muon) {
      scratch = std::max(scratch, static_cast<size_t>(kernels::MuonScratch(p.shape[0], p.shape[1])) * sizeof(float));
      impl->muon.push_back(index);
    }
    ++index;
  }
  std::sort(impl->muon.begin(), impl->muon.end(), [&](size_t a, size_t b) {
    const int64_t x = parameters.all()[a].shape.Count(), y = parameters.all()[b].shape.Count();
    return x != y ? x > y : a < b;
  });
  impl->scratch_bytes = Arena::Rounded(scratch);
  for (int thread = 0; thread < pool.threads(); ++thread) impl->alone.push_back(std::make_unique<ThreadPool>(1));
  PINTLE_ASSIGN(impl->arena, Arena::Create(bytes));
  PINTLE_ASSIGN(impl->scratch, Arena::Create(impl->scratch_bytes * impl->alone.size()));
  size_t i = 0;
  for (const Parameter& p : parameters.all()) {
    ParameterState& state = impl->states[i++];
    state.m = impl->arena.AllocateTensor(DType::kF32, p.shape);
    if (!state.muon) state.v = impl->arena.AllocateTensor(DType::kF32, p.shape);
    if (options.ema_decay > 0) state.ema = impl->arena.AllocateTensor(DType::kF32, p.shape);
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

void Optimizer::Impl::UpdateMuon(Parameter& p, ParameterState& state, double factor, float gradient_scale,
                                 int thread) const {
  kernels::MuonStep muon_step;
  muon_step.learning_rate = options.muon_learning_rate * factor;
  muon_step.momentum = options.muon_momentum;
  muon_step.weight_decay = options.muon_weight_decay;
  muon_step.gradient_scale = gradient_scale;
  muon_step.profile = options.profile;
  kernels::Muon(muon_step, p.weight.f32(), p.gradient.f32(), state.m.f32(),
                p.weight_bf16.empty() ? nullptr : p.weight_bf16.bf16(), p.shape[0], p.shape[1],
                reinterpret_cast<float*>(scratch.base() + static_cast<size_t>(thread) * scratch_bytes),
                *alone[static_cast<size_t>(thread)]);
}

void Optimizer::Impl::UpdateAdamW(Parameter& p, ParameterState& state, double factor, float gradient_scale) const {
  kernels::bf16* weight_bf16 = p.weight_bf16.empty() ? nullptr : p.weight_bf16.bf16();
  const double decay = p.weight_decay ? options.weight_decay : 0;
  if (options.kind == OptimizerKind::kAdamAtan2) {
    const kernels::AdamAtan2Step atan2 = {
        options.learning_rate * factor, options.beta1, options.beta2, decay, step, gradient_scale};
    kernels::AdamAtan2(atan2, p.weight.f32(), p.gradient.f32(), state.m.f32(), state.v.f32(), weight_bf16,
                       p.shape.Count(), *pool);
    return;
  }
  kernels::AdamWStep adamw;
  adamw.learning_rate = options.learning_rate * factor;
  adamw.beta1 = options.beta1;
  adamw.beta2 = options.beta2;
  adamw.eps = options.epsilon;
  adamw.weight_decay = decay;
  adamw.step = step;
  adamw.gradient_scale = gradient_scale;
  kernels::AdamW(adamw, p.weight.f32(), p.gradient.f32(), state.m.f32(), state.v.f32(), weight_bf16, p.shape.Count(),
                 *pool);
}

void Optimizer::Step(double factor) {
  Impl& m = *impl_;
  PINTLE_CHECK(m.norm_is_fresh, "GradientNorm comes before each Step");
  m.norm_is_fresh = false;
  const double clip = m.options.clip_norm;
  const bool clipped = clip > 0 && m.norm > clip;
  const float gradient_scale = clipped ? static_cast<float>(clip / m.norm) : 1.0f;
  std::deque<Parameter>& parameters = m.parameters->all();
  ++m.step;
  if (m.options.ema_decay > 0 && m.step == 1) {  // the average starts from the initial weights
    for (size_t i = 0; i < parameters.size(); ++i) {
      std::copy_n(parameters[i].weight.f32(), parameters[i].shape.Count(), m.states[i].ema.f32());
    }
  }

  const double start = MonotonicSeconds();
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!m.states[i].muon) m.UpdateAdamW(parameters[i], m.states[i], factor, gradient_scale);
  }
  const double adamw_done = MonotonicSeconds();
  // The matrices are small: one thread each wastes less than all threads on one.
  m.pool->ParallelForWithThread(static_cast<int64_t>(m.muon.size()), [&](int64_t item, int thread) {
    const size_t i = m.muon[static_cast<size_t>(item)];
    m.UpdateMuon(parameters[i], m.states[i], factor, gradient_scale, thread);
  });
  const double muon_done = MonotonicSeconds();
  if (m.options.ema_decay > 0) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      kernels::Ema(m.options.ema_decay, parameters[i].weight.f32(), m.states[i].ema.f32(), parameters[i].shape.Count(),
                   *m.pool);
    }
  }
  m.times.adamw = adamw_done - start;
  m.times.muon = m.muon.empty() ? 0 : muon_done - adamw_done;
  m.times.other += MonotonicSeconds() - muon_done;
}

int64_t Optimizer::step() const { return impl_->step; }
void Optimizer::set_step(int64_t step) { impl_->step = step; }

std::vector<NamedTensor> Optimizer::State() const {
  std::vector<NamedTensor> tensors;
  size_t i = 0;
  const std::string adam = impl_->options.kind == OptimizerKind::kAdamAtan2 ? "adam_atan2_" : "adamw_";
  for (const Parameter& p : impl_->parameters->all()) {
    const ParameterState& state = impl_->states[i++];
    tensors.push_back({(state.muon ? "muon_" : adam) + "m/" + p.name, state.m});
    if (!state.muon) tensors.push_back({adam + "v/" + p.name, state.v});
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
