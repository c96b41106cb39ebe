#include "evaluate/evaluate.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <optional>
#include <sstream>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "evaluate/estimator.h"
#include "evaluate/held_out.h"
#include "evaluate/suite.h"
#include "formats/manifest.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

// A seeded choice of tasks, in the order of the file.
void KeepProblems(TaskSet& set, uint64_t seed, int64_t most) {
  if (most <= 0 || static_cast<int64_t>(set.tasks.size()) <= most) return;
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 0; i < set.tasks.size(); ++i) order.emplace_back(TaskSeed(seed, set.tasks[i].id), i);
  std::sort(order.begin(), order.end());
  order.resize(static_cast<size_t>(most));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Task> kept;
  for (const auto& [draw, index] : order) kept.push_back(std::move(set.tasks[index]));
  set.tasks = std::move(kept);
}

json::value SampleLine(const TaskSet& set, const SampleRecord& record, int64_t number, bool judged) {
  json::object line{{"suite", set.name},
                    {"id", record.task->id},
                    {"sample", number},
                    {"completion", record.sample.completion},
                    {"mean_logprob", record.sample.mean_logprob},
                    {"tokens", record.sample.tokens},
                    {"prompt_cut", record.sample.prompt_cut},
                    {"trivial", TrivialityName(record.triviality)}};
  if (judged) {
    line["stage"] = StageName(record.verdict.stage);
    line["timed_out"] = record.verdict.timed_out;
    line["codes"] = json::value_from(record.verdict.codes);
    line["message"] = record.verdict.message;
  }
  return line;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One evaluation under way: the parts write into the same metrics, results and times.
class Run {
 public:
  Run(TextModel& model, const EvaluateOptions& options, std::vector<int64_t> ks)
      : model_(model), options_(options), config_(options.config), ks_(std::move(ks)), info_(model.Info()) {}

  Result<Evaluation> Execute();

 private:
  Status LoadInputs();
  Status FindCompiler();
  Result<Evaluation> ReadBack() const;
  Status ScoreTasks();
  Status ScoreHeldOut();
  [[nodiscard]] json::object Machine() const;
  Result<Evaluation> Write();

  TextModel& model_;
  const EvaluateOptions& options_;
  EvaluateConfig config_;
  std::vector<int64_t> ks_;
  ModelInfo info_;
  std::vector<TaskSet> sets_;
  std::vector<HeldOutDocument> held_out_;
  std::map<std::string, std::string> inputs_;
  std::string config_hash_;
  std::optional<Rustc> rustc_;
  std::optional<Harness> harness_;
  json::object metrics_, seconds_;
  std::string results_;
  SamplingTimes times_;
};

Status Run::LoadInputs() {
  inputs_["model"] = info_.weights_sha256;
  for (const std::string& path : options_.tasks) {
    PINTLE_ASSIGN(TaskSet set, LoadTasks(path));
    if (!inputs_.emplace("tasks/" + set.name, set.sha256).second) {
      return UsageError("two task sets have the name '" + set.name + "'", path);
    }
    KeepProblems(set, static_cast<uint64_t>(config_.seed), config_.max_problems);
    sets_.push_back(std::move(set));
  }
  if (options_.held_out.empty()) return {};
  PINTLE_ASSIGN(const std::vector<HeldOutDocument> all, ReadHeldOut(options_.held_out));
  std::string identity;
  for (const HeldOutDocument& document : all) identity += document.path + '\n' + document.sha256 + '\n';
  inputs_["held_out"] = Sha256Hex(identity);
  held_out_ = ChooseHeldOut(all, static_cast<uint64_t>(config_.seed), config_.held_out_bytes);
  return {};
}

Status Run::FindCompiler() {
  if (sets_.empty()) return {};
  Result<Rustc> rustc = FindRustc();
  if (!rustc.ok()) {
    LogWarning("eval", rustc.error().what + ": compile rate and pass@k are left out (" + rustc.error().hint + ")");
    return {};
  }
  rustc_ = *std::move(rustc);
  inputs_["rustc"] = rustc_->version;
  return {};
}

Status Run::ScoreTasks() {
  if (rustc_.has_value()) {
    HarnessOptions harness;
    harness.unsafe = options_.unsafe;
    harness.workers = options_.threads;
    harness.cache_file = options_.cache;
    PINTLE_ASSIGN(Harness made, Harness::Create(harness));
    harness_.emplace(std::move(made));
  }
  SamplingOptions sampling;
  sampling.samples = config_.samples;
  sampling.temperature = config_.temperature;
  sampling.top_p = config_.top_p;
  sampling.max_tokens = config_.max_tokens;
  sampling.seed = static_cast<uint64_t>(config_.seed);
  std::vector<SampleRecord> pooled;
  json::array suites;
  for (const TaskSet& set : sets_) {
    std::vector<SampleRecord> records;
    const double start = MonotonicSeconds();
    {
      Progress progress("writing " + set.name, "tasks", static_cast<double>(set.tasks.size()));
      for (const Task& task : set.tasks) {
        if (Interrupted()) return RuntimeError("interrupted");
        PINTLE_ASSIGN(std::vector<Sample> samples, SampleTask(model_, task, sampling, times_));
        for (Sample& sample : samples) {
          SampleRecord record;
          record.task = &task;
          record.triviality = ScoredTriviality(task, sample.completion);
          record.sample = std::move(sample);
          records.push_back(std::move(record));
        }
        progress.Update(static_cast<double>(&task - set.tasks.data() + 1));
      }
    }
    const double written = MonotonicSeconds();
    if (harness_.has_value()) {
      std::vector<Candidate> candidates;
      for (const SampleRecord& record : records) candidates.push_back({record.task, record.sample.completion});
      Progress progress("compiling " + set.name, "programs", 0);
      PINTLE_ASSIGN(std::vector<Verdict> verdicts,
                    harness_->Check(candidates, [&](int64_t done) { progress.Update(static_cast<double>(done)); }));
      for (size_t i = 0; i < records.size(); ++i) records[i].verdict = std::move(verdicts[i]);
      PINTLE_RETURN_IF_ERROR(harness_->SaveCache());
    }
    seconds_["write " + set.name] = written - start;
    seconds_["compile " + set.name] = MonotonicSeconds() - written;
    json::object score = ScoreRecords(records, ks_, harness_.has_value());
    score["name"] = set.name;
    score["sha256"] = set.sha256;
    suites.push_back(score);
    for (size_t i = 0; i < records.size(); ++i) {
      const auto number = static_cast<int64_t>(i) % config_.samples;
      results_ += DumpJson(SampleLine(set, records[i], number, harness_.has_value())) + "\n";
    }
    std::move(records.begin(), records.end(), std::back_inserter(pooled));
  }
  for (auto& [key, value] : ScoreRecords(pooled, ks_, harness_.has_value())) metrics_[key] = value;
  metrics_["suites"] = suites;
  return {};
}

Status Run::ScoreHeldOut() {
  const double start = MonotonicSeconds();
  {
    int64_t bytes = 0;
    for (const HeldOutDocument& document : held_out_) bytes += static_cast<int64_t>(document.text.size());
    Progress progress("bits per byte", "bytes", static_cast<double>(bytes));
    const auto on_progress = [&](int64_t done) { progress.Update(static_cast<double>(done)); };
    PINTLE_ASSIGN(metrics_["bits_per_byte"], MeasureBitsPerByte(model_, held_out_, on_progress));
  }
  const double scored = MonotonicSeconds();
  const std::vector<FimCase> cases = MakeFimCases(held_out_, static_cast<uint64_t>(config_.seed), config_.fim_cases);
  Progress progress("fill in the middle", "cases", static_cast<double>(cases.size()));
  const auto on_progress = [&](int64_t done) { progress.Update(static_cast<double>(done)); };
  PINTLE_ASSIGN(const std::vector<FimOutcome> outcomes, RunFim(model_, cases, on_progress));
  json::object fim;
  for (const FimKind kind : kFimKinds) {
    int64_t count = 0, exact = 0;
    double similarity = 0;
    for (size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].kind != kind) continue;
      ++count;
      exact += outcomes[i].exact ? 1 : 0;
      similarity += outcomes[i].similarity;
    }
    if (count == 0) continue;
    const double rate = static_cast<double>(exact) / static_cast<double>(count);
    const Interval interval = WilsonInterval(rate, count);
    fim[FimKindName(kind)] = {{"cases", count},
                              {"exact_match", rate},
                              {"interval", {interval.low, interval.high}},
                              {"edit_similarity", similarity / static_cast<double>(count)}};
  }
  metrics_["fim"] = fim;
  for (size_t i = 0; i < cases.size(); ++i) {
    const json::object line{{"fim", FimKindName(cases[i].kind)},
                            {"crate", held_out_[cases[i].document].crate},
                            {"path", held_out_[cases[i].document].path},
                            {"offset", static_cast<int64_t>(cases[i].prefix.size())},
                            {"middle", cases[i].middle},
                            {"text", outcomes[i].text},
                            {"exact", outcomes[i].exact},
                            {"similarity", outcomes[i].similarity}};
    results_ += DumpJson(line) + "\n";
  }
  seconds_["bits per byte"] = scored - start;
  seconds_["fill in the middle"] = MonotonicSeconds() - scored;
  return {};
}

