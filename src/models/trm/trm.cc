#include "models/trm/trm.h"

#include <algorithm>
#include <string>

#include "base/rng.h"
#include "kernels/math.h"
#include "models/trm/init.h"
#include "models/trm/slots.h"
#include "models/trm/trm_impl.h"

namespace pintle {
namespace {

Status OutOfRange(const char* what, int64_t value, int64_t limit, int64_t slot) {
  return ValidationError(std::string(what) + " " + std::to_string(value) + " is not between 0 and " +
                         std::to_string(limit - 1) + " (puzzle " + std::to_string(slot) + " of the batch)");
}

}  // namespace

Status CheckTrmBatch(const TrmConfig& config, const TrmBatch& batch, bool labels, const uint8_t* take) {
  const auto cells = static_cast<size_t>(batch.slots * config.cells);
  if (batch.slots < 1 || batch.inputs.size() != cells || (labels && batch.labels.size() != cells) ||
      batch.puzzle_ids.size() != static_cast<size_t>(batch.slots)) {
    return ValidationError("the batch has " + std::to_string(batch.inputs.size()) + " cells and " +
                           std::to_string(batch.puzzle_ids.size()) + " puzzle ids; this model takes " +
                           std::to_string(config.cells) + " cells a puzzle");
  }
  for (int64_t slot = 0; slot < batch.slots; ++slot) {
    if (take != nullptr && take[slot] == 0) continue;
    const int32_t id = batch.puzzle_ids[static_cast<size_t>(slot)];
    if (id < 0 || id >= config.puzzle_ids) return OutOfRange("puzzle id", id, config.puzzle_ids, slot);
    for (int64_t cell = slot * config.cells; cell < (slot + 1) * config.cells; ++cell) {
      const int32_t symbol = batch.inputs[static_cast<size_t>(cell)];
      if (symbol < 0 || symbol >= config.vocab) return OutOfRange("symbol", symbol, config.vocab, slot);
    }
  }
  return {};
}

// No weight may change its shape.
Status Trm::Impl::Reshape(const TrmConfig& to) {
  PINTLE_RETURN_IF_ERROR(ValidateTrmConfig(to, ""));
  PINTLE_ASSIGN(recursion, TrmRecursion::Create(to, weights, 0, false, *pool));
  config = to;
  return {};
}

Trm::Trm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Trm::~Trm() = default;
const TrmConfig& Trm::config() const { return impl_->config; }
ParameterRegistry& Trm::parameters() { return impl_->registry; }
const ParameterRegistry& Trm::parameters() const { return impl_->registry; }

Result<std::unique_ptr<Trm>> Trm::Create(const TrmConfig& config, bool training, ThreadPool& pool) {
  PINTLE_RETURN_IF_ERROR(ValidateTrmConfig(config, ""));
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->pool = &pool;
  impl->weights = DeclareTrm(config, impl->registry);
  PINTLE_RETURN_IF_ERROR(impl->registry.Allocate(training));
  PINTLE_ASSIGN(impl->recursion, TrmRecursion::Create(config, impl->weights, 0, false, pool));
  return std::unique_ptr<Trm>(new Trm(std::move(impl)));
}

std::vector<NamedTensor> Trm::Buffers() const {
  TrmWeights& w = impl_->weights;
  const int64_t width = impl_->config.width;
  return {{"H_init", Tensor(DType::kF32, {width}, w.h_init.data())},
          {"L_init", Tensor(DType::kF32, {width}, w.l_init.data())},
          {"puzzle_emb.weights", Tensor(DType::kF32, {impl_->config.puzzle_ids, width}, w.puzzle_emb.data())}};
}

void Trm::WeightsChanged() { impl_->registry.RefreshBF16(*impl_->pool); }

void Trm::Init(uint64_t seed) {
  InitTrm(seed, impl_->weights, impl_->registry, *impl_->pool);
  WeightsChanged();
}

Status Trm::SetCycles(int64_t h_cycles, int64_t l_cycles) {
  TrmConfig config = impl_->config;
  config.h_cycles = h_cycles;
  config.l_cycles = l_cycles;
  return impl_->Reshape(config);
}

Status Trm::SetGrid(int64_t rows, int64_t columns) {
  TrmConfig config = impl_->config;
  if (config.mixing != TrmMixing::kLocal) {
    return ValidationError("the weights of this model belong to its " + std::to_string(config.cells) + " cells");
  }
  config.rows = rows;
  config.columns = columns;
  config.cells = rows * columns;
  return impl_->Reshape(config);
}

TrmCarry Trm::NewCarry(int64_t slots) const {
  TrmCarry carry;
  carry.slots = slots;
  carry.z_h.resize(static_cast<size_t>(slots * impl_->config.positions_count() * impl_->config.width));
  carry.z_l.resize(carry.z_h.size());
  for (int64_t slot = 0; slot < slots; ++slot) ResetSlot(carry, slot);
  return carry;
}

void Trm::ResetSlot(TrmCarry& carry, int64_t slot) const { ResetTrmSlot(impl_->config, impl_->weights, carry, slot); }

void Trm::AddNoise(TrmCarry& carry, double sigma, uint64_t seed, uint64_t step) {
  const size_t per_slot = carry.z_l.size() / static_cast<size_t>(std::max<int64_t>(1, carry.slots));
  for (size_t i = 0; i < carry.z_l.size(); ++i) {
    const uint64_t draw = step << 24 | i / per_slot;
    const std::array<uint32_t, 4> words =
        RandomBlock(seed, Purpose::kSample, draw, static_cast<uint32_t>(i % per_slot));
    const double u = (static_cast<double>(words[0]) + 0.5) * 0x1p-32;
    const double angle = 6.28318530717958647692 * (static_cast<double>(words[1]) * 0x1p-32);
    const double normal = kernels::Sqrt(-2 * kernels::Log(u)) * kernels::Cos(angle);
    carry.z_l[i] += static_cast<float>(sigma * normal);
  }
}

Status Trm::Step(const TrmBatch& batch, TrmCarry& carry, TrmAnswer& answer, const TrmObserver& observer) {
  PINTLE_RETURN_IF_ERROR(CheckTrmBatch(impl_->config, batch, false, nullptr));
  const auto state = static_cast<size_t>(batch.slots * impl_->config.positions_count() * impl_->config.width);
  if (carry.slots != batch.slots || carry.z_h.size() != state || carry.z_l.size() != state) {
    return ValidationError("the carry holds " + std::to_string(carry.slots) + " puzzles, the batch " +
                           std::to_string(batch.slots));
  }
  impl_->recursion->Forward(batch, carry, answer, observer);
  return {};
}

void Trm::Decode(std::span<const float> z, int64_t slots, std::vector<float>& logits) {
  impl_->recursion->Decode(z, slots, logits);
}

std::vector<int32_t> TrmArgmax(std::span<const float> logits, int64_t vocab) {
  std::vector<int32_t> best;
  for (size_t at = 0; at + static_cast<size_t>(vocab) <= logits.size(); at += static_cast<size_t>(vocab)) {
    const float* row = logits.data() + at;
    best.push_back(static_cast<int32_t>(std::max_element(row, row + vocab) - row));
  }
  return best;
}

}  // namespace pintle
