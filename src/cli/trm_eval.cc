// `pintle trm eval`: accuracy of a model on unseen puzzles, or on the tests of ARC problems.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "evaluate/trm_arc.h"
#include "evaluate/trm_evaluate.h"

namespace pintle {
namespace {

struct Options {
  std::string model, task, data, split, submission;
  int64_t generate = 0, depth = 16, samples = 1, batch = 64;
  double noise = 0.5;
  bool early_stop = false;
};

void Print(const TrmEvaluation& e, const PuzzleModel& puzzle) {
  const double count = static_cast<double>(e.score.puzzles);
  fmt::print("{}: {} puzzles, depth {}{}\n", e.task, e.score.puzzles, e.depth,
             e.samples > 1 ? fmt::format(", best of {} samples", e.samples) : "");
  fmt::print("  exact      {:6.2f} %   (baseline {:.2f} %: {})\n", 100 * e.score.ExactShare(),
             100 * e.baseline.ExactShare(), puzzle.task->info().baseline);
  fmt::print("  cells      {:6.2f} %   (baseline {:.2f} %)\n", 100 * e.score.CellShare(), 100 * e.baseline.CellShare());
  fmt::print("  confirmed  {:6.2f} %   by the rules of the puzzle\n", 100 * static_cast<double>(e.confirmed) / count);
  fmt::print("  steps      {:6.2f}     until the halting head is content; {:.2f} % exact if one stops there\n",
             e.mean_steps, 100 * e.early.ExactShare());
  fmt::print("  halting    {:6.2f} %   of its verdicts right; calibration error {:.3f}\n",
             100 * static_cast<double>(e.halt_right) / count, e.calibration_error);
  fmt::print("  time       {:6.1f} ms  a puzzle\n", 1e3 * e.seconds_per_puzzle);
  if (e.curve.empty()) return;
  fmt::print("  depth      exact    cells    content\n");
  for (const TrmDepthPoint& point : e.curve) {
    fmt::print("  {:>5}  {:8.2f} {:8.2f} {:8.2f}\n", point.depth, 100 * point.score.ExactShare(),
               100 * point.score.CellShare(), 100 * static_cast<double>(point.content) / count);
  }
}

void PrintArc(const TrmArcEvaluation& e) {
  fmt::print("arc: {} problems, {} tests ({} with a known output), {} views\n", e.problems, e.tests, e.known_tests,
             e.views);
  for (const auto& [k, share] : e.pass) {
    fmt::print("  pass@{:<4}  {:6.2f} %{}\n", k, 100 * share,
               k == 1 ? fmt::format("   (baseline {:.2f} %: the input as it stands)", 100 * e.baseline_pass) : "");
  }
  fmt::print("  views      {:6.2f} %   exact (baseline {:.2f} %)\n", 100 * e.score.ExactShare(),
             100 * e.baseline.ExactShare());
  fmt::print("  cells      {:6.2f} %   (baseline {:.2f} %)\n", 100 * e.score.CellShare(), 100 * e.baseline.CellShare());
  fmt::print("  steps      {:6.2f}     until the halting head is content\n", e.mean_steps);
  fmt::print("  time       {:6.1f} ms  a view\n", 1e3 * e.seconds_per_puzzle);
}

Status EvaluateOnArc(PuzzleModel& puzzle, const Options& options, const TrmSolveOptions& solve, const Global& global) {
  if (options.generate != 0 || !options.split.empty()) {
    return UsageError("ARC problems are not generated and bring their own tests: no --generate, no --split");
  }
  PINTLE_ASSIGN(const TrmArcEvaluation evaluation, EvaluateArc(puzzle, solve));
  if (!options.submission.empty()) {
    PINTLE_RETURN_IF_ERROR(WriteFileAtomic(options.submission, evaluation.submission));
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(TrmArcEvaluationJson(evaluation)));
  } else {
    PrintArc(evaluation);
  }
  return {};
}

Status Evaluate(const Options& options, const Global& global) {
  if (options.generate < 0 || options.generate > 10'000'000) return UsageError("--generate is 1 to 10000000");
  ThreadPool pool(global.threads);
  const PuzzleModelOptions model_options{
      options.task, [&](TaskOptions& task) -> Status {
        PINTLE_RETURN_IF_ERROR(LoadSettings(global, [&](ConfigVisitor& v) { task.Visit(v); }));
        if (!options.data.empty()) task.data = options.data;  // only ARC reads it
        return {};
      }};
  PINTLE_ASSIGN(PuzzleModel puzzle, LoadPuzzleModel(options.model, model_options, pool));
  TrmEvaluateOptions evaluate;
  evaluate.seed = evaluate.solve.seed = global.seed;
  evaluate.solve.depth = options.depth;
  evaluate.solve.samples = options.samples;
  evaluate.solve.noise = options.noise;
  evaluate.solve.batch = options.batch;
  evaluate.solve.early_stop = options.early_stop;
  if (puzzle.task->info().name == "arc") return EvaluateOnArc(puzzle, options, evaluate.solve, global);
  if (!options.submission.empty()) return UsageError("--submission is for models of the task arc");
  if (options.data.empty() == (options.generate == 0)) return UsageError("give one of --data FILE and --generate N");
  // Puzzles that the model may have been trained with do not count, unless they are asked for.
  const bool unseen = options.data.empty() || puzzle.trained_on_file;
  PINTLE_ASSIGN(evaluate.split, SplitOf(!options.split.empty() ? options.split : unseen ? "test" : "all"));
  evaluate.data = options.data;
  evaluate.generate = options.generate;
  PINTLE_ASSIGN(const TrmEvaluation evaluation, EvaluateTrm(puzzle, evaluate, pool));
  if (global.json) {
    fmt::print("{}\n", DumpJson(TrmEvaluationJson(evaluation)));
  } else {
    Print(evaluation, puzzle);
  }
  return {};
}

}  // namespace

void RegisterTrmEval(Command& trm) {
  auto options = std::make_shared<Options>();
  Command& verb = trm.Add("eval", "accuracy on unseen puzzles, by depth, and whether the halting head is right");
  verb.Option("--model", options->model, "a model folder").Required();
  verb.Option("--data", options->data,
              "a file of puzzles (CSV, lines or grids); ARC: the problems, where they have moved");
  verb.Option("--submission", options->submission, "ARC: write submission.json, two attempts for every test");
  verb.Option("--generate", options->generate, "so many fresh puzzles instead");
  verb.Option("--split", options->split,
              "all, train or test (default: test; all for a file if the model never trained on files)");
  verb.Option("--depth", options->depth, "supervision steps");
  verb.Option("--samples", options->samples, "answers a puzzle, of which the most confident counts");
  verb.Option("--noise", options->noise, "standard deviation of the noise that tells samples apart");
  verb.Flag("--early-stop", options->early_stop, "stop each puzzle as soon as the halting head is content");
  verb.Option("--batch", options->batch, "puzzles side by side (never changes a result)");
  verb.Option("--task", options->task, "the task, where the model does not name one");
  verb.Run([options](const Global& global) { return Evaluate(*options, global); });
}

}  // namespace pintle
