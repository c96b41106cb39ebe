// `pintle trm bench`: training and inference speed of the TRM at the shapes that are compared with other programs,
// beside the machine's peak measured in the same run. Not here: accuracy (trm_evaluate.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/config.h"

namespace pintle {

/// One shape with its batch.
struct TrmBenchShape {
  std::string name;  ///< "sudoku9-d512", ...
  TrmConfig config;
  int64_t batch = 0;
};

/// What was measured; wall seconds unless said.
struct TrmBenchReport {
  int64_t parameters = 0;
  double step_seconds = 0, best_step_seconds = 0;  ///< median and best training step
  double samples_per_s = 0, best_samples_per_s = 0;
  double samples_per_cpu_s = 0;          ///< per second of processor time, best step: what other load cannot take
  double gflops = 0;                     ///< of the median step
  double solve_seconds = 0;              ///< best of three: one puzzle, 16 supervision steps
  double solve_cpu_seconds = 0;          ///< processor time of the same
  double first_loss = 0, last_loss = 0;  ///< of the steps: a step that computes nothing would show here
};

/// The published shapes (P = 16 at 9x9, inner widths rounded to 256), then ours (P = 1, rounded to 32).
std::vector<TrmBenchShape> TrmBenchShapes();
/// `steps` measured training steps behind two that are not, on fresh puzzles, then inference.
Result<TrmBenchReport> BenchTrm(const TrmBenchShape& shape, int64_t steps, ThreadPool& pool);

}  // namespace pintle
