#include "models/decoder/train_hash.h"

#include <cstdio>
#include <memory>
#include <string_view>

#include "base/hash.h"
#include "base/rng.h"
#include "models/decoder/decoder.h"
#include "nn/schedule.h"

namespace pintle {
namespace {

constexpr int64_t kBatch = 4, kTime = 64, kSteps = 20;

DecoderConfig SmallConfig(const TrainHashCase& which) {
  DecoderConfig c;
  c.vocab = 160;
  c.width = 32;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_dim = 16;
  c.ffn = 80;
  c.tied = true;
  c.context = kTime;
  c.dtype = which.dtype;
  c.profile = which.profile;
  return c;
}

// Rows [first, first + rows) of a step's batch: tokens that mostly follow the one before, documents of 23 tokens, every
// seventh target not scored.
TokenBatch SyntheticBatch(uint64_t step, int64_t first, int64_t rows, int64_t vocab) {
  TokenBatch batch;
  batch.batch = rows;
  batch.time = kTime;
  for (int64_t row = first; row < first + rows; ++row) {
    RandomStream random(7, Purpose::kTest, step * kBatch + static_cast<uint64_t>(row));
    auto token = static_cast<int32_t>(random.NextBelow(static_cast<uint32_t>(vocab)));
    for (int64_t t = 0; t < kTime; ++t) {
      batch.ids.push_back(token);
      batch.document.push_back(static_cast<int32_t>(t / 23));
      batch.position.push_back(static_cast<int32_t>(t % 23));
      const auto jump = static_cast<int64_t>(random.NextBelow(4));
      token = static_cast<int32_t>((token * 5 + 1 + jump) % vocab);
      batch.targets.push_back(t % 7 == 6 ? -100 : token);
    }
  }
  return batch;
}

std::string_view Bytes(const void* data, size_t size) { return {static_cast<const char*>(data), size}; }

}  // namespace

const std::vector<TrainHashCase>& TrainHashCases() {
  using kernels::Profile;
  static const std::vector<TrainHashCase> cases = {
      {"train_f32_fma_adamw", DType::kF32, Profile::kFma, OptimizerKind::kAdamW},
      {"train_f32_muladd_adamw", DType::kF32, Profile::kMuladd, OptimizerKind::kAdamW},
      {"train_bf16_adamw", DType::kBF16, Profile::kFma, OptimizerKind::kAdamW},
      {"train_bf16_muon", DType::kBF16, Profile::kFma, OptimizerKind::kMuon},
  };
  return cases;
}

Result<TrainHash> RunTrainHash(const TrainHashCase& which, int micro_batches, bool recompute, ThreadPool& pool) {
  const DecoderConfig config = SmallConfig(which);
  PINTLE_ASSIGN(const std::unique_ptr<Decoder> decoder, Decoder::Create(config, {true, recompute}, pool));
  decoder->Init(1);
  OptimizerOptions options;
  options.kind = which.optimizer;
  options.profile = which.profile;
  options.learning_rate = 1e-2;
  PINTLE_ASSIGN(const std::unique_ptr<Optimizer> optimizer, Optimizer::Create(options, decoder->parameters(), pool));
  const Schedule schedule = {ScheduleKind::kCosine, 4, kSteps, 0.1, 0.4};

  TrainHash result;
  uint64_t hash = Fnv1a("");
  const int64_t rows = kBatch / micro_batches;
  for (int64_t step = 0; step < kSteps; ++step) {
    std::vector<TokenBatch> micro;
    int64_t targets = 0;
    for (int64_t first = 0; first < kBatch; first += rows) {
      micro.push_back(SyntheticBatch(static_cast<uint64_t>(step), first, rows, config.vocab));
      for (const int32_t target : micro.back().targets) targets += target >= 0 ? 1 : 0;
    }
    decoder->parameters().ZeroGradients(pool);
    double loss = 0;
    for (const TokenBatch& batch : micro) PINTLE_RETURN_IF_ERROR(decoder->TrainMicroBatch(batch, targets, loss));
    optimizer->GradientNorm();
    optimizer->Step(ScheduleFactor(schedule, step));
    hash = Fnv1a(Bytes(&loss, sizeof loss), hash);
    result.last_loss = loss / static_cast<double>(targets);
    if (step == 0) result.first_loss = result.last_loss;
  }
  for (const Parameter& p : decoder->parameters().all()) {
    hash = Fnv1a(Bytes(p.weight.data(), static_cast<size_t>(p.weight.bytes())), hash);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  result.hash = text;
  return result;
}

}  // namespace pintle
