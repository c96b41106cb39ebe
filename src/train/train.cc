#include "train/train.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/time.h"
#include "formats/manifest.h"
#include "train/checkpoint.h"
#include "train/training_run.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

constexpr char kModule[] = "train";
constexpr int64_t kStepsBeforeEstimate = 5;

// The settings in force: those given, or with kResume those that the run was begun with.
Result<TrainConfig> Settings(const TrainOptions& options) {
  TrainConfig config = options.config;
  if (options.mode != TrainMode::kResume) return config;
  const fs::path path = options.work / "run" / "config.toml";
  std::error_code missing;
  if (!fs::exists(path, missing)) {
    return RuntimeError("there is no run to resume", (options.work / "run").string(), "start one: `pintle m31r train`");
  }
  config = TrainConfig();
  PINTLE_ASSIGN(const std::string toml, ReadFile(path, 1 << 20));
  PINTLE_RETURN_IF_ERROR(LoadConfig(toml, path.string(), [&](ConfigVisitor& v) { config.Visit(v); }));
  return config;
}

Status RemoveRun(const fs::path& run) {
  PINTLE_RETURN_IF_ERROR(RemoveAll(run / "checkpoints"));
  PINTLE_RETURN_IF_ERROR(RemoveAll(run / "run.jsonl"));
  PINTLE_RETURN_IF_ERROR(RemoveAll(run / "reproduced.json"));
  return RemoveAll(run / "model");
}

// Brings the run to the newest checkpoint, if there is one to go on from.
Status GoOn(const TrainOptions& options, TrainingRun& training) {
  const fs::path run = options.work / "run";
  const auto checkpoints = ListCheckpoints(run);
  if (options.mode == TrainMode::kFresh) return RemoveRun(run);
  if (checkpoints.empty()) {
    std::error_code missing;
    if (options.mode != TrainMode::kReplace && fs::exists(run / "model", missing)) {
      return ValidationError("a model of other settings or data is there", (run / "model").string(),
                             "start anew with `pintle m31r train --fresh`; another --work leaves it alone");
    }
    // A run that stopped before its first checkpoint begins again.
    return RemoveRun(run);
  }
  Status accepted = training.Accepts(checkpoints.back());
  if (!accepted.ok() && options.mode != TrainMode::kReplace) return accepted;
  if (!accepted.ok()) {
    LogInfo(kModule, "the run there is replaced: " + accepted.error().what);
    return RemoveRun(run);
  }
  LogInfo(kModule, fmt::format("going on from {}", checkpoints.back().filename().string()));
  return training.Restore(checkpoints.back());
}

// Stop? evaluate? sample? save? step. Returns why it ended. A program that trains evaluates and samples before its
// first step too: the curve begins with the untrained model, and every buffer exists before memory is watched.
Result<std::string> Loop(const TrainOptions& options, const TrainConfig& config, TrainingRun& run, double& last_loss) {
  const double start = MonotonicSeconds();
  const int64_t first = run.step();
  const int64_t end = options.until_step > 0 ? std::min(options.until_step, run.steps()) : run.steps();
  const auto a_step = static_cast<double>(run.tokens_per_step());
  Progress progress("train", "tokens", a_step * static_cast<double>(end - first));
  double steps_began = start;
  while (true) {
    const int64_t step = run.step();
    // 0 = never.
    const auto due = [&](int64_t interval) { return interval > 0 && (step == first || step % interval == 0); };
    if (Interrupted() && step < run.steps()) return std::string("interrupted");
    if (step < run.steps() && due(config.eval_interval)) PINTLE_RETURN_IF_ERROR(run.Validate());
    if (due(config.sample_interval)) PINTLE_RETURN_IF_ERROR(run.Sample(options.judge));
    if (step > first && due(config.checkpoint_interval)) PINTLE_RETURN_IF_ERROR(run.Save());
    if (step >= run.steps()) return std::string("finished");
    if (step >= end || (options.max_seconds > 0 && MonotonicSeconds() - start > options.max_seconds)) {
      return std::string("limit");
    }
    const auto figures = run.Step();
    if (!figures.ok()) {
      PINTLE_RETURN_IF_ERROR(run.LogStop(figures.error().what));
      return figures.error();
    }
    last_loss = figures->loss;
    PINTLE_RETURN_IF_ERROR(run.LogStep(*figures));
    const double rate = a_step / figures->seconds;
    progress.Update(a_step * static_cast<double>(run.step() - first),
                    fmt::format("step {}/{}, loss {:.4f}, {:.0f} tokens/s, MFU {:.0f} %", run.step(), run.steps(),
                                figures->loss, rate, 100 * run.Utilisation(rate)));
    if (run.step() == first + 1) steps_began = MonotonicSeconds();
    if (run.step() == first + 1 + kStepsBeforeEstimate) {
      const double each = (MonotonicSeconds() - steps_began) / static_cast<double>(kStepsBeforeEstimate);
      LogInfo(kModule, fmt::format("{:.2f} s a step, {:.0f} tokens/s: about {} to the end", each, a_step / each,
                                   HumanDuration(each * static_cast<double>(run.steps() - run.step()))));
    }
  }
}

}  // namespace

Result<TrainSummary> Train(const TrainOptions& options) {
  PINTLE_ASSIGN(const TrainConfig config, Settings(options));
  PINTLE_ASSIGN(const TrainInputs inputs, ReadTrainInputs(options.work));
  const fs::path model = options.work / "run" / "model";
  TrainSummary summary;
  if (options.mode != TrainMode::kFresh &&
      UpToDate(model, "train", TrainConfigHash(config), {{"shards", inputs.shards}, {"tokenizer", inputs.tokenizer}})) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(model));
    summary = {true, true, "finished", manifest.counts.at("steps"), manifest.counts.at("steps"), 0, 0, 0, ""};
    summary.parameters = manifest.counts.at("parameters");
    const auto bits = manifest.notes.find("bits_per_byte");
    if (bits != manifest.notes.end()) summary.bits_per_byte = std::strtod(bits->second.c_str(), nullptr);
    for (const auto& file : manifest.outputs) {
      if (file.path == "model.safetensors") summary.weights_sha256 = file.sha256;
    }
    LogInfo(kModule, "up to date: " + model.string());
    return summary;
  }
  PINTLE_ASSIGN(const std::unique_ptr<TrainingRun> run, TrainingRun::Open(options.work, config, options.threads));
  summary.steps = run->steps();
  summary.parameters = ParameterCount(run->decoder_config());
  LogInfo(kModule, run->Plan());
  if (options.plan_only) {
    summary.stop_reason = "plan";
    return summary;
  }
  PINTLE_RETURN_IF_ERROR(GoOn(options, *run));
  PINTLE_RETURN_IF_ERROR(run->Begin());
  PINTLE_ASSIGN(summary.stop_reason, Loop(options, config, *run, summary.loss));
  summary.step = run->step();
  PINTLE_RETURN_IF_ERROR(run->Save());
  if (summary.stop_reason == "finished") {
    PINTLE_ASSIGN(const auto validation, run->Validate());
    if (validation) summary.bits_per_byte = validation->bits_per_byte;
    PINTLE_ASSIGN(summary.weights_sha256, run->WriteModel(validation));
    summary.finished = true;
  }
  PINTLE_RETURN_IF_ERROR(run->LogStop(summary.stop_reason));
  return summary;
}

}  // namespace pintle