json::object Run::Machine() const {
  json::object machine{{"threads", options_.threads > 0 ? options_.threads : DefaultThreads()}};
  machine["sandbox"] = harness_.has_value() ? json::value(harness_->sandbox().level()) : json::value(nullptr);
  if (times_.decoded_tokens > 0) {
    machine["ms_per_token"] = times_.decode_seconds * 1000 / static_cast<double>(times_.decoded_tokens);
    machine["first_token_ms"] = Median(times_.first_token_ms);
  }
  machine["peak_resident_bytes"] = PeakResidentBytes();
  machine["seconds"] = seconds_;
  return machine;
}

Result<Evaluation> Run::ReadBack() const {
  Evaluation evaluation;
  const fs::path out = options_.out;
  PINTLE_ASSIGN(evaluation.metrics, ReadFile(out / "metrics.json"));
  PINTLE_ASSIGN(evaluation.machine, ReadFile(out / "machine.json"));
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(out));
  evaluation.id = manifest.Id();
  evaluation.up_to_date = true;
  return evaluation;
}

Result<Evaluation> Run::Write() {
  Evaluation evaluation;
  evaluation.metrics = DumpJson(metrics_, 2) + "\n";
  evaluation.machine = DumpJson(Machine(), 2) + "\n";
  if (options_.out.empty()) return evaluation;
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(options_.out));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "metrics.json", evaluation.metrics));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "results.jsonl", results_));
  Manifest manifest;
  manifest.stage = "eval";
  manifest.config_hash = config_hash_;
  manifest.inputs = inputs_;
  PINTLE_ASSIGN(evaluation.id, output.Commit(std::move(manifest)));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(fs::path(options_.out) / "machine.json", evaluation.machine));
  return evaluation;
}

