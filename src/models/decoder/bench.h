// `pintle bench train`: whole training steps on random tokens, beside the machine's peak measured in the same run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/decoder/decoder.h"
#include "nn/optimizer.h"

namespace pintle {

/// What to measure.
struct BenchTrainOptions {
  DecoderConfig config;
  OptimizerKind optimizer = OptimizerKind::kAdamW;
  bool recompute = false;
  int64_t batch = 4, time = 512;
  int64_t steps = 12;  ///< measured, after two that are not
  uint64_t seed = 0;
};

/// What was measured; seconds are wall time unless said.
struct BenchTrainReport {
  int64_t parameters = 0, tokens_per_step = 0;
  double step_seconds = 0, best_step_seconds = 0;  ///< median and best step
  double tokens_per_s = 0, best_tokens_per_s = 0;
  double tokens_per_cpu_s = 0;  ///< per second of processor time, best step: what other load on the machine cannot take
  double gflops = 0;            ///< of the median step, counted by TrainingFlopsPerToken
  double peak_f32_gflops = 0, peak_bf16_gflops = 0;
  double percent_of_peak = 0;  ///< gflops over the peak of the dtype in use
  DecoderTimes passes;         ///< mean seconds a step
  OptimizerTimes update;       ///< mean seconds a step
  DecoderMemory memory;
  size_t optimizer_bytes = 0;
  double first_loss = 0, last_loss = 0;  ///< mean nats: a step that computes nothing would show here
};

Result<BenchTrainReport> BenchTrain(const BenchTrainOptions& options, ThreadPool& pool);

}  // namespace pintle
