#include "train/train_config.h"

#include <algorithm>

namespace pintle {
namespace {

// What the weights do not depend on.
void ForgetConveniences(TrainConfig& config) {
  const TrainConfig plain;
  config.recompute = plain.recompute;
  config.checkpoint_interval = plain.checkpoint_interval;
  config.keep_checkpoints = plain.keep_checkpoints;
  config.eval_interval = plain.eval_interval;
  config.eval_batches = plain.eval_batches;
  config.sample_interval = plain.sample_interval;
  config.sample_tokens = plain.sample_tokens;
  config.spike_limit = plain.spike_limit;
  config.spike_patience = plain.spike_patience;
}

int64_t Ceiling(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) < value ? whole + 1 : whole;
}

}  // namespace

void TrainConfig::Visit(ConfigVisitor& v) {
  constexpr int64_t kMany = 1'000'000'000'000;
  v.Section("train");
  v.String("preset", preset, DecoderPresetNames(), "shape of the model");
  v.String("dtype", dtype, {"bf16", "fp32"}, "what matrices multiply in; sums are fp32");
  v.String("profile", profile, {"fma", "muladd"}, "how fp32 products are added");
  v.Int("seed", seed, 0, int64_t{1} << 62, "of the initial weights, the order of the data and its splits");
  v.Int("steps", steps, 0, 100'000'000, "steps of the run; 0: see tokens");
  v.Int("tokens", tokens, 0, kMany, "tokens of the run; 0: see epochs");
  v.Double("epochs", epochs, 0.0001, 1000, "passes over the training split");
  v.Int("batch", batch, 1, 4096, "rows a micro-batch; memory grows with it");
  v.Int("accum", accum, 1, 4096, "micro-batches a step");
  v.Int("time", time, 16, 65536, "tokens a row");
  v.String("optimizer", optimizer, {"adamw", "muon"}, "muon: Muon for the block matrices, AdamW for the rest");
  v.Double("lr", lr, 0, 1, "AdamW's rate at its height");
  v.Double("muon_lr", muon_lr, 0, 1, "Muon's rate at its height");
  v.Double("muon_weight_decay", muon_weight_decay, 0, 1, "decoupled decay of Muon's matrices");
  v.Double("beta1", beta1, 0, 0.9999, "AdamW's first moment");
  v.Double("beta2", beta2, 0, 0.99999, "AdamW's second moment");
  v.Double("weight_decay", weight_decay, 0, 10, "AdamW's decoupled decay of 2-D tensors");
  v.Double("clip", clip, 0, 1000, "largest gradient norm; 0 = no clipping");
  v.String("schedule", schedule, {"cosine", "wsd", "constant"}, "of the rate after the warm-up");
  v.Double("warmup", warmup, 0, 1, "share of the steps with a rising rate");
  v.Double("decay", decay, 0, 1, "share of the steps with a falling rate (wsd)");
  v.Double("final_factor", final_factor, 0, 1, "of the rate at the end");
  v.Double("ema", ema, 0, 0.99999, "decay of an average of the weights, which is then the model; 0 = none");
  v.Double("fim_rate", fim_rate, 0, 1, "share of the documents rearranged for fill-in-the-middle");
  v.Double("spm_rate", spm_rate, 0, 1, "share of suffix-prefix-middle among those");
  v.Bool("recompute", recompute, "compute activations again in the backward pass: less memory, more time, same bits");
  v.Int("checkpoint_interval", checkpoint_interval, 1, 100'000'000, "steps between checkpoints");
  v.Int("keep_checkpoints", keep_checkpoints, 1, 1000, "how many stay on the disk");
  v.Int("eval_interval", eval_interval, 0, 100'000'000, "steps between validations; 0 = only at the end");
  v.Int("eval_batches", eval_batches, 1, 1'000'000, "micro-batches of a validation");
  v.Int("sample_interval", sample_interval, 0, 100'000'000, "steps between printed samples; 0 = none");
  v.Int("sample_tokens", sample_tokens, 1, 100'000, "tokens of a sample");
  v.Double("spike_limit", spike_limit, 0.1, 1000, "nats above the running loss that count as a spike");
  v.Int("spike_patience", spike_patience, 1, 1'000'000, "spikes in a row that stop the run");
  v.Section("model");
  v.Int("width", width, 0, 65536, "C; 0 = the preset's, here and below");
  v.Int("layers", layers, 0, 1024, "L");
  v.Int("heads", heads, 0, 1024, "H");
  v.Int("kv_heads", kv_heads, 0, 1024, "G, divides H");
  v.Int("head_dim", head_dim, 0, 1024, "D");
  v.Int("ffn", ffn, 0, 262144, "F");
  v.Int("context", context, 0, 1 << 20, "longest sequence; at least train.time");
  v.String("tied", tied, {"preset", "yes", "no"}, "whether the head is the embedding table");
}

Result<DecoderConfig> DecoderConfigOf(const TrainConfig& config, int64_t vocab) {
  PINTLE_ASSIGN(DecoderConfig decoder, DecoderPreset(config.preset));
  const auto take = [](int64_t from, int64_t& to) {
    if (from != 0) to = from;
  };
  take(config.width, decoder.width);
  take(config.layers, decoder.layers);
  take(config.heads, decoder.heads);
  take(config.kv_heads, decoder.kv_heads);
  take(config.head_dim, decoder.head_dim);
  take(config.ffn, decoder.ffn);
  take(config.context, decoder.context);
  if (config.tied != "preset") decoder.tied = config.tied == "yes";
  decoder.vocab = vocab;
  decoder.dtype = config.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  decoder.profile = config.profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
  if (config.time > decoder.context) {
    return ConfigError("train.time " + std::to_string(config.time) + " is more than the context " +
                           std::to_string(decoder.context) + " of " + config.preset,
                       "train.time", "lower train.time or set model.context");
  }
  PINTLE_RETURN_IF_ERROR(ValidateDecoderConfig(decoder, "the training configuration"));
  return decoder;
}

OptimizerOptions OptimizerOptionsOf(const TrainConfig& config) {
  OptimizerOptions options;
  options.kind = config.optimizer == "muon" ? OptimizerKind::kMuon : OptimizerKind::kAdamW;
  options.learning_rate = config.lr;
  options.beta1 = config.beta1;
  options.beta2 = config.beta2;
  options.weight_decay = config.weight_decay;
  options.clip_norm = config.clip;
  options.muon_learning_rate = config.muon_lr;
  options.muon_weight_decay = config.muon_weight_decay;
  options.ema_decay = config.ema;
  options.profile = config.profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
  return options;
}

Result<Schedule> ScheduleOf(const TrainConfig& config, int64_t steps) {
  Schedule schedule;
  PINTLE_ASSIGN(schedule.kind, ParseScheduleKind(config.schedule));
  schedule.total_steps = steps;
  schedule.warmup_steps = std::min(steps, Ceiling(config.warmup * static_cast<double>(steps)));
  schedule.final_factor = config.final_factor;
  schedule.decay_fraction = config.decay;
  return schedule;
}

int64_t StepsOf(const TrainConfig& config, int64_t tokens_per_epoch) {
  if (config.steps > 0) return config.steps;
  const int64_t a_step = config.batch * config.accum * config.time;
  if (config.tokens > 0) return std::max<int64_t>((config.tokens + a_step - 1) / a_step, 1);
  return std::max<int64_t>(Ceiling(config.epochs * static_cast<double>(tokens_per_epoch) / static_cast<double>(a_step)),
                           1);
}

std::string TrainConfigHash(const TrainConfig& config) {
  TrainConfig hashed = config;
  ForgetConveniences(hashed);
  return ConfigHash([&](ConfigVisitor& v) { hashed.Visit(v); });
}

}  // namespace pintle
