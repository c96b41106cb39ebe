// Solving puzzles from outside: the puzzle is checked first (one answer, no more), the model answers, the task's
// checker judges the answer by the rules. The checker never helps the model. Not here: tracing (trm_trace.h), accuracy
// over many puzzles (trm_evaluate.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/trm_model.h"
#include "models/trm/solve.h"

namespace pintle {

/// One puzzle and what the model made of it.
struct PuzzleAnswer {
  Sample puzzle;          ///< labels are the true answer, which the model never sees
  Tokens answer;          ///< the model's
  Verdict verdict;        ///< of the checker
  bool content = false;   ///< the halting head says that the answer is right
  double confidence = 0;  ///< sigmoid of the halting logit
  int64_t steps = 0, sample = 0;
  double seconds = 0;
};

/// One puzzle from text: a line or a grid. Wrong sizes, unknown symbols, puzzles without an answer or with several are
/// validation errors.
Result<Sample> ReadPuzzle(const Task& task, const std::string& text, const std::string& where);
/// Lets the model answer each puzzle; one after the other, so that `seconds` is what one puzzle takes.
Result<std::vector<PuzzleAnswer>> SolvePuzzles(PuzzleModel& puzzle, const std::vector<Sample>& puzzles,
                                               const TrmSolveOptions& options);

}  // namespace pintle
