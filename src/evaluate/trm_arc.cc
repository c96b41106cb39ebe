#include "evaluate/trm_arc.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <span>

#include "base/log.h"
#include "base/time.h"
#include "kernels/math.h"
#include "puzzles/arc.h"

namespace pintle {
namespace {

// Lets the model answer all queries of one problem, and gives them to the votes.
Status AnswerProblem(PuzzleModel& puzzle, const std::vector<ArcQuery>& queries, const TrmSolveOptions& options,
                     ArcVotes& votes, TrmArcEvaluation& evaluation) {
  TrmBatch puzzles;
  for (const ArcQuery& query : queries) {
    AppendPuzzle(puzzles, query.sample.inputs, query.sample.labels, query.sample.puzzle_id, kPad);
  }
  PINTLE_ASSIGN(const std::vector<TrmSolution> solutions, SolveTrm(*puzzle.model, puzzles, options));
  const auto cells = static_cast<size_t>(puzzle.task->cells());
  const int64_t vocab = puzzle.model->config().vocab;
  for (size_t i = 0; i < queries.size(); ++i) {
    const TrmSolution& solution = solutions[i];
    votes.Add(queries[i], solution.answer, kernels::Sigmoid(solution.q));
    evaluation.mean_steps += static_cast<double>(solution.content_step > 0 ? solution.content_step : options.depth);
    const std::span<const int32_t> labels(puzzles.labels.data() + i * cells, cells);
    const bool known = std::any_of(labels.begin(), labels.end(), [](int32_t label) { return label != kTrmIgnored; });
    if (!known) continue;
    evaluation.score.Add(solution.answer, labels, vocab);
    evaluation.baseline.Add(puzzle.task->Baseline(queries[i].sample.inputs), labels, vocab);
  }
  evaluation.views += static_cast<int64_t>(queries.size());
  return {};
}

}  // namespace

Result<TrmArcEvaluation> EvaluateArc(PuzzleModel& puzzle, const TrmSolveOptions& options) {
  if (puzzle.task->info().name != "arc") {
    return ValidationError("a model of " + puzzle.task->info().name + " answers no ARC problems");
  }
  PINTLE_ASSIGN(const ArcSet set, OpenArcSet(puzzle.task_options));
  TrmArcEvaluation evaluation;
  evaluation.problems = static_cast<int64_t>(set.problems().size());
  ArcVotes votes(set), inputs(set);
  Progress progress("evaluate", "problems", static_cast<double>(evaluation.problems));
  const double start = MonotonicSeconds();
  for (size_t problem = 0; problem < set.problems().size(); ++problem) {
    const std::vector<ArcQuery> queries = set.Queries(problem);
    PINTLE_RETURN_IF_ERROR(AnswerProblem(puzzle, queries, options, votes, evaluation));
    for (const ArcQuery& query : queries) inputs.Add(query, query.sample.inputs, 1);
    for (const ArcPair& test : set.problems()[problem].test) {
      ++evaluation.tests;
      evaluation.known_tests += test.output.rows > 0 ? 1 : 0;
    }
    progress.Update(static_cast<double>(problem + 1),
                    fmt::format("views exact {:.1f} %", 100 * evaluation.score.ExactShare()));
  }
  const auto views = static_cast<double>(evaluation.views);
  evaluation.seconds_per_puzzle = (MonotonicSeconds() - start) / views;
  evaluation.mean_steps /= views;
  for (const int k : {1, 2, 5, 10, 100, 1000}) evaluation.pass.emplace_back(k, votes.PassAt(k));
  evaluation.baseline_pass = inputs.PassAt(1);
  evaluation.submission = votes.Submission();
  return evaluation;
}

boost::json::object TrmArcEvaluationJson(const TrmArcEvaluation& evaluation) {
  boost::json::object pass;
  for (const auto& [k, share] : evaluation.pass) pass[std::to_string(k)] = share;
  return {{"task", "arc"},
          {"problems", evaluation.problems},
          {"tests", evaluation.tests},
          {"known_tests", evaluation.known_tests},
          {"pass", pass},
          {"baseline_pass", evaluation.baseline_pass},
          {"count", evaluation.views},
          {"exact", evaluation.score.ExactShare()},
          {"cells", evaluation.score.CellShare()},
          {"baseline", evaluation.baseline.ExactShare()},
          {"baseline_cells", evaluation.baseline.CellShare()},
          {"mean_steps", evaluation.mean_steps},
          {"seconds_per_puzzle", evaluation.seconds_per_puzzle}};
}

}  // namespace pintle
