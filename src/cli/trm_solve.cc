// `pintle trm solve`: puzzles by hand, from a file or from standard input; the recursion as file, animation and
// picture.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "evaluate/trm_solve.h"
#include "evaluate/trm_trace.h"
#include "puzzles/puzzle_file.h"

namespace pintle {
namespace {

constexpr int64_t kPictureFrames = 24;

struct Options {
  std::string model, task, puzzle, file, trace, picture;
  int64_t depth = 16, samples = 1;
  double noise = 0.5;
  bool early_stop = false, abstain = false;
};

Result<std::vector<Sample>> Read(const Options& options, const Task& task) {
  if (!options.puzzle.empty()) {
    PINTLE_ASSIGN(Sample one, ReadPuzzle(task, options.puzzle, "--puzzle"));
    return std::vector<Sample>{std::move(one)};
  }
  if (options.file != "-") {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.file, 64 << 20));
    return ReadPuzzles(task, text, options.file);
  }
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  return ReadPuzzles(task, text, "standard input");
}

boost::json::object Json(const Task& task, const PuzzleAnswer& answer, bool abstained) {
  boost::json::object object{{"puzzle", task.Line(answer.puzzle.inputs)}};
  object["answer"] = abstained ? boost::json::value(nullptr) : boost::json::value(task.Line(answer.answer));
  object["abstained"] = abstained;
  object["confirmed"] = answer.verdict.right;
  object["reason"] = answer.verdict.reason;
  object["content"] = answer.content;
  object["confidence"] = answer.confidence;
  object["steps"] = answer.steps;
  object["sample"] = answer.sample;
  object["seconds"] = answer.seconds;
  return object;
}

void Print(const Task& task, const PuzzleAnswer& answer, bool abstained) {
  if (abstained) {
    fmt::print("no answer: the model is not content with what it has\n");
  } else {
    fmt::print("{}{}\n", task.Render(answer.answer),
               answer.verdict.right ? "confirmed by the rules" : "wrong: " + answer.verdict.reason);
  }
  fmt::print("{} steps, {:.0f} ms, {:.1f} % confident{}\n", answer.steps, 1e3 * answer.seconds, 100 * answer.confidence,
             answer.sample > 0 ? fmt::format(", sample {}", answer.sample) : "");
}

// The states of z_H one after the other, each over the one before.
void Animate(const Task& task, const TrmTrace& trace) {
  using namespace std::chrono_literals;
  std::string up;
  for (size_t i = 0; i < trace.states.size() && !Interrupted(); ++i) {
    if (!trace.states[i].is_h) continue;
    const std::string screen = TrmTraceScreen(task, trace, i);
    fmt::print(stderr, "{}{}", up, screen);
    std::fflush(stderr);
    up = fmt::format("\x1b[{}A", std::count(screen.begin(), screen.end(), '\n'));
    std::this_thread::sleep_for(120ms);
  }
}

Status WriteTrace(PuzzleModel& puzzle, const PuzzleAnswer& answer, const Options& options, const Global& global) {
  PINTLE_ASSIGN(const TrmTrace trace,
                TraceTrm(puzzle, answer.puzzle.inputs, answer.puzzle.puzzle_id, options.depth, options.early_stop));
  if (!options.trace.empty()) {
    PINTLE_RETURN_IF_ERROR(WriteFileAtomic(options.trace, TrmTraceNdjson(*puzzle.task, trace)));
    if (StderrIsTerminal() && !global.json) Animate(*puzzle.task, trace);
  }
  if (options.picture.empty()) return {};
  PINTLE_ASSIGN(const PictureFormat format, PictureFormatOf(options.picture));
  PINTLE_ASSIGN(const std::string picture,
                DrawFrames(*puzzle.task, trace.inputs, TrmTraceFrames(trace, kPictureFrames), format));
  return WriteFileAtomic(options.picture, picture);
}

Status Solve(const Options& options, const Global& global) {
  if (options.puzzle.empty() == options.file.empty()) return UsageError("give one of --puzzle TEXT and --file FILE");
  if (!options.picture.empty()) PINTLE_RETURN_IF_ERROR(PictureFormatOf(options.picture));
  ThreadPool pool(global.threads);
  const PuzzleModelOptions model_options{
      options.task, [&](TaskOptions& task) { return LoadSettings(global, [&](ConfigVisitor& v) { task.Visit(v); }); }};
  PINTLE_ASSIGN(PuzzleModel puzzle, LoadPuzzleModel(options.model, model_options, pool));
  PINTLE_ASSIGN(const std::vector<Sample> puzzles, Read(options, *puzzle.task));
  const bool look_inside = !options.trace.empty() || !options.picture.empty();
  if (look_inside && puzzles.size() != 1) {
    return UsageError(fmt::format("--trace and --picture take one puzzle, not {}", puzzles.size()));
  }
  TrmSolveOptions solve;
  solve.depth = options.depth;
  solve.early_stop = options.early_stop;
  solve.samples = options.samples;
  solve.noise = options.noise;
  solve.seed = global.seed;
  PINTLE_ASSIGN(const std::vector<PuzzleAnswer> answers, SolvePuzzles(puzzle, puzzles, solve));
  if (look_inside) PINTLE_RETURN_IF_ERROR(WriteTrace(puzzle, answers.front(), options, global));
  boost::json::array list;
  for (const PuzzleAnswer& answer : answers) {
    const bool abstained = options.abstain && !answer.content;
    if (global.json) {
      list.push_back(Json(*puzzle.task, answer, abstained));
    } else {
      Print(*puzzle.task, answer, abstained);
    }
  }
  if (global.json) fmt::print("{}\n", DumpJson(options.puzzle.empty() ? boost::json::value(list) : list.front()));
  return {};
}

}  // namespace

void RegisterTrmSolve(Command& trm) {
  auto options = std::make_shared<Options>();
  Command& verb = trm.Add("solve", "solve puzzles, and look at how the answer comes about");
  verb.Option("--model", options->model, "a model folder").Required();
  verb.Option("--puzzle", options->puzzle, "one puzzle as text: a line, or a grid");
  verb.Option("--file", options->file, "a file of puzzles (CSV, lines or grids); - = standard input");
  verb.Option("--depth", options->depth, "supervision steps at most");
  verb.Flag("--early-stop", options->early_stop, "stop as soon as the halting head is content");
  verb.Option("--samples", options->samples, "answers to choose from by the halting head; all but one with noise");
  verb.Option("--noise", options->noise, "standard deviation of that noise");
  verb.Flag("--abstain", options->abstain, "no answer unless the halting head is content");
  verb.Option("--trace", options->trace, "write every state of the recursion (NDJSON); a terminal shows it too");
  verb.Option("--picture", options->picture, "draw the recursion: FILE.svg, FILE.png or FILE.gif");
  verb.Option("--task", options->task, "the task, where the model does not name one");
  verb.Run([options](const Global& global) { return Solve(*options, global); });
}

}  // namespace pintle
