#include "train/trm_train.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/time.h"
#include "formats/manifest.h"
#include "train/checkpoint.h"
#include "train/trm_run.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

constexpr char kModule[] = "train";

double Number(const std::map<std::string, std::string>& notes, const std::string& key) {
  const auto found = notes.find(key);
  return found == notes.end() ? 0 : std::strtod(found->second.c_str(), nullptr);
}

// The summary of the finished model in DIR, if it is the one that is asked for.
bool Finished(const TrmTrainStageOptions& options, const TrmRun& run, TrmTrainSummary& summary) {
  const auto manifest = ReadManifest(options.out / "model");
  if (!manifest.ok() || !VerifyFolder(options.out / "model").ok()) return false;
  const auto notes = manifest->notes;
  const auto identity = notes.find("run");
  const auto steps = static_cast<int64_t>(Number(notes, "steps"));
  if (identity == notes.end() || identity->second != run.identity()) return false;
  if (options.minutes <= 0 && steps != options.config.steps) return false;
  summary.finished = summary.up_to_date = true;
  summary.stop_reason = "finished";
  summary.step = steps;
  summary.exact = Number(notes, "exact");
  summary.cells = Number(notes, "cells");
  summary.baseline_exact = Number(notes, "baseline_exact");
  summary.baseline_cells = Number(notes, "baseline_cells");
  for (const auto& file : manifest->outputs) {
    if (file.path == "model.safetensors") summary.weights_sha256 = file.sha256;
  }
  return true;
}

Status RemoveRun(const fs::path& out) {
  for (const char* name : {"checkpoints", "run.jsonl", "config.toml", "model"}) {
    PINTLE_RETURN_IF_ERROR(RemoveAll(out / name));
  }
  return {};
}

// A run by the clock fixes its end when what is left is just enough to cool down.
void LookAtTheClock(const TrmTrainStageOptions& options, TrmRun& run) {
  if (options.minutes <= 0 || run.end() > 0) return;
  const auto cooldown = options.config.cooldown_steps;
  if (run.seconds() + static_cast<double>(cooldown) * run.seconds_per_step() < 60 * options.minutes) return;
  run.set_end(run.step() + cooldown);
}

// Stop? evaluate? save? step. Returns why it ended.
Result<std::string> Loop(const TrmTrainStageOptions& options, TrmRun& run) {
  const TrmRunConfig& config = options.config;
  const int64_t first = run.step();
  const auto batch = static_cast<double>(config.batch);
  Progress progress("train", "samples", batch * static_cast<double>(run.end() - (run.end() > 0 ? first : 0)));
  while (true) {
    LookAtTheClock(options, run);
    const int64_t step = run.step();
    const bool last = run.end() > 0 && step >= run.end();
    const auto due = [&](int64_t interval) { return interval > 0 && step > first && step % interval == 0; };
    if (last) return std::string("finished");
    if (Interrupted()) return std::string("interrupted");
    if (due(config.eval_interval)) {
      const auto validation = run.Validate(0, config.eval_puzzles);
      if (!validation.ok() && Interrupted()) return std::string("interrupted");
      PINTLE_RETURN_IF_ERROR(validation);
    }
    if (due(config.checkpoint_interval)) PINTLE_RETURN_IF_ERROR(run.Save());
    if (options.until_step > 0 && step >= options.until_step) return std::string("limit");
    if (const Status status = run.Step(); !status.ok()) {
      PINTLE_RETURN_IF_ERROR(run.LogStop(status.error().what));
      return status.error();
    }
    const std::string place = options.minutes > 0 ? fmt::format("step {}, {} of {:g} min", run.step(),
                                                                HumanDuration(run.seconds()), options.minutes)
                                                  : fmt::format("step {}/{}", run.step(), run.end());
    progress.Update(batch * static_cast<double>(run.step() - first), place + ", " + run.figures());
  }
}

}  // namespace

Result<TrmTrainSummary> TrainTrm(const TrmTrainStageOptions& options) {
  PINTLE_ASSIGN(const auto run, TrmRun::Open(options.out, options.config, options.threads));
  run->set_end(options.minutes > 0 ? 0 : options.config.steps);
  TrmTrainSummary summary;
  summary.parameters = run->parameters();
  if (!options.fresh && Finished(options, *run, summary)) {
    LogInfo(kModule, "up to date: " + (options.out / "model").string());
    return summary;
  }
  LogInfo(kModule, run->Plan());
  if (options.plan_only) {
    summary.stop_reason = "plan";
    return summary;
  }
  const std::vector<fs::path> checkpoints = ListCheckpoints(options.out);
  std::error_code code;
  if (!options.fresh && checkpoints.empty() && fs::exists(options.out / "model", code)) {
    return ConfigError("a model of other settings is there", (options.out / "model").string(),
                       "--fresh removes it; another --out leaves it alone");
  }
  if (options.fresh || checkpoints.empty()) {
    // A run that stopped before its first checkpoint begins again.
    PINTLE_RETURN_IF_ERROR(RemoveRun(options.out));
  } else {
    LogInfo(kModule, "going on from " + checkpoints.back().filename().string());
    PINTLE_RETURN_IF_ERROR(run->Restore(checkpoints.back(), run->end()));
  }
  PINTLE_RETURN_IF_ERROR(run->Begin());
  PINTLE_ASSIGN(summary.stop_reason, Loop(options, *run));
  summary.step = run->step();
  summary.seconds = run->seconds();
  PINTLE_RETURN_IF_ERROR(run->Save());
  if (summary.stop_reason == "finished") {
    PINTLE_ASSIGN(const TrmValidation validation,
                  run->Validate(options.config.eval_puzzles, options.config.final_puzzles));
    PINTLE_ASSIGN(summary.weights_sha256, run->WriteModel(validation));
    summary.finished = true;
    summary.exact = validation.score.ExactShare();
    summary.cells = validation.score.CellShare();
    summary.baseline_exact = validation.baseline.ExactShare();
    summary.baseline_cells = validation.baseline.CellShare();
  }
  PINTLE_RETURN_IF_ERROR(run->LogStop(summary.stop_reason));
  return summary;
}

}  // namespace pintle