Result<Evaluation> Run::Execute() {
  if (info_.origin != "internal") {
    return ValidationError("the model is of " + info_.origin + " origin; m31r evaluates models trained here",
                           info_.name);
  }
  if (options_.tasks.empty() && options_.held_out.empty()) {
    return UsageError("nothing to evaluate", {}, "give --tasks FILE.jsonl, --work DIR, or both");
  }
  PINTLE_RETURN_IF_ERROR(LoadInputs());
  PINTLE_RETURN_IF_ERROR(FindCompiler());
  config_hash_ = ConfigHash([this](ConfigVisitor& visitor) { config_.Visit(visitor); });
  std::error_code missing;
  if (!options_.out.empty() && UpToDate(options_.out, "eval", config_hash_, inputs_) &&
      fs::exists(fs::path(options_.out) / "machine.json", missing)) {
    return ReadBack();
  }
  metrics_["model"] = {{"name", info_.name},
                       {"weights_sha256", info_.weights_sha256},
                       {"parameters", info_.parameters},
                       {"context", info_.context},
                       {"vocabulary", info_.vocabulary}};
  metrics_["seed"] = config_.seed;
  metrics_["rustc"] = rustc_.has_value() ? json::value(rustc_->version) : json::value(nullptr);
  metrics_["sampling"] = {{"samples", config_.samples},
                          {"temperature", config_.temperature},
                          {"top_p", config_.top_p},
                          {"max_tokens", config_.max_tokens}};
  if (!sets_.empty()) PINTLE_RETURN_IF_ERROR(ScoreTasks());
  if (!held_out_.empty()) PINTLE_RETURN_IF_ERROR(ScoreHeldOut());
  return Write();
}

}  // namespace

void EvaluateConfig::Visit(ConfigVisitor& visitor) {
  visitor.Section("eval");
  visitor.String("k", k, {}, "the k of pass@k, comma-separated");
  visitor.Int("samples", samples, 0, 1000, "completions a task; 0 = the largest k");
  visitor.Double("temperature", temperature, -1, 5, "0 = greedy; -1 = 0 for one sample and 0.6 for more");
  visitor.Double("top_p", top_p, 0.01, 1, "nucleus of the sampling");
  visitor.Int("max_tokens", max_tokens, 1, 8192, "longest completion of one function body");
  visitor.Int("max_problems", max_problems, 0, 100000, "tasks taken from each set by the seed; 0 = all");
  visitor.Int("fim_cases", fim_cases, 0, 100000, "fill-in-the-middle cases of each kind");
  visitor.Int("held_out_bytes", held_out_bytes, 1, int64_t{1} << 32, "held-out text for bits per byte");
  visitor.Int("seed", seed, 0, INT64_MAX, "seed of every choice and sample");
}

Result<std::vector<int64_t>> EvaluateConfig::Ks() const {
  std::vector<int64_t> ks;
  std::istringstream parts(k);
  for (std::string part; std::getline(parts, part, ',');) {
    const bool number = !part.empty() && part.size() < 5 &&
                        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number || std::stoll(part) < 1) return UsageError("'" + part + "' is no k of pass@k", "--k");
    ks.push_back(std::stoll(part));
  }
  if (ks.empty()) return UsageError("no k given", "--k");
  std::sort(ks.begin(), ks.end());
  if (samples > 0 && ks.back() > samples) {
    return UsageError(
        "pass@" + std::to_string(ks.back()) + " needs at least that many samples, not " + std::to_string(samples),
        "--samples");
  }
  return ks;
}

Result<Evaluation> Evaluate(TextModel& model, const EvaluateOptions& options) {
  PINTLE_ASSIGN(std::vector<int64_t> ks, options.config.Ks());
  EvaluateOptions settled = options;
  if (settled.config.samples == 0) settled.config.samples = ks.back();
  if (settled.config.temperature < 0) settled.config.temperature = settled.config.samples == 1 ? 0 : 0.6;
  return Run(model, settled, std::move(ks)).Execute();
}

}  // namespace pintle
