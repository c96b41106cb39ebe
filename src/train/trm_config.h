// The settings of one training run of a TRM: [trm], [trm.network], [trm.train] and [task] of a TOML file. They decide
// the bytes of the model; what decides only where and how long is in TrmTrainOptions (trm_train.h). The presets are
// files in configs/trm/presets. Not here: the tasks themselves (puzzles), the network's bounds (models/trm).
//
// Everything that changes during a run is a function of the step, never of the length of the run: a longer run begins
// with the same steps. The one exception is the cool-down, whose steps are the last ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/config.h"
#include "base/result.h"
#include "models/trm/config.h"
#include "models/trm/trainer.h"
#include "puzzles/task.h"

namespace pintle {

/// All settings of a run.
struct TrmRunConfig {
  // [trm]
  std::string task = "sudoku4";
  int64_t seed = 0;

  // [trm.network]: see TrmConfig.
  int64_t width = 128, layers = 2, heads = 4, prefix = 1;
  std::string mixing = "mlp_t", positions = "none";
  int64_t h_cycles = 2, l_cycles = 2;
  int64_t inner_rounding = 32, halt_max_steps = 16;
  std::string dtype = "bf16", profile = "muladd";

  // [trm.train]: see TrmTrainOptions.
  int64_t steps = 2000, batch = 64;
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.95, weight_decay = 0.1;
  double puzzle_lr = 1e-2, puzzle_weight_decay = 0.1;
  int64_t warmup_steps = 100;
  int64_t constant_steps = 0;  ///< behind them the rate falls as 1 / sqrt(step); 0 = never
  int64_t cooldown_steps = 0;  ///< the last steps, in which the rate goes to nothing
  double ema = 0.99, halt_exploration = 0.1;
  bool recompute = false;

  // The curriculum: all three go over to the real thing at their step.
  int64_t shallow_steps = 0, shallow_h_cycles = 1, shallow_l_cycles = 2;
  int64_t easy_steps = 0, easy_givens_low = 0, easy_givens_high = 0;
  int64_t small_steps = 0, small_by = 0;

  std::string data;         ///< a file of puzzles to train on beside the generated ones; "" = none
  double data_share = 0.5;  ///< of the puzzles, from that file

  int64_t checkpoint_interval = 500, keep_checkpoints = 2;
  int64_t log_interval = 10;
  int64_t eval_interval = 500, eval_puzzles = 128, eval_depth = 16, final_puzzles = 512;

  TaskOptions options;  ///< [task]

  void Visit(ConfigVisitor& v);
};

/// The network for a task, validated (config error).
Result<TrmConfig> NetworkOf(const TrmRunConfig& config, const Task& task);
/// What the trainer takes.
TrmTrainOptions TrainOptionsOf(const TrmRunConfig& config);

/// What holds at one step of a run (counted from 0).
struct TrmPhase {
  double learning_rate = 0;  ///< before the trainer's warm-up
  int64_t h_cycles = 0, l_cycles = 0;
  int64_t givens_low = 0, givens_high = 0;  ///< of generated Sudokus; 0 = the task's own
  int64_t smaller = 0;                      ///< cells a side less than the task's mazes have
};
/// `end` = number of steps of the run, 0 = not yet known (no cool-down then).
TrmPhase PhaseAt(const TrmRunConfig& config, int64_t step, int64_t end);

/// Identity of the settings: what the weights of a step depend on. Intervals, and the number of steps, are left out.
std::string TrmRunHash(const TrmRunConfig& config);

}  // namespace pintle
