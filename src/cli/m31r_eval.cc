// `m31r eval`: scores of a model on Rust tasks and held-out crates; `--self-test` tests the harness instead.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "evaluate/evaluate.h"
#include "evaluate/gates.h"
#include "evaluate/soundness.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Options {
  std::string model, work, held_out, out, k, baseline, cache;
  std::vector<std::string> tasks;
  int64_t samples = 0, max_problems = -1;
  bool gates = false, self_test = false, unsafe = false;
};

// Tasks from the command line, or none.
Status SelfTest(const Options& options, const Global& global) {
  HarnessOptions harness_options;
  harness_options.workers = global.threads;
  harness_options.unsafe = options.unsafe;
  harness_options.cache_file = options.cache;
  PINTLE_ASSIGN(Harness harness, Harness::Create(harness_options));
  PINTLE_ASSIGN(std::vector<std::string> findings, RunBuiltinSelfTest(harness));
  json::array sets;
  std::string table;
  for (const std::string& path : options.tasks) {
    PINTLE_ASSIGN(const TaskSet set, LoadTasks(path));
    Progress progress("testing " + set.name, "programs", 0);
    constexpr int kMutants = 4;
    PINTLE_ASSIGN(const SelfTestReport report, RunSelfTest(harness, set, global.seed, kMutants, [&](int64_t done) {
                    progress.Update(static_cast<double>(done));
                  }));
    progress.Finish();
    findings.insert(findings.end(), report.findings.begin(), report.findings.end());
    sets.push_back({{"name", set.name},
                    {"tasks", report.tasks},
                    {"references", report.references},
                    {"references_passed", report.references_passed},
                    {"blanks", report.blanks},
                    {"blanks_refused", report.blanks_refused},
                    {"mutants", report.mutants},
                    {"mutants_refused", report.mutants_refused}});
    table += fmt::format("{}: {} tasks, {} of {} references pass, {} of {} blanks and {} of {} mutants refused\n",
                         set.name, report.tasks, report.references_passed, report.references, report.blanks_refused,
                         report.blanks, report.mutants_refused, report.mutants);
  }
  PINTLE_RETURN_IF_ERROR(harness.SaveCache());
  if (global.json) {
    const json::object root{{"rustc", harness.rustc().version},
                            {"sandbox", harness.sandbox().level()},
                            {"sets", sets},
                            {"findings", json::value_from(findings)}};
    fmt::print("{}\n", DumpJson(root));
  } else {
    fmt::print("{}, sandbox {}\n{}", harness.rustc().version, harness.sandbox().level(), table);
    for (const std::string& finding : findings) fmt::print("wrong: {}\n", finding);
  }
  if (!findings.empty()) return ValidationError(fmt::format("the self-test found {} things wrong", findings.size()));
  if (!global.json) fmt::print("the harness is sound\n");
  return {};
}

