// One run of the puzzle trainer in memory: model, trainer, puzzles, log, and the parts that the loop in trm_train.cc
// calls in turn.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/solve.h"
#include "models/trm/trainer.h"
#include "train/run_log.h"
#include "train/trm_config.h"
#include "train/trm_samples.h"

namespace pintle {

/// The EMA weights on unseen puzzles, and the baseline on the same.
struct TrmValidation {
  TrmScore score, baseline;
  double mean_steps = 0;  ///< until the halting head was content, or the depth
};

/// One run: model, trainer, puzzles and their state on disk.
class TrmRun {
 public:
  /// Makes task, network and trainer; the weights are those of step 0.
  static Result<std::unique_ptr<TrmRun>> Open(const std::filesystem::path& out, const TrmRunConfig& config,
                                              int threads);

  /// Goes back to a checkpoint. One of other settings, or further than `end` allows, is a config error; damage is a
  /// validation error. `end` as in PhaseAt; a run by the clock that has fixed its end keeps it.
  Status Restore(const std::filesystem::path& checkpoint, int64_t end);
  /// Opens run.jsonl and config.toml and writes the line of the start.
  Status Begin();

  /// One step: puzzles for the slots that have halted, the update, and a line of the log when it is due.
  Status Step();
  /// `count` unseen puzzles from number `first` on at the depth of the settings.
  Result<TrmValidation> Validate(int64_t first, int64_t count);
  /// Writes a checkpoint of this step unless it is there already.
  Status Save();
  /// Writes DIR/model; returns the SHA-256 of model.safetensors.
  Result<std::string> WriteModel(const TrmValidation& validation);
  Status LogStop(const std::string& reason);

  /// Number of steps of the run; 0 = by the clock, not yet known.
  [[nodiscard]] int64_t end() const { return end_; }
  void set_end(int64_t end) { end_ = end; }
  [[nodiscard]] int64_t step() const { return trainer_->step(); }
  /// Seconds of training in all parts of the run.
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double seconds_per_step() const { return seconds_per_step_; }
  /// "loss 0.412, exact 37.5 %, cells 91.2 %", of the last step's slots.
  [[nodiscard]] const std::string& figures() const { return figures_; }
  [[nodiscard]] int64_t parameters() const { return TrmParameterCount(model_->config()); }
  [[nodiscard]] const std::string& identity() const { return identity_; }
  [[nodiscard]] std::string Plan() const;

 private:
  TrmRun(std::filesystem::path out, const TrmRunConfig& config, int threads)
      : out_(std::move(out)), config_(config), pool_(threads) {}
  Status SetPhase(const TrmPhase& phase);
  // What the model is for: the task's own grid while `work` runs, whatever grid the run is at.
  Status OnTaskGrid(const std::function<Status()>& work);
  Status Log(const TrmStepReport& report, const TrmPhase& phase);

  std::filesystem::path out_;
  TrmRunConfig config_;
  ThreadPool pool_;
  std::unique_ptr<TrmSamples> samples_;
  std::unique_ptr<Trm> model_;
  std::unique_ptr<TrmTrainer> trainer_;
  std::string identity_;
  std::optional<RunLog> log_;
  TrmBatch batch_;
  int64_t end_ = 0;
  int64_t saved_step_ = -1;
  double began_ = 0, earlier_seconds_ = 0, seconds_per_step_ = 0;
  // Sums since the last line of the log.
  TrmStepReport sums_;
  int64_t summed_steps_ = 0;
  double summed_since_ = 0;
  std::string figures_;
};

}  // namespace pintle
