#include "models/trm/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/rng.h"
#include "kernels/optimizer.h"
#include "models/trm/trainer_impl.h"

namespace pintle {
namespace {

// The step before which an exploring slot must not halt (0: none), as the reference draws it: with the given chance
// uniform in 2 .. halt_max_steps.
int32_t LeastSteps(const TrmConfig& config, const TrmTrainOptions& options, int64_t step, int64_t slot) {
  const std::array<uint32_t, 4> words =
      RandomBlock(options.seed, Purpose::kExplore, static_cast<uint64_t>(step), static_cast<uint32_t>(slot));
  if (static_cast<double>(UniformFloat(words[0])) >= options.halt_exploration || config.halt_max_steps < 2) return 0;
  return static_cast<int32_t>(2 + UniformBelow(words[1], static_cast<uint32_t>(config.halt_max_steps - 1)));
}

Status CheckOptions(const TrmTrainOptions& o) {
  const auto rate = [](double value) { return value >= 0 && value < 10; };
  const auto share = [](double value) { return value >= 0 && value < 1; };
  if (o.slots < 1 || o.slots > 4096) return ConfigError("slots must be between 1 and 4096", "slots");
  if (!rate(o.learning_rate) || !rate(o.puzzle_learning_rate)) return ConfigError("a learning rate is out of range");
  if (!rate(o.weight_decay) || !rate(o.puzzle_weight_decay)) return ConfigError("a weight decay is out of range");
  if (!share(o.beta1) || !share(o.beta2)) return ConfigError("betas must be in [0, 1)");
  if (!share(o.ema_decay)) return ConfigError("must be in [0, 1)", "ema_decay");
  if (o.halt_exploration < 0 || o.halt_exploration > 1) return ConfigError("must be in [0, 1]", "halt_exploration");
  if (o.warmup_steps < 0) return ConfigError("must not be negative", "warmup_steps");
  return {};
}

}  // namespace

TrmTrainer::TrmTrainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrmTrainer::~TrmTrainer() = default;

Result<std::unique_ptr<TrmTrainer>> TrmTrainer::Create(Trm& model, const TrmTrainOptions& options, ThreadPool& pool) {
  PINTLE_RETURN_IF_ERROR(CheckOptions(options));
  auto impl = std::make_unique<Impl>(*model.impl_, model, options, pool);
  impl->carry = model.NewCarry(options.slots);
  PINTLE_RETURN_IF_ERROR(impl->Plan());
  OptimizerOptions optimizer;
  optimizer.kind = OptimizerKind::kAdamAtan2;
  optimizer.learning_rate = 1;  // the step's factor is the rate itself
  optimizer.beta1 = options.beta1;
  optimizer.beta2 = options.beta2;
  optimizer.weight_decay = options.weight_decay;
  optimizer.clip_norm = 0;
  optimizer.ema_decay = options.ema_decay;
  PINTLE_ASSIGN(impl->optimizer, Optimizer::Create(optimizer, impl->model.registry, pool));
  return std::unique_ptr<TrmTrainer>(new TrmTrainer(std::move(impl)));
}

std::span<const uint8_t> TrmTrainer::halted() const { return impl_->slots.halted; }
int64_t TrmTrainer::step() const { return impl_->optimizer->step(); }
int64_t TrmTrainer::samples_taken() const { return impl_->slots.samples_taken; }
const TrmTrainOptions& TrmTrainer::options() const { return impl_->options; }
const TrmAnswer& TrmTrainer::answer() const { return impl_->answer; }
const TrmCarry& TrmTrainer::carry() const { return impl_->carry; }
void TrmTrainer::set_learning_rate(double rate) { impl_->options.learning_rate = rate; }
void TrmTrainer::SwapEma() {
  if (impl_->options.ema_decay > 0) impl_->optimizer->SwapEma();
}

Result<TrmStepReport> TrmTrainer::TrainStep(const TrmBatch& offered) {
  Impl& m = *impl_;
  Trm::Impl& model = m.model;
  const TrmConfig& config = model.config;
  if (offered.slots != m.options.slots) {
    return ValidationError("the batch has " + std::to_string(offered.slots) + " puzzles, the trainer " +
                           std::to_string(m.options.slots) + " slots");
  }
  PINTLE_RETURN_IF_ERROR(CheckTrmBatch(config, offered, true, m.slots.halted.data()));
  m.slots.Take(config, model.weights, offered, m.carry);

  model.registry.ZeroGradients(*m.pool);
  m.recursion->ForwardBackward(m.slots.current, 1.0 / static_cast<double>(m.options.slots), m.carry, m.answer, m.scores,
                               m.puzzle_gradient);
  TrmStepReport report;
  for (const TrmSlotScore& score : m.scores) {
    report.lm_loss += score.lm_loss;
    report.q_loss += score.q_loss;
    report.cells += score.cells;
    report.right_cells += score.right;
    report.exact += score.exact ? 1 : 0;
  }
  report.gradient_norm = m.optimizer->GradientNorm();
  if (!std::isfinite(report.lm_loss) || !std::isfinite(report.q_loss) || !std::isfinite(report.gradient_norm)) {
    return RuntimeError("the loss or its gradient is not finite in step " + std::to_string(step() + 1), "",
                        "lower the learning rate and go on from the last checkpoint");
  }

  const double warmup = m.options.warmup_steps > step()
                            ? static_cast<double>(step() + 1) / static_cast<double>(m.options.warmup_steps)
                            : 1.0;
  std::vector<int32_t> least(static_cast<size_t>(m.options.slots));
  for (int64_t slot = 0; slot < m.options.slots; ++slot) {
    least[static_cast<size_t>(slot)] = LeastSteps(config, m.options, step(), slot);
  }
  m.optimizer->Step(m.options.learning_rate * warmup);
  m.UpdatePuzzles(warmup);

  m.slots.Halt(config, m.answer.q, least.data());
  for (size_t slot = 0; slot < m.scores.size(); ++slot) {
    if (m.slots.halted[slot] == 0) continue;
    ++report.finished;
    report.finished_exact += m.scores[slot].exact ? 1 : 0;
    report.finished_steps += m.slots.steps[slot];
    report.finished_q_right += (m.answer.q[slot] > 0) == m.scores[slot].exact ? 1 : 0;
  }
  report.step = step();
  return report;
}

// Rows of the batch alone: gradients of equal ids are added in slot order, then one signed step.
void TrmTrainer::Impl::UpdatePuzzles(double warmup) {
  const int64_t width = model.config.width;
  std::vector<int32_t> ids = slots.current.puzzle_ids;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<float> sum(static_cast<size_t>(width));
  for (const int32_t id : ids) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (size_t slot = 0; slot < slots.current.puzzle_ids.size(); ++slot) {
      if (slots.current.puzzle_ids[slot] != id) continue;
      const float* row = puzzle_gradient.data() + static_cast<int64_t>(slot) * width;
      for (int64_t i = 0; i < width; ++i) sum[static_cast<size_t>(i)] += row[i];
    }
    kernels::SignSgd(options.puzzle_learning_rate * warmup, options.puzzle_weight_decay,
                     model.weights.puzzle_emb.data() + id * width, sum.data(), width);
  }
}

Status TrmTrainer::SetCycles(int64_t h_cycles, int64_t l_cycles) {
  PINTLE_RETURN_IF_ERROR(impl_->owner.SetCycles(h_cycles, l_cycles));
  return impl_->Plan();
}

Status TrmTrainer::SetGrid(int64_t rows, int64_t columns) {
  Impl& m = *impl_;
  PINTLE_RETURN_IF_ERROR(m.owner.SetGrid(rows, columns));
  const int64_t taken = m.slots.samples_taken;
  m.slots = TrmSlots(m.model.config, m.options.slots);
  m.slots.samples_taken = taken;
  m.carry = m.owner.NewCarry(m.options.slots);
  return m.Plan();
}

Status TrmTrainer::Impl::Plan() {
  recursion.reset();  // its memory, before the next plan's
  PINTLE_ASSIGN(recursion, TrmRecursion::Create(model.config, model.weights, options.slots, options.recompute, *pool));
  return {};
}

size_t TrmTrainer::memory_bytes() const {
  return impl_->recursion->memory_bytes() + impl_->optimizer->state_bytes() + impl_->model.registry.gradient_bytes();
}

}  // namespace pintle
