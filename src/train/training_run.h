// One run in memory: model, optimizer, data, log, and the parts that the loop in train.cc calls in turn.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/generator.h"
#include "models/decoder/decoder.h"
#include "nn/optimizer.h"
#include "text/tokenizer.h"
#include "train/guard.h"
#include "train/loader.h"
#include "train/quick_check.h"
#include "train/run_log.h"
#include "train/train_config.h"

namespace pintle {

/// Ids of the manifests that a run stands on.
struct TrainInputs {
  std::string shards, tokenizer;
};

/// Figures of one step.
struct StepFigures {
  double loss = 0, gradient_norm = 0, factor = 0, seconds = 0;
  int64_t targets = 0;
};

/// The loss on held-out crates.
struct Validation {
  double loss = 0, bits_per_byte = 0;
  int64_t targets = 0, bytes = 0;
};

/// One run: model, optimizer, loader and their state on disk.
class TrainingRun {
 public:
  /// Opens the data and reserves the memory; the weights are those of step 0. `work` holds tokenizer/ and shards/.
  static Result<std::unique_ptr<TrainingRun>> Open(const std::filesystem::path& work, const TrainConfig& config,
                                                   int threads);

  /// Whether a checkpoint is whole and of this run; changes nothing. Damage, another configuration, other data and
  /// foreign weights are validation errors.
  Status Accepts(const std::filesystem::path& checkpoint) const;
  /// Goes back to a checkpoint that Accepts takes. After an error the object may not be used further.
  Status Restore(const std::filesystem::path& checkpoint);
  /// Opens run.jsonl and config.toml in WORK/run and writes the line of the start.
  Status Begin();

  /// All micro-batches of one step and the update. The guard's error leaves weights and optimizer as they were.
  Result<StepFigures> Step();
  /// Loss over the first eval_batches micro-batches of the validation split; nothing if there is no such split.
  Result<std::optional<Validation>> Validate();
  /// The functions of the quick check (quick_check.h), finished greedily; narrated and logged with the first of them.
  Status Sample(const ProgramJudge& judge);
  /// Writes a checkpoint of this step unless it is there already.
  Status Save();
  /// Writes WORK/run/model; returns the SHA-256 of model.safetensors.
  Result<std::string> WriteModel(const std::optional<Validation>& validation);

  /// The figures of a step, a stop, ... as a line of run.jsonl.
  Status LogStep(const StepFigures& figures);
  Status LogStop(const std::string& reason);

  [[nodiscard]] int64_t step() const { return optimizer_->step(); }
  [[nodiscard]] int64_t steps() const { return steps_; }
  [[nodiscard]] int64_t tokens_per_step() const { return config_.batch * config_.accum * config_.time; }
  [[nodiscard]] const DecoderConfig& decoder_config() const { return decoder_->config(); }
  /// Share of the machine's peak (measured at Begin) that `tokens_per_second` makes use of, counting useful operations.
  [[nodiscard]] double Utilisation(double tokens_per_second) const {
    return tokens_per_second * FlopsPerToken() * 1e-9 / peak_gflops_;
  }
  /// Text of the plan, several lines: parameters, memory, tokens.
  [[nodiscard]] std::string Plan() const;

 private:
  TrainingRun(const TrainConfig& config, int threads)
      : config_(config), pool_(threads), guard_(config.spike_limit, config.spike_patience) {}
  [[nodiscard]] boost::json::object State() const;
  // The validation split at its beginning; null if there is none.
  Result<Loader*> ValidationLoader();
  [[nodiscard]] double FlopsPerToken() const { return TrainingFlopsPerToken(decoder_->config(), config_.time); }

  std::filesystem::path run_, work_;
  TrainConfig config_;
  std::string config_hash_;
  TrainInputs inputs_;
  ThreadPool pool_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Optimizer> optimizer_;
  Schedule schedule_;
  TrainingGuard guard_;
  // Opened at the first use and kept, so that memory stays flat from then on.
  std::unique_ptr<Loader> validation_loader_;
  boost::json::object validation_start_;
  std::optional<Generator> generator_;
  std::optional<RunLog> log_;
  TokenBatch batch_;
  int64_t steps_ = 0;
  int64_t targets_ = 0;  // scored so far
  int64_t saved_step_ = -1;
  double peak_gflops_ = 1;
};

/// The ids of WORK/shards and WORK/tokenizer.
Result<TrainInputs> ReadTrainInputs(const std::filesystem::path& work);

}  // namespace pintle