double Number(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

void PrintScores(const json::object& evaluation) {
  const auto percent = [](const json::value* value) {
    return value != nullptr && value->is_number() ? fmt::format("{:.1f} %", 100 * value->to_number<double>())
                                                  : std::string("not measured");
  };
  const auto row = [](const std::string& name, const std::string& value) { fmt::print("{:<32} {}\n", name, value); };
  if (const json::value* problems = evaluation.if_contains("problems")) {
    const json::value* rustc = evaluation.if_contains("rustc");
    row("compiler", rustc->is_string() ? std::string(rustc->as_string()) : "none");
    row("problems", DumpJson(*problems));
    row("compiles, not trivial", percent(evaluation.if_contains("compile_rate")));
    row("type-checks", percent(evaluation.if_contains("type_check_rate")));
    row("trivial", percent(evaluation.if_contains("trivial_rate")));
    if (const json::value* pass_at = evaluation.if_contains("pass_at"); pass_at != nullptr && pass_at->is_object()) {
      for (const auto& [k, value] : pass_at->as_object()) row("pass@" + std::string(k), percent(&value));
    }
    if (const json::value* system = evaluation.if_contains("system")) {
      row("compiler choosing: compiles", percent(system->as_object().if_contains("compile_rate")));
      row("compiler choosing: passes", percent(system->as_object().if_contains("pass_at_1")));
    }
  }
  if (const json::value* bits = evaluation.if_contains("bits_per_byte")) {
    const json::object& object = bits->as_object();
    row("bits per byte", fmt::format("{:.3f}  (5-gram {:.3f}, xz -9 {:.3f}, zstd -19 {:.3f})", Number(object, "model"),
                                     Number(object, "five_gram"), Number(object, "xz_9"), Number(object, "zstd_19")));
  }
  if (const json::value* fim = evaluation.if_contains("fim")) {
    for (const auto& [kind, value] : fim->as_object()) {
      row("FIM " + std::string(kind), percent(value.as_object().if_contains("exact_match")) +
                                          " exact, edit similarity " +
                                          percent(value.as_object().if_contains("edit_similarity")));
    }
  }
  if (const json::value* machine = evaluation.if_contains("machine")) {
    const json::object& object = machine->as_object();
    if (object.contains("ms_per_token")) {
      row("speed", fmt::format("{:.2f} ms a token, first after {:.1f} ms", Number(object, "ms_per_token"),
                               Number(object, "first_token_ms")));
    }
    row("peak memory", fmt::format("{:.0f} MB", Number(object, "peak_resident_bytes") / 1e6));
    if (const json::value* level = object.if_contains("sandbox"); level != nullptr && level->is_string()) {
      row("sandbox", std::string(level->as_string()));
    }
  }
}

Status RunEvaluation(const Options& options, const Global& global) {
  EvaluateOptions evaluate;
  const ConfigFields fields = [&evaluate](ConfigVisitor& visitor) { evaluate.config.Visit(visitor); };
  PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
  if (!options.k.empty()) evaluate.config.k = options.k;
  if (options.samples > 0) evaluate.config.samples = options.samples;
  if (options.max_problems >= 0) evaluate.config.max_problems = options.max_problems;
  if (global.seed_given) evaluate.config.seed = static_cast<int64_t>(global.seed & 0x7fffffffffffffff);
  evaluate.tasks = options.tasks;
  evaluate.threads = global.threads;
  evaluate.unsafe = options.unsafe;
  evaluate.cache = options.cache;
  evaluate.held_out = options.held_out;
  evaluate.out = options.out;
  fs::path model = options.model, run_log;
  if (!options.work.empty()) {
    const fs::path work = options.work;
    if (model.empty()) model = work / "run" / "model";
    if (evaluate.held_out.empty()) evaluate.held_out = (work / "dataset").string();
    if (evaluate.out.empty()) evaluate.out = (work / "eval").string();
    run_log = work / "run" / "run.jsonl";
  }
  if (model.empty()) return UsageError("no model given", {}, "give --model DIR or --work DIR");
  if (global.dry_run) {
    fmt::print("would evaluate {} with\n{}", model.string(), DumpConfig(fields));
    return {};
  }
  json::object before;
  if (!options.baseline.empty()) {
    PINTLE_ASSIGN(before, ReadEvaluation(options.baseline));
  }
  PINTLE_ASSIGN(const std::unique_ptr<TextModel> loaded, TextModel::Load(model.string(), global.threads));
  PINTLE_ASSIGN(const Evaluation result, Evaluate(*loaded, evaluate));
  PINTLE_ASSIGN(const json::object evaluation, MergeEvaluation(result.metrics, result.machine));
  if (global.json) {
    fmt::print("{}\n", DumpJson(evaluation));
  } else {
    PrintScores(evaluation);
  }
  if (options.gates) fmt::print(global.json ? stderr : stdout, "\n{}", GatesTable(ComputeGates(evaluation, run_log)));
  if (options.baseline.empty()) return {};
  PINTLE_ASSIGN(const std::vector<ScoreChange> changes, CompareEvaluations(evaluation, before));
  return CheckForRegressions(changes, options.baseline);
}

}  // namespace

void RegisterM31rEval(Command& m31r) {
  Command& verb = m31r.Add("eval", "score a model: Rust tasks judged by rustc, fill in the middle, bits per byte");
  auto options = std::make_shared<Options>();
  verb.Option("--model", options->model, "the model folder (default: WORK/run/model)");
  verb.Option("--work", options->work, "the work folder: its model, its held-out crates, its eval/ for the results");
  verb.Option("--tasks", options->tasks, "task files (.jsonl) or folders of tasks");
  verb.Option("--k", options->k, "the k of pass@k, as 1,5,10");
  verb.Option("--samples", options->samples, "completions a task (default: the largest k)");
  verb.Option("--max-problems", options->max_problems, "tasks taken from each set, chosen by the seed; 0 = all");
  verb.Option("--held-out", options->held_out, "dataset folder or .jsonl.zst with crates the model has not seen");
  verb.Option("--out", options->out, "where metrics.json and results.jsonl go (default: WORK/eval, else nowhere)");
  verb.Option("--cache", options->cache, "file of earlier builds, so that equal programs are not built again");
  verb.Option("--baseline", options->baseline,
              "an earlier evaluation: worse by 5 % (quality) or 10 % (speed) ends with 4");
  verb.Flag("--gates", options->gates, "print each success metric with its threshold and whether it is met");
  verb.Flag("--self-test", options->self_test, "test the harness and the tasks instead of a model");
  verb.Flag("--unsafe", options->unsafe, "run generated programs even where the sandbox lacks seccomp or Landlock");
  verb.Run([options](const Global& global) -> Status {
    return options->self_test ? SelfTest(*options, global) : RunEvaluation(*options, global);
  });
}

}  // namespace pintle
