// `pintle demo`: what the program does, on real input, in a few minutes. First the shipped model completes three
// functions and the compiler judges them, the shipped recursive model solves a Sudoku, and the voice says a sentence;
// then a small model is made from a real source archive, every stage in order, evaluated and reported.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/data_files.h"
#include "cli/demo_puzzle.h"
#include "cli/demo_speech.h"
#include "cli/pipeline.h"
#include "cli/verbs.h"
#include "corpus/crawl.h"
#include "evaluate/evaluate.h"
#include "evaluate/gates.h"
#include "evaluate/harness.h"
#include "evaluate/report.h"
#include "generate/generate.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrompts[] = {
    "/// Returns the larger of two numbers.\npub fn max(a: i32, b: i32) -> i32 {\n",
    "/// Returns true if the slice holds no elements.\npub fn is_empty(values: &[u8]) -> bool {\n",
    "/// Returns the number of elements in the vector.\npub fn len(items: &Vec<String>) -> usize {\n",
};

void Heading(const std::string& text) { fmt::print("\n== {}\n", text); }

// The best shipped model that is there.
Result<fs::path> ShippedModel() {
  auto best = FindDataFile("models/m31r-6m/model.safetensors");
  if (!best.ok()) best = FindDataFile("models/m31r-1m/model.safetensors");
  if (!best.ok()) return std::move(best).error();
  return best->parent_path();
}

Status CompleteFunctions(const Global& global) {
  PINTLE_ASSIGN(const fs::path folder, ShippedModel());
  PINTLE_ASSIGN(const auto model, TextModel::Load(folder.string(), global.threads));
  const ModelInfo info = model->Info();
  Heading(fmt::format("{} completes Rust functions ({} weights, made by this program from random numbers)",
                      folder.filename().string(), info.parameters));
  std::fflush(stdout);
  std::vector<Task> tasks;
  std::vector<std::string> texts;
  for (const char* prompt : kPrompts) {
    SampleOptions options;
    options.max_tokens = 64;
    options.stop = {"\n}"};
    PINTLE_ASSIGN(const Completion completion, model->Complete(prompt, options));
    Task task;
    task.id = "demo-" + std::to_string(tasks.size());
    task.prompt = prompt;
    task.tests = "\n}\n\nfn main() {}\n";
    tasks.push_back(std::move(task));
    texts.push_back(completion.text);
  }
  HarnessOptions options;
  auto harness = Harness::Create(options);
  std::vector<Verdict> verdicts;
  if (harness.ok()) {
    std::vector<Candidate> candidates;
    candidates.reserve(tasks.size());
    for (size_t i = 0; i < tasks.size(); ++i) candidates.push_back({&tasks[i], texts[i]});
    PINTLE_ASSIGN(verdicts, harness->Check(candidates));
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    const char* verdict = verdicts.empty()           ? ""
                          : verdicts[i].TypeChecks() ? "  // rustc accepts it"
                                                     : "  // rustc rejects it";
    fmt::print("\n{}{}\n}}{}\n", tasks[i].prompt, texts[i], verdict);
    if (!verdicts.empty() && !verdicts[i].TypeChecks()) fmt::print("//   {}\n", verdicts[i].message);
  }
  if (!harness.ok()) fmt::print("\nnot compiled: {}\n", harness.error().Message());
  return {};
}

// The Debian package if it can be had, else the Rust source that comes with the tests.
Result<fs::path> DemoSource(const fs::path& work) {
  PINTLE_ASSIGN(const fs::path manifest, FindDataFile("configs/m31r/corpus-demo.toml"));
  PINTLE_ASSIGN(const CrawlManifest sources, OpenCrawlSource(manifest));
  const auto crawled = Crawl(sources, {work, false});
  if (crawled.ok()) return manifest;
  if (Interrupted()) return crawled.error();
  PINTLE_ASSIGN(const fs::path shipped, FindDataFile("src/corpus/testdata/mini"));
  fmt::print("the source package cannot be had ({}): using the small Rust source of the tests instead\n",
             crawled.error().Message());
  return shipped;
}

fs::path DefaultWork() {
  if (const char* data = std::getenv("XDG_DATA_HOME")) return fs::path(data) / "pintle" / "demo";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "." : home) / ".local" / "share" / "pintle" / "demo";
}

