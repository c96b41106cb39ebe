#include "models/decoder/bench.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "base/interrupt.h"
#include "base/rng.h"
#include "base/time.h"
#include "kernels/peak.h"

namespace pintle {
namespace {

// One batch for all steps, so that the loss must fall.
TokenBatch RandomBatch(const BenchTrainOptions& options) {
  TokenBatch batch;
  batch.batch = options.batch;
  batch.time = options.time;
  RandomStream random(options.seed, Purpose::kTest, 0);
  const auto vocab = static_cast<uint32_t>(options.config.vocab);
  for (int64_t i = 0; i < options.batch * options.time; ++i) {
    batch.ids.push_back(static_cast<int32_t>(random.NextBelow(vocab)));
    batch.targets.push_back(static_cast<int32_t>(random.NextBelow(vocab)));
    batch.document.push_back(0);
    batch.position.push_back(static_cast<int32_t>(i % options.time));
  }
  return batch;
}

}  // namespace

Result<BenchTrainReport> BenchTrain(const BenchTrainOptions& options, ThreadPool& pool) {
  constexpr int64_t kWarmup = 2;
  constexpr int kPeakSamples = 100;
  BenchTrainReport report;
  report.peak_f32_gflops = kernels::PeakF32Gflops(pool, kPeakSamples);
  report.peak_bf16_gflops = kernels::PeakBF16Gflops(pool, kPeakSamples);

  DecoderConfig config = options.config;
  config.context = std::max(config.context, options.time);
  PINTLE_ASSIGN(const std::unique_ptr<Decoder> decoder, Decoder::Create(config, {true, options.recompute}, pool));
  decoder->Init(options.seed);
  OptimizerOptions optimizer_options;
  optimizer_options.kind = options.optimizer;
  optimizer_options.profile = config.profile;
  PINTLE_ASSIGN(const std::unique_ptr<Optimizer> optimizer,
                Optimizer::Create(optimizer_options, decoder->parameters(), pool));
  const TokenBatch batch = RandomBatch(options);
  report.parameters = decoder->parameters().Count();
  report.tokens_per_step = options.batch * options.time;

  std::vector<double> seconds;
  double cpu_seconds = 1e300;
  for (int64_t step = -kWarmup; step < options.steps; ++step) {
    if (Interrupted()) return RuntimeError("interrupted");
    if (step == 0) decoder->ResetTimes();
    const std::clock_t cpu_start = std::clock();
    const double start = MonotonicSeconds();
    double loss = 0;
    decoder->parameters().ZeroGradients(pool);
    const double zeroed = MonotonicSeconds();
    PINTLE_RETURN_IF_ERROR(decoder->TrainMicroBatch(batch, report.tokens_per_step, loss));
    optimizer->GradientNorm();
    optimizer->Step(1.0);
    const double end = MonotonicSeconds();
    report.last_loss = loss / static_cast<double>(report.tokens_per_step);
    if (step == -kWarmup) report.first_loss = report.last_loss;
    if (step < 0) continue;
    seconds.push_back(end - start);
    cpu_seconds = std::min(cpu_seconds, static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    report.update.adamw += optimizer->times().adamw;
    report.update.muon += optimizer->times().muon;
    report.update.other += optimizer->times().other + (zeroed - start);
  }

  const auto steps = static_cast<double>(options.steps);
  const DecoderTimes passes = decoder->times();
  report.passes = {passes.linear / steps, passes.head / steps, passes.attention / steps, passes.elementwise / steps};
  report.update = {report.update.adamw / steps, report.update.muon / steps, report.update.other / steps};
  std::sort(seconds.begin(), seconds.end());
  report.best_step_seconds = seconds.front();
  report.step_seconds = seconds[seconds.size() / 2];
  const auto tokens = static_cast<double>(report.tokens_per_step);
  report.tokens_per_s = tokens / report.step_seconds;
  report.best_tokens_per_s = tokens / report.best_step_seconds;
  report.tokens_per_cpu_s = tokens / cpu_seconds;
  report.gflops = report.tokens_per_s * TrainingFlopsPerToken(config, options.time) * 1e-9;
  const double peak = config.dtype == DType::kBF16 ? report.peak_bf16_gflops : report.peak_f32_gflops;
  report.percent_of_peak = 100 * report.gflops / peak;
  report.memory = decoder->memory();
  report.optimizer_bytes = optimizer->state_bytes();
  return report;
}

}  // namespace pintle
