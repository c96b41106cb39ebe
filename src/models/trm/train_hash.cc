#include "models/trm/train_hash.h"

#include <cstdio>
#include <memory>
#include <string_view>

#include "base/hash.h"
#include "base/rng.h"
#include "models/trm/trainer.h"
#include "models/trm/trm.h"

namespace pintle {
namespace {

constexpr int64_t kSlots = 7, kSteps = 20;  // slots that do not fill the last group

TrmConfig SmallConfig(const TrmHashCase& which) {
  TrmConfig c;
  c.rows = 3;
  c.columns = 4;
  c.cells = 12;
  c.vocab = 5;
  c.prefix = 2;
  c.width = 48;
  c.heads = 3;
  c.mixing = which.mixing;
  c.positions = which.positions;
  c.inner_rounding = 8;
  c.halt_max_steps = 4;
  c.puzzle_ids = 2;
  c.dtype = which.dtype;
  c.profile = which.profile;
  return c;
}

// Symbols 1 .. 3 to be answered by their successors; one cell in six is not scored.
TrmBatch SyntheticBatch(const TrmConfig& config, uint64_t step) {
  TrmBatch batch;
  batch.slots = kSlots;
  for (int64_t slot = 0; slot < kSlots; ++slot) {
    RandomStream random(7, Purpose::kTest, step * kSlots + static_cast<uint64_t>(slot));
    for (int64_t cell = 0; cell < config.cells; ++cell) {
      const auto symbol = static_cast<int32_t>(1 + random.NextBelow(3));
      batch.inputs.push_back(symbol);
      batch.labels.push_back(cell % 6 == 5 ? kTrmIgnored : symbol + 1);
    }
    batch.puzzle_ids.push_back(static_cast<int32_t>(slot % 2));
  }
  return batch;
}

template <typename T>
uint64_t Take(const T* values, size_t count, uint64_t hash) {
  return Fnv1a(std::string_view(reinterpret_cast<const char*>(values), count * sizeof(T)), hash);
}

}  // namespace

const std::vector<TrmHashCase>& TrmHashCases() {
  using kernels::Profile;
  static const std::vector<TrmHashCase> cases = {
      {"trm_bf16_mlp_t", TrmMixing::kMlpT, TrmPositions::kNone, DType::kBF16, Profile::kMuladd},
      {"trm_f32_muladd_mlp_t", TrmMixing::kMlpT, TrmPositions::kNone, DType::kF32, Profile::kMuladd},
      {"trm_bf16_attention_rope2d", TrmMixing::kAttention, TrmPositions::kRope2d, DType::kBF16, Profile::kMuladd},
      {"trm_f32_muladd_attention_rope", TrmMixing::kAttention, TrmPositions::kRope, DType::kF32, Profile::kMuladd},
      {"trm_bf16_local", TrmMixing::kLocal, TrmPositions::kNone, DType::kBF16, Profile::kMuladd},
      {"trm_f32_muladd_local", TrmMixing::kLocal, TrmPositions::kNone, DType::kF32, Profile::kMuladd},
      {"trm_f32_fma_attention", TrmMixing::kAttention, TrmPositions::kNone, DType::kF32, Profile::kFma},
  };
  return cases;
}

Result<TrmHash> RunTrmHash(const TrmHashCase& which, bool recompute, ThreadPool& pool) {
  const TrmConfig config = SmallConfig(which);
  PINTLE_ASSIGN(const std::unique_ptr<Trm> model, Trm::Create(config, true, pool));
  model->Init(1);
  TrmTrainOptions options;
  options.slots = kSlots;
  options.learning_rate = 1e-2;
  options.warmup_steps = 4;
  options.ema_decay = 0.9;
  options.recompute = recompute;
  PINTLE_ASSIGN(const std::unique_ptr<TrmTrainer> trainer, TrmTrainer::Create(*model, options, pool));

  TrmHash result;
  uint64_t hash = Fnv1a("");
  for (uint64_t step = 0; step < kSteps; ++step) {
    PINTLE_ASSIGN(const TrmStepReport report, trainer->TrainStep(SyntheticBatch(config, step)));
    hash = Take(&report.lm_loss, 1, hash);
    hash = Take(&report.q_loss, 1, hash);
    result.last_loss = report.lm_loss / kSlots;
    if (step == 0) result.first_loss = result.last_loss;
  }
  hash = Take(trainer->carry().z_h.data(), trainer->carry().z_h.size(), hash);
  trainer->SwapEma();
  for (const NamedTensor& t : model->parameters().Weights()) {
    hash = Take(t.tensor.f32(), static_cast<size_t>(t.tensor.count()), hash);
  }
  for (const NamedTensor& t : model->Buffers()) {
    hash = Take(t.tensor.f32(), static_cast<size_t>(t.tensor.count()), hash);
  }
  TrmCarry carry = model->NewCarry(kSlots);
  Trm::AddNoise(carry, 0.1, 3, 0);
  TrmAnswer answer;
  for (int step = 0; step < 3; ++step) {
    PINTLE_RETURN_IF_ERROR(model->Step(SyntheticBatch(config, kSteps), carry, answer));
    hash = Take(answer.logits.data(), answer.logits.size(), hash);
    hash = Take(answer.q.data(), answer.q.size(), hash);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  result.hash = text;
  return result;
}

}  // namespace pintle
