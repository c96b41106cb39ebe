#include "cli/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/data_files.h"
#include "cli/quick_judge.h"
#include "cli/settings.h"
#include "corpus/crawl.h"
#include "corpus/dataset.h"
#include "corpus/filter.h"
#include "corpus/shard_stage.h"
#include "corpus/tokenizer_stage.h"
#include "formats/manifest.h"
#include "train/train.h"

namespace pintle {
namespace {

// All settings of a run from one file, environment and --set.
struct Settings {
  FilterConfig filter;
  DatasetConfig dataset;
  TokenizerConfig tokenizer;
  ShardConfig shard;
  TrainConfig train;

  void Visit(ConfigVisitor& v) {
    filter.Visit(v);
    dataset.Visit(v);
    tokenizer.Visit(v);
    shard.Visit(v);
    train.Visit(v);
  }
};

// The preset's settings, and over them those of --config, environment, --set and --seed.
Result<Settings> LoadRunSettings(const Global& global, const PipelineOptions& options) {
  Settings settings;
  const ConfigFields fields = [&](ConfigVisitor& v) { settings.Visit(v); };
  Global preset = global;
  preset.config = options.settings.string();
  PINTLE_RETURN_IF_ERROR(LoadSettings(preset, fields));
  if (!global.config.empty()) PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
  if (global.seed_given) settings.train.seed = static_cast<int64_t>(global.seed & (~uint64_t{0} >> 2));
  return settings;
}

Result<CrawlManifest> RunSources(const PipelineOptions& options) {
  PINTLE_ASSIGN(CrawlManifest manifest, OpenCrawlSource(options.source));
  if (options.archive.empty()) return manifest;
  if (manifest.sources.size() != 1) {
    return UsageError("a copy of one archive cannot stand for several sources", options.source.string());
  }
  manifest.sources.front().path = options.archive.string();
  return manifest;
}

// Goes along the stages and knows what each finds of those before it.
class Planner {
 public:
  explicit Planner(const std::filesystem::path& work) : work_(work) {}

  // `folder` below WORK, `input` the name under which later manifests list its id, `pinned`: what goes in is certain.
  void Add(const std::string& stage, const std::string& folder, const std::string& input, const std::string& settings,
           bool pinned = true) {
    StagePlan plan{stage, settings, "", "to be made"};
    if (const auto manifest = ReadManifest(work_ / folder); manifest.ok()) {
      plan.id = manifest->Id();
      ids_[input] = plan.id;
      const bool same_inputs = std::all_of(manifest->inputs.begin(), manifest->inputs.end(), [&](const auto& one) {
        const auto known = ids_.find(one.first);
        return known == ids_.end() || known->second == one.second;
      });
      plan.state = manifest->config_hash != settings ? "to be made anew: other settings"
                   : !same_inputs                    ? "to be made anew: other inputs"
                   : manifest->tool != kToolVersion  ? "to be made anew: another version made it"
                   : !pinned                         ? "kept if its source is the same"
                   : !settled_                       ? "kept if what comes before it is the same"
                                                     : "up to date";
    }
    settled_ = settled_ && plan.state == "up to date";
    plans_.push_back(std::move(plan));
  }
  [[nodiscard]] std::vector<StagePlan> Take() { return std::move(plans_); }

 private:
  std::filesystem::path work_;
  std::map<std::string, std::string> ids_;  // of the outputs that are there
  bool settled_ = true;                     // all stages so far stay as they are
  std::vector<StagePlan> plans_;
};

// "run: stage 3/6 dataset: 2.1 s" on stderr.
class StageLine {
 public:
  StageLine(int number, std::string name) : number_(number), name_(std::move(name)), start_(MonotonicSeconds()) {
    LogInfo("run", fmt::format("stage {}/6 {}", number_, name_));
  }
  void Done(bool up_to_date, const std::string& what) const {
    const std::string time = up_to_date ? "up to date" : HumanDuration(MonotonicSeconds() - start_);
    LogInfo("run", fmt::format("stage {}/6 {}: {}{}{}", number_, name_, time, what.empty() ? "" : ", ", what));
  }

 private:
  int number_;
  std::string name_;
  double start_;
};

}  // namespace

Result<std::filesystem::path> PresetSettings(const std::string& preset) {
  if (preset.find('/') != std::string::npos)
    return UsageError("'" + preset + "' is not a preset", "--preset", "use demo, 6m, 30m, 60m, 200m or 500m");
  PINTLE_RETURN_IF_ERROR(FindDataFile("configs/m31r/presets"));
  auto file = FindDataFile("configs/m31r/presets/" + preset + ".toml");
  if (!file.ok()) return UsageError("no preset '" + preset + "'", "--preset", "use demo, 6m, 30m, 60m, 200m or 500m");
  return file;
}

Result<Reproduction> CompareWithRecipe(const PipelineResult& result, const std::filesystem::path& model,
                                       const std::filesystem::path& work) {
  const std::string where = (model / "recipe.json").string();
  PINTLE_ASSIGN(const std::string text, ReadFile(where, 1 << 20));
  PINTLE_ASSIGN(const boost::json::value recipe, ParseJson(text, where));
  Reproduction found;
  PINTLE_ASSIGN(found.dataset, JsonString(recipe, "dataset", where));
  PINTLE_ASSIGN(found.tokenizer, JsonString(recipe, "tokenizer", where));
  PINTLE_ASSIGN(found.weights, JsonString(recipe, "weights", where));
  found.same_data = result.dataset == found.dataset && result.tokenizer == found.tokenizer;
  found.same_weights = result.weights == found.weights;
  std::filesystem::path folder = model.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const boost::json::object line{{"model", folder.filename().string()},
                                 {"same_data", found.same_data},
                                 {"same_weights", found.same_weights},
                                 {"weights", result.weights},
                                 {"shipped_weights", found.weights}};
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(work / "run" / "reproduced.json", DumpJson(line) + "\n"));
  return found;
}

