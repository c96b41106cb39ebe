// The training stage of puzzles: settings in, DIR out (run.jsonl, config.toml, checkpoints/, model/). Weights start
// from random numbers, puzzles are made as they are needed. Same settings and number of steps give the same weights for
// any number of threads and however often the run was interrupted and resumed. Not here: the arithmetic (models/trm),
// the puzzles (puzzles), evaluation of finished models (evaluate).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "train/trm_config.h"

namespace pintle {

/// What decides where and how long, but not the bytes of a step.
struct TrmTrainStageOptions {
  std::filesystem::path out;
  TrmRunConfig config;
  double minutes = 0;      ///< > 0: train so long (over all resumed parts) instead of config.steps
  int64_t until_step = 0;  ///< save and stop after this step; 0 = the end
  bool fresh = false;      ///< remove the run that is there
  int threads = 0;         ///< 0 = all
  bool plan_only = false;  ///< narrate the plan, change nothing
};

/// How a run ended. Accuracies are of the EMA weights on unseen puzzles.
struct TrmTrainSummary {
  bool finished = false;    ///< DIR/model is written
  bool up_to_date = false;  ///< it was there already
  std::string stop_reason;  ///< "finished", "interrupted" (Ctrl-C), "limit", "plan"
  int64_t step = 0;
  int64_t parameters = 0;
  double exact = 0, cells = 0;                    ///< when finished
  double baseline_exact = 0, baseline_cells = 0;  ///< of the task's baseline on the same puzzles
  double seconds = 0;                             ///< of training, over all resumed parts
  std::string weights_sha256;                     ///< of model/model.safetensors, when finished
};

/// Trains until the end, a limit or Ctrl-C (both save a checkpoint first). A run in DIR with the same settings goes on;
/// one with others is a config error. A loss that is not finite is a runtime error; the newest checkpoint is then the
/// last good state. Narrates plan, progress and evaluations on stderr.
Result<TrmTrainSummary> TrainTrm(const TrmTrainStageOptions& options);

}  // namespace pintle
