// The settings of one training run: [train] and [model] of a TOML file. They decide the bytes of the model; what
// decides only where and how long (work folder, threads, time limits) is in TrainOptions (train.h).
#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"
#include "base/result.h"
#include "models/decoder/config.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

namespace pintle {

/// Sections [train] and [model].
struct TrainConfig {
  std::string preset = "m31r-6m";
  std::string dtype = "bf16";
  std::string profile = "fma";
  int64_t seed = 0;

  // How long: the first of the three that is not 0.
  int64_t steps = 0;
  int64_t tokens = 0;
  double epochs = 1;

  int64_t batch = 4;   ///< rows a micro-batch
  int64_t accum = 4;   ///< micro-batches a step
  int64_t time = 512;  ///< tokens a row

  std::string optimizer = "muon";
  double lr = 3e-3;       ///< AdamW's
  double muon_lr = 0.02;  ///< Muon's
  double muon_weight_decay = 0.0;
  double beta1 = 0.9, beta2 = 0.95;
  double weight_decay = 0.1;
  double clip = 1.0;
  std::string schedule = "wsd";
  double warmup = 0.02;        ///< share of the steps
  double decay = 0.4;          ///< share of the steps (wsd)
  double final_factor = 0.05;  ///< of the rate at the end
  double ema = 0;

  double fim_rate = 0.5;
  double spm_rate = 0.5;

  bool recompute = false;
  int64_t checkpoint_interval = 500;
  int64_t keep_checkpoints = 2;
  int64_t eval_interval = 250;
  int64_t eval_batches = 16;
  int64_t sample_interval = 500;
  int64_t sample_tokens = 48;
  double spike_limit = 2.0;     ///< nats above the running mean
  int64_t spike_patience = 20;  ///< steps in a row

  // [model]: other extents than the preset's; 0 = the preset's.
  int64_t width = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, context = 0;
  std::string tied = "preset";

  void Visit(ConfigVisitor& v);
};

/// The decoder that the settings describe for a vocabulary of `vocab` ids, validated (config error), at most 500 M
/// weights.
Result<DecoderConfig> DecoderConfigOf(const TrainConfig& config, int64_t vocab);
OptimizerOptions OptimizerOptionsOf(const TrainConfig& config);
/// The schedule of a run of `steps` steps; the warm-up takes at least one step if it is not 0.
Result<Schedule> ScheduleOf(const TrainConfig& config, int64_t steps);
/// Number of steps for a dataset of `tokens_per_epoch` tokens, at least 1.
int64_t StepsOf(const TrainConfig& config, int64_t tokens_per_epoch);
/// Identity of the settings: keys that do not change the model's bytes (intervals, limits) are left out.
std::string TrainConfigHash(const TrainConfig& config);

}  // namespace pintle
