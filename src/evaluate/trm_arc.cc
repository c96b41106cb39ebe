#include "evaluate/trm_arc.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "base/time.h"
#include "kernels/math.h"

namespace pintle {
namespace {

Result<ArcSet> ProblemsOf(const PuzzleModel& puzzle) {
  if (puzzle.task->info().name != "arc") {
    return ValidationError("a model of " + puzzle.task->info().name + " answers no ARC problems");
  }
  return OpenArcSet(puzzle.task_options);
}

// The model's answers to all queries of one problem, which are also given to the votes.
Result<std::vector<TrmSolution>> AnswerQueries(PuzzleModel& puzzle, const std::vector<ArcQuery>& queries,
                                               const TrmSolveOptions& options, ArcVotes& votes) {
  TrmBatch puzzles;
  for (const ArcQuery& query : queries) AppendPuzzle(puzzles, query.sample.inputs, {}, query.sample.puzzle_id, kPad);
  PINTLE_ASSIGN(std::vector<TrmSolution> solutions, SolveTrm(*puzzle.model, puzzles, options));
  for (size_t i = 0; i < queries.size(); ++i) {
    votes.Add(queries[i], solutions[i].answer, kernels::Sigmoid(solutions[i].q));
  }
  return solutions;
}

// Scores the single views.
void Score(const PuzzleModel& puzzle, const std::vector<ArcQuery>& queries, const std::vector<TrmSolution>& solutions,
           int64_t depth, TrmArcEvaluation& evaluation) {
  const int64_t vocab = puzzle.model->config().vocab;
  for (size_t i = 0; i < queries.size(); ++i) {
    const TrmSolution& solution = solutions[i];
    evaluation.mean_steps += static_cast<double>(solution.content_step > 0 ? solution.content_step : depth);
    TrmBatch one;
    AppendPuzzle(one, queries[i].sample.inputs, queries[i].sample.labels, 0, kPad);
    const bool known =
        std::any_of(one.labels.begin(), one.labels.end(), [](int32_t label) { return label != kTrmIgnored; });
    if (!known) continue;
    evaluation.score.Add(solution.answer, one.labels, vocab);
    evaluation.baseline.Add(puzzle.task->Baseline(queries[i].sample.inputs), one.labels, vocab);
  }
  evaluation.views += static_cast<int64_t>(queries.size());
}

}  // namespace

Result<std::vector<TrmArcAnswer>> SolveArc(PuzzleModel& puzzle, const std::string& problem,
                                           const TrmSolveOptions& options) {
  PINTLE_ASSIGN(const ArcSet set, ProblemsOf(puzzle));
  std::vector<TrmArcAnswer> answers;
  for (size_t i = 0; i < set.problems().size(); ++i) {
    const ArcProblem& one = set.problems()[i];
    if (!problem.empty() && one.id != problem) continue;
    ArcVotes votes(set);
    const std::vector<ArcQuery> queries = set.Queries(i);
    PINTLE_RETURN_IF_ERROR(AnswerQueries(puzzle, queries, options, votes));
    const size_t views = set.views(i).size();
    for (size_t test = 0; test < one.test.size(); ++test) {
      // The plain view is the first of each test's.
      answers.push_back({one, test, queries[test * views].sample, static_cast<int64_t>(views), votes.Ranked(i, test)});
    }
  }
  if (answers.empty()) {
    return ValidationError("the model was not trained on a problem '" + problem + "'", puzzle.task_options.data,
                           "its puzzle embeddings know those that it was trained on and no others");
  }
  return answers;
}

std::vector<PictureFrame> TrmArcFrames(const Task& task, const TrmArcAnswer& answer) {
  const int side = task.info().rows;
  std::vector<PictureFrame> frames;
  const auto add = [&](const Rectangle& grid, const std::string& caption) {
    frames.push_back({ArcCanvas(grid, side, 0, 0), {}, caption, true});
  };
  for (size_t i = 0; i < answer.problem.train.size(); ++i) {
    add(answer.problem.train[i].input, fmt::format("example {}", i + 1));
    add(answer.problem.train[i].output, "becomes");
  }
  add(answer.pair().input, fmt::format("test {}", answer.test + 1));
  for (size_t i = 0; i < std::min<size_t>(2, answer.candidates.size()); ++i) {
    add(answer.candidates[i].grid, fmt::format("{}: {}/{}", i + 1, answer.candidates[i].votes, answer.views));
  }
  if (answer.known()) add(answer.pair().output, "is right");
  return frames;
}

Result<TrmArcEvaluation> EvaluateArc(PuzzleModel& puzzle, const TrmSolveOptions& options) {
  PINTLE_ASSIGN(const ArcSet set, ProblemsOf(puzzle));
  TrmArcEvaluation evaluation;
  evaluation.problems = static_cast<int64_t>(set.problems().size());
  ArcVotes votes(set), inputs(set);
  Progress progress("evaluate", "problems", static_cast<double>(evaluation.problems));
  const double start = MonotonicSeconds();
  for (size_t problem = 0; problem < set.problems().size(); ++problem) {
    const std::vector<ArcQuery> queries = set.Queries(problem);
    PINTLE_ASSIGN(const std::vector<TrmSolution> solutions, AnswerQueries(puzzle, queries, options, votes));
    Score(puzzle, queries, solutions, options.depth, evaluation);
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
