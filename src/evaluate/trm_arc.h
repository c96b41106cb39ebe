// What a TRM makes of ARC problems: it answers every view of every test input, the views vote, and the best two outputs
// are the two tries that the competition allows; and how many problems that solves. Not here: problems, views and the
// counting of votes (puzzles/arc.h), training.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "evaluate/trm_model.h"
#include "models/trm/solve.h"
#include "puzzles/arc.h"
#include "puzzles/picture.h"

namespace pintle {

/// What was found. Scores and baseline count single views whose output is known; the votes decide the rest.
struct TrmArcEvaluation {
  int64_t problems = 0, tests = 0, views = 0;
  int64_t known_tests = 0;                   ///< whose output the file tells; all others count as missed
  std::vector<std::pair<int, double>> pass;  ///< (k, solved by the best k outputs), k = 1 to 1000
  double baseline_pass = 0;                  ///< what k = 1 gives for the input as it stands
  TrmScore score, baseline;
  double mean_steps = 0;          ///< until the halting head was content, or the depth
  double seconds_per_puzzle = 0;  ///< of one view
  std::string submission;         ///< submission.json: two attempts for every test input
};

/// One test input and what the views made of it.
struct TrmArcAnswer {
  ArcProblem problem;
  size_t test = 0;                       ///< of the problem, from 0
  Sample plain;                          ///< as the model sees it without turning or recolouring, for TraceTrm
  int64_t views = 0;                     ///< that were answered; some may have given no vote
  std::vector<ArcCandidate> candidates;  ///< best first; the first two are the tries

  [[nodiscard]] const ArcPair& pair() const { return problem.test[test]; }
  [[nodiscard]] bool known() const { return pair().output.rows > 0; }
};

/// Answers all tests of the problem of this name, or of all problems with "". A name that the model was not trained on,
/// or a model of another task, is a validation error. The same bytes for any number of threads.
Result<std::vector<TrmArcAnswer>> SolveArc(PuzzleModel& puzzle, const std::string& problem,
                                           const TrmSolveOptions& options);

/// The demonstrations of a problem, the test input and the two tries, as frames for DrawFrames.
std::vector<PictureFrame> TrmArcFrames(const Task& task, const TrmArcAnswer& answer);

/// Evaluates a model of the task arc on the problems that it was trained on. Another task is a validation error; Ctrl-C
/// is a runtime error. The same bytes for any number of threads.
Result<TrmArcEvaluation> EvaluateArc(PuzzleModel& puzzle, const TrmSolveOptions& options);
/// {"task","problems","tests","pass":{"1":..},..}; see docs/trm.md.
boost::json::object TrmArcEvaluationJson(const TrmArcEvaluation& evaluation);

}  // namespace pintle
