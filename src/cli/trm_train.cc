// `pintle trm train`: the training stage of puzzles.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/data_files.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "train/trm_train.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string task, preset, out, data;
  int64_t steps = 0, until_step = 0;
  double minutes = 0;
  bool fresh = false;
};

// The preset for a task: its own, or that of its family. Nothing for a task without one.
std::string PresetOf(const std::string& task) {
  if (task.starts_with("maze")) return "maze10";
  if (FindDataFile("configs/trm/presets/" + task + ".toml").ok()) return task;
  const std::vector<std::string> patterns = {"copy", "reverse", "sort", "parity", "majority", "selective_copy"};
  return std::find(patterns.begin(), patterns.end(), task) == patterns.end() ? std::string() : "pattern";
}

Status LoadPreset(const std::string& preset, const ConfigFields& fields) {
  constexpr char kHint[] = "the presets are pattern, sudoku4, sudoku6, sudoku9, maze10 and arc";
  if (preset.find('/') != std::string::npos) return UsageError("'" + preset + "' is no preset", "--preset", kHint);
  PINTLE_RETURN_IF_ERROR(FindDataFile("configs/trm/presets"));
  const auto file = FindDataFile("configs/trm/presets/" + preset + ".toml");
  if (!file.ok()) return UsageError("no preset '" + preset + "'", "--preset", kHint);
  return LoadConfigFile(*file, fields);
}

// Preset, then file, environment and --set, then the flags.
Result<TrmRunConfig> Settings(const Options& options, const Global& global) {
  TrmRunConfig config;
  const ConfigFields fields = [&](ConfigVisitor& v) { config.Visit(v); };
  const std::string preset = options.preset.empty() ? PresetOf(options.task) : options.preset;
  if (!preset.empty()) PINTLE_RETURN_IF_ERROR(LoadPreset(preset, fields));
  PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
  if (!options.task.empty()) config.task = options.task;
  if (!options.data.empty()) (config.task == "arc" ? config.options.data : config.data) = options.data;
  if (options.steps != 0) {
    PINTLE_RETURN_IF_ERROR(SetConfigValue(fmt::format("trm.train.steps={}", options.steps), "--steps", fields));
  }
  if (global.seed_given) config.seed = static_cast<int64_t>(global.seed & (~uint64_t{0} >> 2));
  return config;
}

Status Train(const Options& options, const Global& global) {
  if (options.task.empty() && options.preset.empty() && global.config.empty()) {
    return UsageError("nothing says what to learn", "", "give --task, --preset or --config");
  }
  if (options.steps != 0 && options.minutes != 0) return UsageError("give --steps or --minutes, not both");
  if (options.steps < 0 || options.minutes < 0) return UsageError("--steps and --minutes are positive");
  TrmTrainStageOptions stage;
  PINTLE_ASSIGN(stage.config, Settings(options, global));
  stage.out = options.out;
  stage.minutes = options.minutes;
  stage.until_step = options.until_step;
  stage.fresh = options.fresh;
  stage.threads = global.threads;
  stage.plan_only = global.dry_run;
  PINTLE_ASSIGN(const TrmTrainSummary summary, TrainTrm(stage));
  if (summary.stop_reason == "interrupted" || summary.stop_reason == "limit") {
    LogInfo("train", fmt::format("saved at step {}; the same command goes on", summary.step));
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"weights", summary.weights_sha256},
                                                    {"exact", summary.exact},
                                                    {"cells", summary.cells},
                                                    {"baseline", summary.baseline_exact},
                                                    {"baseline_cells", summary.baseline_cells},
                                                    {"steps", summary.step},
                                                    {"parameters", summary.parameters},
                                                    {"seconds", summary.seconds},
                                                    {"finished", summary.finished},
                                                    {"up_to_date", summary.up_to_date},
                                                    {"stop_reason", summary.stop_reason}}));
  } else if (summary.finished) {
    fmt::print(
        "model {} in {}: {:.1f} % of unseen puzzles exact, {:.2f} % of their cells (baseline {:.1f} %, "
        "{:.2f} %), {} steps\n",
        summary.weights_sha256.substr(0, 12), (fs::path(options.out) / "model").string(), 100 * summary.exact,
        100 * summary.cells, 100 * summary.baseline_exact, 100 * summary.baseline_cells, summary.step);
  }
  return {};
}

}  // namespace

void RegisterTrmTrain(Command& trm) {
  auto options = std::make_shared<Options>();
  Command& verb = trm.Add("train", "train a model from random weights on endless puzzles; goes on with what is there");
  verb.Option("--task", options->task, "what to learn; `pintle trm tasks` lists them");
  verb.Option("--preset", options->preset, "pattern, sudoku4, sudoku6, sudoku9, maze10 or arc (default: as the task)");
  verb.Option("--out", options->out, "the folder of the run: run.jsonl, checkpoints, model").Required();
  verb.Option("--steps", options->steps, "optimizer steps of the run (trm.train.steps)");
  verb.Option("--minutes", options->minutes, "train so long instead");
  verb.Option("--until-step", options->until_step, "save and stop after this step; the same command goes on");
  verb.Option("--data", options->data,
              "a file of puzzles to train on too, those of the train split (trm.train.data); ARC: the problems");
  verb.Flag("--fresh", options->fresh, "remove the run that is there and start");
  verb.Run([options](const Global& global) { return Train(*options, global); });
}

}  // namespace pintle