Result<PipelinePlan> PlanPipeline(const Global& global, const PipelineOptions& options) {
  PINTLE_ASSIGN(Settings settings, LoadRunSettings(global, options));
  PINTLE_ASSIGN(const CrawlManifest sources, RunSources(options));
  const auto hash = [](auto& config) { return ConfigHash([&](ConfigVisitor& v) { config.Visit(v); }); };
  Planner planner(options.work);
  for (const CrawlSource& source : sources.sources) {
    const bool pinned = !source.sha256.empty() || !source.commit.empty();
    planner.Add("crawl " + source.name, "raw/" + source.name, "raw/" + source.name, source.Hash(), pinned);
  }
  planner.Add("filter", "filtered", "filtered", settings.filter.Hash());
  planner.Add("dataset", "dataset", "dataset", hash(settings.dataset));
  planner.Add("tokenizer", "tokenizer", "tokenizer", hash(settings.tokenizer));
  planner.Add("shard", "shards", "shards", hash(settings.shard));
  planner.Add("train", "run/model", "model", TrainConfigHash(settings.train));
  return PipelinePlan{planner.Take(), DumpConfig([&](ConfigVisitor& v) { settings.Visit(v); }, false)};
}

Result<PipelineResult> RunPipeline(const Global& global, const PipelineOptions& options) {
  const double start = MonotonicSeconds();
  PINTLE_ASSIGN(const Settings settings, LoadRunSettings(global, options));
  PINTLE_ASSIGN(const CrawlManifest sources, RunSources(options));
  {
    const StageLine line(1, "crawl");
    PINTLE_ASSIGN(const auto crawled, Crawl(sources, {options.work, false}));
    int64_t files = 0, bytes = 0;
    bool unchanged = true;
    for (const auto& source : crawled) {
      files += source.files;
      bytes += source.bytes;
      unchanged = unchanged && source.state == "unchanged";
    }
    line.Done(unchanged, fmt::format("{} files, {}", files, HumanBytes(static_cast<double>(bytes))));
  }
  {
    const StageLine line(2, "filter");
    FilterOptions filter;
    filter.work = options.work;
    PINTLE_ASSIGN(filter.benchmarks, FindBenchmarks(options.benchmarks));
    filter.config = settings.filter;
    filter.threads = global.threads;
    PINTLE_ASSIGN(const StageSummary summary, RunFilter(filter));
    line.Done(summary.up_to_date, "");
  }
  PipelineResult result;
  {
    const StageLine line(3, "dataset");
    DatasetOptions dataset;
    dataset.work = options.work;
    dataset.config = settings.dataset;
    dataset.threads = global.threads;
    PINTLE_ASSIGN(const StageSummary summary, RunDataset(dataset));
    result.dataset = summary.id;
    line.Done(summary.up_to_date, "");
  }
  {
    ThreadPool pool(global.threads);
    const StageLine line(4, "tokenizer");
    PINTLE_ASSIGN(const TokenizerSummary tokenizer, TrainTokenizerStage(options.work, settings.tokenizer, pool));
    result.tokenizer = tokenizer.tokenizer_hash;
    line.Done(tokenizer.up_to_date, fmt::format("{} ids", tokenizer.vocab_size));
    const StageLine shard_line(5, "shard");
    PINTLE_ASSIGN(const ShardSummary shards, ShardStage(options.work, settings.shard, pool));
    const auto train = shards.splits.find("train");
    shard_line.Done(shards.up_to_date,
                    fmt::format("{} tokens to train on", train == shards.splits.end() ? 0 : train->second.tokens));
  }
  {
    const StageLine line(6, "train");
    TrainOptions train;
    train.work = options.work;
    train.config = settings.train;
    train.mode = TrainMode::kReplace;
    train.threads = global.threads;
    train.judge = MakeQuickJudge(global.threads);
    PINTLE_ASSIGN(const TrainSummary summary, Train(train));
    if (!summary.finished) {
      return RuntimeError("training stopped before its end: " + summary.stop_reason, options.work.string(),
                          "run the same command again: it goes on at step " + std::to_string(summary.step));
    }
    result.weights = summary.weights_sha256;
    result.parameters = summary.parameters;
    result.steps = summary.steps;
    result.bits_per_byte = summary.bits_per_byte;
    line.Done(summary.up_to_date, fmt::format("{} weights", summary.parameters));
  }
  result.seconds = MonotonicSeconds() - start;
  return result;
}

}  // namespace pintle
