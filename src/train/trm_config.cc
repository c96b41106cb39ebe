#include "train/trm_config.h"

#include <algorithm>

#include "kernels/math.h"

namespace pintle {

void TrmRunConfig::Visit(ConfigVisitor& v) {
  constexpr int64_t kSteps = 100'000'000;
  v.Section("trm");
  v.String("task", task, {}, "what to learn; `pintle trm tasks` lists them");
  v.Int("seed", seed, 0, int64_t{1} << 62, "of the initial weights, the puzzles and the exploration");
  v.Section("trm.network");
  v.Int("width", width, 16, 4096, "D, a multiple of 16");
  v.Int("layers", layers, 1, 16, "of the one network that both states share");
  v.String("mixing", mixing, {"mlp_t", "attention", "local"}, "how positions exchange information");
  v.String("positions", positions, {"none", "rope", "rope2d"}, "what attention knows about positions");
  v.Int("heads", heads, 1, 64, "of attention");
  v.Int("prefix", prefix, 1, 64, "P, positions in front of the cells");
  v.Int("h_cycles", h_cycles, 1, 64, "T, updates of z_H a supervision step; only the last has a gradient");
  v.Int("l_cycles", l_cycles, 1, 64, "n, updates of z_L before each update of z_H");
  v.Int("inner_rounding", inner_rounding, 1, 1024, "inner widths are rounded up to a multiple (the paper's code: 256)");
  v.Int("halt_max_steps", halt_max_steps, 1, 1024, "supervision steps after which a slot takes a new puzzle");
  v.String("dtype", dtype, {"bf16", "fp32"}, "what matrices multiply in; sums are fp32");
  v.String("profile", profile, {"muladd", "fma"}, "how fp32 products are added; muladd is the same everywhere");
  v.Section("trm.train");
  v.Int("steps", steps, 1, kSteps, "optimizer steps of the run");
  v.Int("batch", batch, 1, 65536, "B, puzzles side by side");
  v.Double("lr", lr, 0, 1, "AdamATan2's rate at its height");
  v.Double("beta1", beta1, 0, 0.9999, "of the first moment");
  v.Double("beta2", beta2, 0, 0.99999, "of the second moment");
  v.Double("weight_decay", weight_decay, 0, 10, "decoupled decay of every trained tensor");
  v.Double("puzzle_lr", puzzle_lr, 0, 1, "rate of the puzzle embeddings");
  v.Double("puzzle_weight_decay", puzzle_weight_decay, 0, 10, "their decay");
  v.Int("warmup_steps", warmup_steps, 0, kSteps, "steps with a rising rate");
  v.Int("constant_steps", constant_steps, 0, kSteps, "behind them the rate falls as 1 / sqrt(step); 0 = never");
  v.Int("cooldown_steps", cooldown_steps, 0, kSteps, "the last steps, in which the rate goes to nothing");
  v.Double("ema", ema, 0, 0.99999, "decay of the average of the weights, which is the model");
  v.Double("halt_exploration", halt_exploration, 0, 1, "chance that a slot may not halt before a random step");
  v.Bool("recompute", recompute, "compute activations again in the backward pass: less memory, more time, same bits");
  v.Int("shallow_steps", shallow_steps, 0, kSteps, "steps with the shallow recursion first");
  v.Int("shallow_h_cycles", shallow_h_cycles, 1, 64, "T of those steps");
  v.Int("shallow_l_cycles", shallow_l_cycles, 1, 64, "n of those steps");
  v.Int("easy_steps", easy_steps, 0, kSteps, "steps in which the givens go from easy to the task's own");
  v.Int("easy_givens_low", easy_givens_low, 0, 255, "sudoku: fewest givens at the first step");
  v.Int("easy_givens_high", easy_givens_high, 0, 255, "sudoku: most givens at the first step");
  v.Int("small_steps", small_steps, 0, kSteps, "steps in which mazes grow to the task's own size (local mixing)");
  v.Int("small_by", small_by, 0, 40, "mazes: cells a side less at the first step");
  v.String("data", data, {}, "a file of puzzles to train on beside the generated ones");
  v.Double("data_share", data_share, 0, 1, "of the puzzles, from that file");
  v.Int("checkpoint_interval", checkpoint_interval, 1, kSteps, "steps between checkpoints");
  v.Int("keep_checkpoints", keep_checkpoints, 1, 1000, "how many stay on the disk");
  v.Int("log_interval", log_interval, 1, kSteps, "steps that share a line of run.jsonl");
  v.Int("eval_interval", eval_interval, 0, kSteps, "steps between evaluations; 0 = only at the end");
  v.Int("eval_puzzles", eval_puzzles, 1, 1'000'000, "unseen puzzles of each");
  v.Int("eval_depth", eval_depth, 1, 1024, "supervision steps of each");
  v.Int("final_puzzles", final_puzzles, 1, 1'000'000, "unseen puzzles of the last evaluation");
  options.Visit(v);
}

Result<TrmConfig> NetworkOf(const TrmRunConfig& config, const Task& task) {
  TrmConfig network;
  network.cells = task.cells();
  network.vocab = task.vocabulary();
  network.prefix = config.prefix;
  network.width = config.width;
  network.layers = config.layers;
  network.mixing = config.mixing == "attention" ? TrmMixing::kAttention
                   : config.mixing == "local"   ? TrmMixing::kLocal
                                                : TrmMixing::kMlpT;
  network.positions = config.positions == "rope"     ? TrmPositions::kRope
                      : config.positions == "rope2d" ? TrmPositions::kRope2d
                                                     : TrmPositions::kNone;
  network.heads = config.heads;
  network.rows = task.info().rows;
  network.columns = task.info().cols;
  network.h_cycles = config.h_cycles;
  network.l_cycles = config.l_cycles;
  network.inner_rounding = config.inner_rounding;
  network.halt_max_steps = config.halt_max_steps;
  network.puzzle_ids = task.info().puzzle_ids;
  network.dtype = config.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  network.profile = config.profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
  if (Status status = ValidateTrmConfig(network, "[trm.network]"); !status.ok()) {
    Error error = std::move(status).error();
    error.code = Code::kConfig;
    return error;
  }
  return network;
}

TrmTrainOptions TrainOptionsOf(const TrmRunConfig& config) {
  TrmTrainOptions options;
  options.slots = config.batch;
  options.learning_rate = config.lr;
  options.beta1 = config.beta1;
  options.beta2 = config.beta2;
  options.weight_decay = config.weight_decay;
  options.puzzle_learning_rate = config.puzzle_lr;
  options.puzzle_weight_decay = config.puzzle_weight_decay;
  options.warmup_steps = config.warmup_steps;
  options.ema_decay = config.ema;
  options.halt_exploration = config.halt_exploration;
  options.seed = static_cast<uint64_t>(config.seed);
  options.recompute = config.recompute;
  return options;
}

TrmPhase PhaseAt(const TrmRunConfig& config, int64_t step, int64_t end) {
  TrmPhase phase;
  phase.learning_rate = config.lr;
  if (config.constant_steps > 0 && step >= config.constant_steps) {
    phase.learning_rate *= kernels::Sqrt(static_cast<double>(config.constant_steps) / static_cast<double>(step + 1));
  }
  if (end > 0 && config.cooldown_steps > 0) {
    phase.learning_rate *=
        std::min(1.0, static_cast<double>(end - step) / static_cast<double>(config.cooldown_steps + 1));
  }
  const bool shallow = step < config.shallow_steps;
  phase.h_cycles = shallow ? config.shallow_h_cycles : config.h_cycles;
  phase.l_cycles = shallow ? config.shallow_l_cycles : config.l_cycles;
  phase.givens_low = config.options.givens_low;
  phase.givens_high = config.options.givens_high;
  if (step < config.easy_steps) {
    const auto between = [&](int64_t easy, int64_t real) { return easy + (real - easy) * step / config.easy_steps; };
    phase.givens_low = between(config.easy_givens_low, phase.givens_low);
    phase.givens_high = between(config.easy_givens_high, phase.givens_high);
  }
  if (step < config.small_steps) phase.smaller = config.small_by - config.small_by * step / config.small_steps;
  return phase;
}

std::string TrmRunHash(const TrmRunConfig& config) {
  TrmRunConfig hashed = config;
  const TrmRunConfig plain;
  hashed.steps = plain.steps;
  hashed.recompute = plain.recompute;
  hashed.checkpoint_interval = plain.checkpoint_interval;
  hashed.keep_checkpoints = plain.keep_checkpoints;
  hashed.log_interval = plain.log_interval;
  hashed.eval_interval = plain.eval_interval;
  hashed.eval_puzzles = plain.eval_puzzles;
  hashed.eval_depth = plain.eval_depth;
  hashed.final_puzzles = plain.final_puzzles;
  return ConfigHash([&](ConfigVisitor& v) { hashed.Visit(v); });
}

}  // namespace pintle