// A small evaluation of the fresh model, the gates, and the page about the run.
Status EvaluateAndReport(const fs::path& work, const Global& global) {
  Heading("evaluation: rustc judges what the fresh model writes");
  std::fflush(stdout);
  PINTLE_ASSIGN(const auto model, TextModel::Load((work / "run" / "model").string(), global.threads));
  EvaluateOptions options;
  options.config.max_problems = 20;
  options.config.max_tokens = 96;
  options.config.fim_cases = 20;
  options.config.held_out_bytes = 65536;
  PINTLE_ASSIGN(const fs::path tasks, FindDataFile("benchmarks/rust-eval/mbpp-rs.jsonl"));
  options.tasks = {tasks.string()};
  options.held_out = (work / "dataset").string();
  options.out = (work / "eval").string();
  options.threads = global.threads;
  PINTLE_ASSIGN(const Evaluation result, Evaluate(*model, options));
  PINTLE_ASSIGN(const boost::json::object evaluation, MergeEvaluation(result.metrics, result.machine));
  fmt::print("{}", GatesTable(ComputeGates(evaluation, work / "run" / "run.jsonl")));
  PINTLE_ASSIGN(const Report report, MakeReport(work));
  PINTLE_RETURN_IF_ERROR(WriteReport(report, work));
  fmt::print("\nthe report card: {}\n", (work / "report.html").string());
  return {};
}

Status MakeModel(const fs::path& work, const Global& global) {
  Heading("a language model from nothing: crawl, filter, dataset, tokenizer, shard, train");
  std::fflush(stdout);
  PINTLE_RETURN_IF_ERROR(MakeFolder(work));
  PipelineOptions pipeline;
  PINTLE_ASSIGN(pipeline.settings, PresetSettings("demo"));
  PINTLE_ASSIGN(pipeline.source, DemoSource(work));
  pipeline.work = work;
  PINTLE_ASSIGN(const PipelineResult result, RunPipeline(global, pipeline));
  fmt::print("{} weights, {} steps, {:.3f} bits per byte on crates it never saw, {}\n", result.parameters, result.steps,
             result.bits_per_byte, HumanDuration(result.seconds));
  fmt::print("weights {}\n", result.weights);
  const auto recipe = FindDataFile("models/m31r-1m/recipe.json");
  if (recipe.ok()) {
    PINTLE_ASSIGN(const Reproduction shipped, CompareWithRecipe(result, recipe->parent_path(), work));
    fmt::print("{}\n", shipped.same_weights ? "the same bytes as the shipped m31r-1m"
                       : shipped.same_data  ? "NOT the bytes of the shipped m31r-1m, though the data is the same"
                                           : "not the shipped m31r-1m: your archive has another version of the source");
  }
  return EvaluateAndReport(work, global);
}

}  // namespace

void RegisterDemo(Command& pintle) {
  auto work = std::make_shared<std::string>();
  Command& verb = pintle.Add("demo", "what this program does, on real input, in a few minutes");
  verb.Option("--work", *work, "the work folder (default: in your data folder)");
  verb.Run([work](const Global& global) -> Status {
    const fs::path folder = work->empty() ? DefaultWork() : fs::path(*work);
    if (global.dry_run) {
      fmt::print(
          "would complete three functions, solve a Sudoku, say a sentence, then make and evaluate a model in {}\n",
          folder.string());
      return {};
    }
    const double start = MonotonicSeconds();
    PINTLE_RETURN_IF_ERROR(CompleteFunctions(global));
    PINTLE_RETURN_IF_ERROR(DemoPuzzle(global));
    PINTLE_RETURN_IF_ERROR(DemoSpeech(folder));
    PINTLE_RETURN_IF_ERROR(MakeModel(folder, global));
    fmt::print("\nall of it took {}. Try next:\n", HumanDuration(MonotonicSeconds() - start));
    fmt::print("  pintle m31r generate --model {}/run/model --prompt 'fn main() {{'\n", folder.string());
    fmt::print("  pintle m31r why --work {} library/core/src/lib.rs\n", folder.string());
    fmt::print("  pintle m31r run --preset 6m --source configs/m31r/corpus-debian.toml --work work-6m\n");
    return {};
  });
}

}  // namespace pintle
