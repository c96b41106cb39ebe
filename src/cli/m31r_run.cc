// `pintle m31r run`: the whole pipeline. `pintle m31r reproduce`: the pipeline again from a shipped model's recipe, and
// whether it gives the same bytes.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/data_files.h"
#include "cli/pipeline.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string preset = "demo", source, work, benchmarks, model;
};

boost::json::object ResultJson(const PipelineResult& result) {
  return {{"dataset", result.dataset},       {"tokenizer", result.tokenizer}, {"weights", result.weights},
          {"parameters", result.parameters}, {"steps", result.steps},         {"bits_per_byte", result.bits_per_byte}};
}

Status PrintPlan(const PipelineOptions& pipeline, const Global& global) {
  PINTLE_ASSIGN(const PipelinePlan plan, PlanPipeline(global, pipeline));
  if (global.json) {
    boost::json::array stages;
    for (const StagePlan& stage : plan.stages) {
      stages.push_back(boost::json::object{
          {"stage", stage.stage}, {"settings", stage.settings}, {"id", stage.id}, {"state", stage.state}});
    }
    fmt::print("{}\n", DumpJson(boost::json::object{{"plan", std::move(stages)}}));
    return {};
  }
  fmt::print("{:<24} {:<12}  {:<12}  would be\n", "stage", "settings", "there is");
  for (const StagePlan& stage : plan.stages) {
    fmt::print("{:<24} {:.12}  {:<12.12}  {}\n", stage.stage, stage.settings, stage.id.empty() ? "-" : stage.id,
               stage.state);
  }
  fmt::print("\n{}", plan.settings);
  return {};
}

Status Run(const Options& options, const Global& global) {
  PipelineOptions pipeline;
  PINTLE_ASSIGN(pipeline.settings, PresetSettings(options.preset));
  pipeline.source = options.source;
  pipeline.work = options.work;
  pipeline.benchmarks = options.benchmarks;
  if (global.dry_run) return PrintPlan(pipeline, global);
  PINTLE_ASSIGN(const PipelineResult result, RunPipeline(global, pipeline));
  if (global.json) {
    fmt::print("{}\n", DumpJson(ResultJson(result)));
    return {};
  }
  fmt::print(
      "dataset    {}\ntokenizer  {}\nweights    {}\nmodel      {}\n{} weights, {} steps, {:.3f} bits per byte, {}\n",
      result.dataset, result.tokenizer, result.weights, (fs::path(options.work) / "run" / "model").string(),
      result.parameters, result.steps, result.bits_per_byte, HumanDuration(result.seconds));
  return {};
}

// Another archive than the recipe's is noticed now, not after the training.
Status CheckArchive(const boost::json::value& recipe, const fs::path& archive) {
  const auto wanted = JsonString(recipe, "package_sha256", "");
  if (!wanted.ok()) return {};
  PINTLE_ASSIGN(const std::string found, Sha256HexOfFile(archive));
  if (found == *wanted) return {};
  return ValidationError("not the archive that the model was made from: SHA-256 is " + found + ", not " + *wanted,
                         archive.string());
}

// A shipped model carries recipe.toml (settings), recipe.json ({"source", "package", "package_sha256", "dataset",
// "tokenizer", "weights"}; the hash only where the source is one archive).
Status Reproduce(const Options& options, const Global& global) {
  fs::path model = options.model;
  std::error_code code;
  if (!fs::exists(model / "recipe.json", code)) {
    const auto shipped = FindDataFile("models/" + options.model + "/recipe.json");
    if (!shipped.ok()) {
      return UsageError("no shipped model and no folder with a recipe.json: '" + options.model + "'", "",
                        "`pintle m31r reproduce m31r-1m --work DIR` rebuilds the smallest");
    }
    model = shipped->parent_path();
  }
  const std::string where = (model / "recipe.json").string();
  PINTLE_ASSIGN(const std::string text, ReadFile(where, 1 << 20));
  PINTLE_ASSIGN(const boost::json::value recipe, ParseJson(text, where));
  PINTLE_ASSIGN(const std::string source, JsonString(recipe, "source", where));
  PipelineOptions pipeline;
  pipeline.settings = model / "recipe.toml";
  pipeline.work = options.work;
  std::error_code missing;
  const bool archive = fs::is_regular_file(options.source, missing) && fs::path(options.source).extension() != ".toml";
  if (archive) {
    PINTLE_RETURN_IF_ERROR(CheckArchive(recipe, options.source));
    pipeline.archive = options.source;
  }
  if (archive || options.source.empty()) {
    PINTLE_ASSIGN(pipeline.source, FindDataFile(source));
  } else {
    pipeline.source = options.source;
  }
  if (global.dry_run) {
    if (!global.json) fmt::print("would rebuild {} from {}\n\n", model.string(), pipeline.source.string());
    return PrintPlan(pipeline, global);
  }
  PINTLE_ASSIGN(const PipelineResult result, RunPipeline(global, pipeline));
  PINTLE_ASSIGN(const Reproduction shipped, CompareWithRecipe(result, model, options.work));
  const bool same = shipped.same_data && shipped.same_weights;
  if (global.json) {
    boost::json::object report = ResultJson(result);
    report["same"] = same;
    fmt::print("{}\n", DumpJson(report));
  } else {
    const auto line = [](const char* name, const std::string& found, const std::string& wanted) {
      fmt::print("{:<10} {}  {}\n", name, found, found == wanted ? "the same" : "shipped is " + wanted);
    };
    line("dataset", result.dataset, shipped.dataset);
    line("tokenizer", result.tokenizer, shipped.tokenizer);
    line("weights", result.weights, shipped.weights);
  }
  if (same) return {};
  return ValidationError("the rebuilt model differs from the shipped one", model.string(),
                         "a difference from the dataset on means that the source is another version");
}

}  // namespace

void RegisterM31rRun(Command& m31r) {
  auto options = std::make_shared<Options>();
  Command& run = m31r.Add("run", "the whole pipeline: crawl, filter, dataset, tokenizer, shard, train");
  run.Option("--preset", options->preset, "demo (1 M weights), 6m, 30m, 60m, 200m or 500m");
  run.Option("--source", options->source, "an archive, a folder, or a .toml manifest of sources").Required();
  run.Option("--work", options->work, "the work folder").Required();
  run.Option("--benchmarks", options->benchmarks,
             "folder of task files (*.jsonl) that the corpus must not contain; the shipped ones if not given");
  run.Run([options](const Global& global) { return Run(*options, global); });

  Command& reproduce = m31r.Add("reproduce", "rebuild a shipped model from its recipe and compare the hashes");
  reproduce.Option("model", options->model, "a shipped model: m31r-1m, m31r-6m, or a folder with a recipe").Required();
  reproduce.Option("--work", options->work, "the work folder").Required();
  reproduce.Option("--source", options->source, "a copy of the recipe's archive, or other sources than the recipe's");
  reproduce.Run([options](const Global& global) { return Reproduce(*options, global); });
}

}  // namespace pintle
