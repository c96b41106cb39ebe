// The matmul benchmark: the fourteen shapes of small language models in three orientations and two types, beside the
// machine's own peak taken in the same run. Not a test: but every case first proves that its kernel gives the bits of
// the plain definition, so that a fast wrong one fails.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// What to measure.
struct BenchKernelsOptions {
  int threads = 0;     ///< the larger thread count (0 = all); 1 thread is always measured too
  bool quick = false;  ///< fewer repetitions
  int shapes = 14;     ///< only the first so many of the fourteen shapes
};

/// One case: C[m,n] = op(A, B) with depth k, the best of its repetitions.
struct BenchKernelsRow {
  std::string op;     ///< "NN", "NT", "TN"
  std::string dtype;  ///< "fp32" (fma profile), "bf16" (inputs already bf16)
  int64_t m, n, k;
  int threads;
  double gflops;
  double percent_of_peak;  ///< of the peak of this type at this thread count
};

/// The peaks at one thread count.
struct BenchKernelsPeak {
  int threads;
  double fp32_gflops, bf16_gflops, read_gb_s;
};

/// What was measured.
struct BenchKernelsReport {
  std::string target;                   ///< the instruction set in use
  std::vector<BenchKernelsPeak> peaks;  ///< ascending by threads; the last is "the" peak
  std::vector<BenchKernelsRow> rows;
};

/// Half a minute (a few seconds when quick) and about 400 MB of memory. A validation error when a kernel's result
/// differs from the definition's.
Result<BenchKernelsReport> BenchKernels(const BenchKernelsOptions& options);

/// percent_of_peak over the rows of one type and thread count ("" op = all orientations); zeros without such rows.
struct BenchKernelsSummary {
  double median, lowest;
};
BenchKernelsSummary Summarise(const BenchKernelsReport& report, const std::string& dtype, const std::string& op,
                              int threads);

}  // namespace pintle
