#include "evaluate/trm_solve.h"

#include "base/time.h"
#include "kernels/math.h"

namespace pintle {

Result<Sample> ReadPuzzle(const Task& task, const std::string& text, const std::string& where) {
  Sample sample;
  PINTLE_ASSIGN(sample.inputs, task.Parse(text, where));
  auto answer = task.Solve(sample.inputs);
  if (!answer.ok()) {
    Error error = std::move(answer).error();
    if (error.where.empty()) error.where = where;
    return error;
  }
  sample.labels = std::move(answer).value();
  return sample;
}

Result<std::vector<PuzzleAnswer>> SolvePuzzles(PuzzleModel& puzzle, const std::vector<Sample>& puzzles,
                                               const TrmSolveOptions& options) {
  std::vector<PuzzleAnswer> answers;
  for (const Sample& sample : puzzles) {
    TrmBatch batch;
    AppendPuzzle(batch, sample.inputs, {}, sample.puzzle_id, kPad);
    const double start = MonotonicSeconds();
    PINTLE_ASSIGN(std::vector<TrmSolution> solutions, SolveTrm(*puzzle.model, batch, options));
    PuzzleAnswer answer;
    answer.seconds = MonotonicSeconds() - start;
    TrmSolution& solution = solutions.front();
    answer.puzzle = sample;
    answer.answer = std::move(solution.answer);
    answer.verdict = puzzle.task->Check(sample.inputs, answer.answer);
    answer.content = solution.q > 0;
    answer.confidence = kernels::Sigmoid(solution.q);
    answer.steps = solution.steps;
    answer.sample = solution.sample;
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace pintle
