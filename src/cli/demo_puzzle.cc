#include "cli/demo_puzzle.h"

#include <fmt/format.h>

#include "cli/data_files.h"
#include "evaluate/trm_solve.h"
#include "evaluate/trm_trace.h"

namespace pintle {
namespace {

constexpr const char* kPuzzle = ".1..6...6...2...5.6....4....2.5.3...";
constexpr size_t kColumns = 8;  // grids side by side
constexpr size_t kWidth = 9;    // of one, with the gap behind it
constexpr int64_t kDepth = 16;

}  // namespace

Status DemoPuzzle(const Global& global) {
  PINTLE_ASSIGN(const auto weights, FindDataFile("models/sudoku6/model.safetensors"));
  ThreadPool pool(global.threads);
  PINTLE_ASSIGN(PuzzleModel puzzle, LoadPuzzleModel(weights.parent_path(), {}, pool));
  const Task& task = *puzzle.task;
  fmt::print("\n== a recursive model of {} weights solves a Sudoku by going over its own answer\n\n",
             puzzle.model->parameters().Count());
  PINTLE_ASSIGN(const Sample sample, ReadPuzzle(task, kPuzzle, "demo"));
  PINTLE_ASSIGN(const TrmTrace trace, TraceTrm(puzzle, sample.inputs, sample.puzzle_id, kDepth, true));
  std::vector<Tokens> grids{sample.inputs};
  std::string captions = fmt::format("{:<{}}", "puzzle", kWidth);
  const TrmTraceState* last = nullptr;
  for (const TrmTraceState& state : trace.states) {
    if (!state.last) continue;
    last = &state;
    if (grids.size() == kColumns) continue;
    captions += fmt::format("{:<{}}", fmt::format("step {}", state.step), kWidth);
    grids.push_back(state.answer);
  }
  const auto cols = static_cast<size_t>(task.info().cols);
  for (size_t row = 0; row < static_cast<size_t>(task.info().rows); ++row) {
    for (const Tokens& grid : grids) {
      fmt::print("{:<{}}", task.Line(grid).substr(row * cols, cols), kWidth);
    }
    fmt::print("\n");
  }
  fmt::print("{}\n", captions);
  const Verdict verdict = task.Check(sample.inputs, last->answer);
  fmt::print("after {} steps the model is {} (q {:+.1f}); the rules say: {}\n", last->step,
             last->q > 0 ? "content" : "not content", last->q, verdict.right ? "right" : verdict.reason);
  return {};
}

}  // namespace pintle
