// `pintle trm solve`: puzzles by hand, from a file or from standard input, and ARC problems by name; the recursion as
// file, animation and picture.
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
#include "evaluate/trm_arc.h"
#include "evaluate/trm_solve.h"
#include "evaluate/trm_trace.h"
#include "puzzles/puzzle_file.h"

namespace pintle {
namespace {

constexpr int64_t kPictureFrames = 24;
constexpr size_t kArcTries = 2;

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

Status WritePicture(const Task& task, const Tokens& inputs, const std::vector<PictureFrame>& frames,
                    const std::string& path) {
  PINTLE_ASSIGN(const PictureFormat format, PictureFormatOf(path));
  PINTLE_ASSIGN(const std::string picture, DrawFrames(task, inputs, frames, format));
  return WriteFileAtomic(path, picture);
}

Result<TrmTrace> WriteTrace(PuzzleModel& puzzle, const Sample& sample, const Options& options, const Global& global) {
  PINTLE_ASSIGN(TrmTrace trace, TraceTrm(puzzle, sample.inputs, sample.puzzle_id, options.depth, options.early_stop));
  if (!options.trace.empty()) {
    PINTLE_RETURN_IF_ERROR(WriteFileAtomic(options.trace, TrmTraceNdjson(*puzzle.task, trace)));
    if (StderrIsTerminal() && !global.json) Animate(*puzzle.task, trace);
  }
  return trace;
}

boost::json::array GridJson(const Rectangle& grid) {
  boost::json::array rows;
  for (int row = 0; row < grid.rows; ++row) {
    boost::json::array& cells = rows.emplace_back(boost::json::array()).as_array();
    for (int col = 0; col < grid.cols; ++col) cells.push_back(grid.values[grid.At(row, col)]);
  }
  return rows;
}

boost::json::object ArcJson(const TrmArcAnswer& answer) {
  boost::json::array tries;
  for (size_t i = 0; i < std::min(kArcTries, answer.candidates.size()); ++i) {
    const ArcCandidate& candidate = answer.candidates[i];
    boost::json::object one{
        {"grid", GridJson(candidate.grid)}, {"votes", candidate.votes}, {"confidence", candidate.confidence}};
    if (answer.known()) one["right"] = candidate.grid == answer.pair().output;
    tries.push_back(one);
  }
  return {{"problem", answer.problem.id},
          {"test", answer.test + 1},
          {"input", GridJson(answer.pair().input)},
          {"views", answer.views},
          {"tries", tries}};
}

void PrintGrid(const Rectangle& grid) {
  for (int row = 0; row < grid.rows; ++row) {
    for (int col = 0; col < grid.cols; ++col) fmt::print("{}{}", col > 0 ? " " : "", grid.values[grid.At(row, col)]);
    fmt::print("\n");
  }
}

void PrintArc(const TrmArcAnswer& answer) {
  fmt::print("{}, test {} of {}\n", answer.problem.id, answer.test + 1, answer.problem.test.size());
  PrintGrid(answer.pair().input);
  if (answer.candidates.empty()) fmt::print("no view drew a grid\n");
  for (size_t i = 0; i < std::min(kArcTries, answer.candidates.size()); ++i) {
    const ArcCandidate& candidate = answer.candidates[i];
    const char* judged = !answer.known() ? "" : candidate.grid == answer.pair().output ? ", right" : ", wrong";
    fmt::print("try {}: {} of {} views, {:.1f} % confident{}\n", i + 1, candidate.votes, answer.views,
               100 * candidate.confidence, judged);
    PrintGrid(candidate.grid);
  }
}

Status SolveArcProblems(PuzzleModel& puzzle, const Options& options, const TrmSolveOptions& solve,
                        const Global& global) {
  PINTLE_ASSIGN(const std::vector<TrmArcAnswer> answers, SolveArc(puzzle, options.puzzle, solve));
  if ((!options.trace.empty() || !options.picture.empty()) && answers.size() != 1) {
    return UsageError(fmt::format("--trace and --picture take one test, not {}", answers.size()), "",
                      "--puzzle NAME chooses a problem");
  }
  if (!options.trace.empty()) PINTLE_RETURN_IF_ERROR(WriteTrace(puzzle, answers.front().plain, options, global));
  if (!options.picture.empty()) {
    const std::vector<PictureFrame> frames = TrmArcFrames(*puzzle.task, answers.front());
    PINTLE_RETURN_IF_ERROR(WritePicture(*puzzle.task, frames.front().cells, frames, options.picture));
  }
  boost::json::array list;
  for (const TrmArcAnswer& answer : answers) {
    if (global.json) {
      list.push_back(ArcJson(answer));
    } else {
      PrintArc(answer);
    }
  }
  if (global.json) fmt::print("{}\n", DumpJson(list));
  return {};
}

Status Solve(const Options& options, const Global& global) {
  if (!options.picture.empty()) PINTLE_RETURN_IF_ERROR(PictureFormatOf(options.picture));
  ThreadPool pool(global.threads);
  const PuzzleModelOptions model_options{
      options.task, [&](TaskOptions& task) -> Status {
        PINTLE_RETURN_IF_ERROR(LoadSettings(global, [&](ConfigVisitor& v) { task.Visit(v); }));
        if (!options.file.empty()) task.data = options.file;  // only ARC reads it
        return {};
      }};
  PINTLE_ASSIGN(PuzzleModel puzzle, LoadPuzzleModel(options.model, model_options, pool));
  TrmSolveOptions solve;
  solve.depth = options.depth;
  solve.early_stop = options.early_stop;
  solve.samples = options.samples;
  solve.noise = options.noise;
  solve.seed = global.seed;
  if (puzzle.task->info().name == "arc") return SolveArcProblems(puzzle, options, solve, global);
  if (options.puzzle.empty() == options.file.empty()) return UsageError("give one of --puzzle TEXT and --file FILE");
  PINTLE_ASSIGN(const std::vector<Sample> puzzles, Read(options, *puzzle.task));
  const bool look_inside = !options.trace.empty() || !options.picture.empty();
  if (look_inside && puzzles.size() != 1) {
    return UsageError(fmt::format("--trace and --picture take one puzzle, not {}", puzzles.size()));
  }
  PINTLE_ASSIGN(const std::vector<PuzzleAnswer> answers, SolvePuzzles(puzzle, puzzles, solve));
  if (look_inside) {
    PINTLE_ASSIGN(const TrmTrace trace, WriteTrace(puzzle, answers.front().puzzle, options, global));
    if (!options.picture.empty()) {
      PINTLE_RETURN_IF_ERROR(
          WritePicture(*puzzle.task, trace.inputs, TrmTraceFrames(trace, kPictureFrames), options.picture));
    }
  }
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
  verb.Option("--puzzle", options->puzzle, "one puzzle as text: a line, or a grid; ARC: the name of a problem");
  verb.Option("--file", options->file,
              "a file of puzzles (CSV, lines or grids), - = standard input; ARC: the "
              "problems, where they have moved");
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
