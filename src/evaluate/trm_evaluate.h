// How good a TRM is: exact and cell accuracy on unseen puzzles beside a baseline without skill, accuracy as a function
// of depth, and whether the halting head knows when an answer is right. Not here: training, single puzzles
// (trm_solve.h).
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/trm_model.h"
#include "models/trm/solve.h"
#include "puzzles/split.h"

namespace pintle {

/// Which puzzles, and how long to think about each.
struct TrmEvaluateOptions {
  std::string data;           ///< a file of puzzles, or "":
  int64_t generate = 0;       ///< so many generated ones
  Split split = Split::kAll;  ///< only puzzles of this side
  uint64_t seed = 0;          ///< of generated puzzles and of the samples' noise
  TrmSolveOptions solve;
};

/// Accuracy after so many steps.
struct TrmDepthPoint {
  int64_t depth = 0;
  TrmScore score;
  int64_t content = 0;  ///< puzzles with q > 0 after this step
};

/// Answers whose sigmoid(q) lies in one tenth of [0, 1].
struct TrmCalibrationBin {
  int64_t count = 0, exact = 0;
  double confidence = 0;  ///< mean of sigmoid(q)
};

/// Everything that was measured.
struct TrmEvaluation {
  std::string task;
  int64_t depth = 0, samples = 0;
  TrmScore score, baseline;
  int64_t confirmed = 0;                ///< answers that the task's checker accepts
  double mean_steps = 0;                ///< until the halting head was content (or the depth), without noise
  TrmScore early;                       ///< had every puzzle stopped there
  int64_t content = 0;                  ///< answers with q > 0
  int64_t content_exact = 0;            ///< of them, exact
  int64_t halt_right = 0;               ///< answers where q > 0 said the truth
  double calibration_error = 0;         ///< mean distance of confidence and accuracy, weighted by the bins' counts
  std::vector<TrmCalibrationBin> bins;  ///< ten
  std::vector<TrmDepthPoint> curve;     ///< 1, 2, 4, ... and the depth; empty with early stop
  double seconds_per_puzzle = 0;
};

/// Evaluates. No puzzles, or puzzles that do not fit, are validation errors; Ctrl-C is a runtime error.
Result<TrmEvaluation> EvaluateTrm(PuzzleModel& puzzle, const TrmEvaluateOptions& options, ThreadPool& pool);
/// {"task","count","exact","cells","baseline",...}; see docs/trm.md.
boost::json::object TrmEvaluationJson(const TrmEvaluation& evaluation);

}  // namespace pintle
