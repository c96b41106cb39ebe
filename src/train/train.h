// The training stage: WORK/tokenizer and WORK/shards in, WORK/run out (run.jsonl, config.toml, checkpoints/, model/).
// Weights start from random numbers, always: there is no way in for a foreign model. Same inputs and settings give the
// same weights for any number of threads and however often the run was interrupted and resumed. Not here: the
// arithmetic (models/decoder, nn), the data (loader.h), evaluation with a compiler (evaluate).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "train/quick_check.h"
#include "train/train_config.h"

namespace pintle {

enum class TrainMode {
  kContinue,  ///< go on with an unfinished run of the same settings and data; another one there is an error
  kReplace,   ///< as kContinue, but another one there is removed first
  kFresh,     ///< remove what is there and start
  kResume,    ///< go on with the settings found in WORK/run/config.toml; `config` is not looked at
};

/// What decides where and how long, but not the bytes of the result.
struct TrainOptions {
  std::filesystem::path work;
  TrainConfig config;
  TrainMode mode = TrainMode::kContinue;
  int threads = 0;         ///< 0 = all
  int64_t until_step = 0;  ///< save and stop after this step; 0 = the end
  double max_seconds = 0;  ///< save and stop after so long; 0 = no limit
  bool plan_only = false;  ///< print the plan, change nothing
  ProgramJudge judge;      ///< asked with each sample; empty = samples are parsed, not compiled
};

/// How a run ended.
struct TrainSummary {
  bool finished = false;    ///< WORK/run/model is written
  bool up_to_date = false;  ///< it was there already, made from the same settings and data
  std::string stop_reason;  ///< "finished", "interrupted" (Ctrl-C), "limit", "plan"
  int64_t step = 0, steps = 0;
  int64_t parameters = 0;
  double loss = 0;             ///< of the last step, nats a target
  double bits_per_byte = 0;    ///< of the last validation; 0 = none
  std::string weights_sha256;  ///< of model/model.safetensors, when finished
};

/// Trains until the end, a limit or Ctrl-C (both save a checkpoint first). A loss that is not finite or stays high ends
/// with a runtime error; the newest checkpoint is then the last good state. Narrates the plan, progress, validations
/// and samples on stderr.
Result<TrainSummary> Train(const TrainOptions& options);

}  // namespace pintle
