// `pintle m31r train | resume`: the training stage.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "cli/quick_judge.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "train/train.h"

namespace pintle {
namespace {

struct Options {
  std::string work, preset;
  int64_t steps = 0, until_step = 0;
  double minutes = 0;
  bool fresh = false;
};

void AddLimits(Command& verb, Options& options) {
  verb.Option("--work", options.work, "the work folder (reads shards and tokenizer, writes run)").Required();
  verb.Option("--until-step", options.until_step, "save and stop after this step; `resume` goes on");
  verb.Option("--minutes", options.minutes, "save and stop after so many minutes; `resume` goes on");
}

Status Run(TrainOptions options, const Global& global) {
  if (options.until_step < 0) return UsageError("a step is 1 or more", "--until-step");
  if (options.max_seconds < 0) return UsageError("a time is 0 or more", "--minutes");
  if (!options.plan_only) options.judge = MakeQuickJudge(options.threads);
  PINTLE_ASSIGN(const TrainSummary summary, Train(options));
  if (summary.stop_reason == "interrupted" || summary.stop_reason == "limit") {
    LogInfo("train", fmt::format("saved at step {} of {}; go on with: pintle m31r resume --work {}", summary.step,
                                 summary.steps, options.work.string()));
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"finished", summary.finished},
                                                    {"up_to_date", summary.up_to_date},
                                                    {"stop_reason", summary.stop_reason},
                                                    {"step", summary.step},
                                                    {"steps", summary.steps},
                                                    {"parameters", summary.parameters},
                                                    {"loss", summary.loss},
                                                    {"bits_per_byte", summary.bits_per_byte},
                                                    {"weights", summary.weights_sha256}}));
  } else if (summary.finished) {
    fmt::print("model {} in {}\n", summary.weights_sha256.substr(0, 12), (options.work / "run" / "model").string());
  }
  return {};
}

TrainOptions Common(const Options& options, const Global& global) {
  TrainOptions train;
  train.work = options.work;
  train.threads = global.threads;
  train.until_step = options.until_step;
  train.max_seconds = options.minutes * 60;
  train.plan_only = global.dry_run;
  return train;
}

}  // namespace

void RegisterM31rTrain(Command& m31r) {
  auto options = std::make_shared<Options>();
  Command& train = m31r.Add("train", "train a model from random weights; goes on with an unfinished run");
  AddLimits(train, *options);
  train.Option("--preset", options->preset, "shape of the model (train.preset)");
  train.Option("--steps", options->steps, "steps of the run (train.steps)");
  train.Flag("--fresh", options->fresh, "remove the run that is there and start");
  train.Run([options](const Global& global) -> Status {
    TrainOptions train_options = Common(*options, global);
    TrainConfig& config = train_options.config;
    const ConfigFields fields = [&](ConfigVisitor& v) { config.Visit(v); };
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
    if (!options->preset.empty()) {
      PINTLE_RETURN_IF_ERROR(SetConfigValue("train.preset=\"" + options->preset + "\"", "--preset", fields));
    }
    if (options->steps != 0) {
      PINTLE_RETURN_IF_ERROR(SetConfigValue(fmt::format("train.steps={}", options->steps), "--steps", fields));
    }
    if (global.seed_given) config.seed = static_cast<int64_t>(global.seed & (~uint64_t{0} >> 2));
    train_options.mode = options->fresh ? TrainMode::kFresh : TrainMode::kContinue;
    return Run(train_options, global);
  });

  auto resumed = std::make_shared<Options>();
  Command& resume = m31r.Add("resume", "go on with a run from its newest checkpoint, with the settings it began with");
  AddLimits(resume, *resumed);
  resume.Run([resumed](const Global& global) -> Status {
    if (!global.set.empty() || !global.config.empty() || global.seed_given) {
      return UsageError("resume goes on with the settings of the run", resumed->work + "/run/config.toml",
                        "`pintle m31r train --fresh` starts anew with others");
    }
    TrainOptions train_options = Common(*resumed, global);
    train_options.mode = TrainMode::kResume;
    return Run(train_options, global);
  });
}

}  // namespace pintle
