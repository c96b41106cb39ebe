// The op table: one row per kernel, walked in three modes. (1) every instruction set against the plain definition, (2)
// the gradient against finite differences in double, (3) speed. A new kernel gets its row here, and with it its tests.
//
// It stands beside the tape, not under it: models never read it. The definitions are those of src/kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"

namespace pintle {

/// The float inputs or outputs of an op, flattened.
template <typename T>
using OpValues = std::vector<std::vector<T>>;

/// One op at fixed extents. Integer inputs (ids, positions, documents) and constants live in the functions.
struct OpCase {
  std::vector<int64_t> inputs;   ///< elements of each input
  std::vector<int64_t> outputs;  ///< elements of each output; outputs may start with contents that the op adds to
  std::function<void(const OpValues<float>& in, OpValues<float>& out, ThreadPool& pool)> cpu;
  std::function<void(const OpValues<float>& in, OpValues<float>& out)> reference;
  /// The same in double, with the outputs that have a gradient first; empty where an op has no gradient.
  std::function<void(const OpValues<double>& in, OpValues<double>& out)> forward;
  /// d_in (zeroed, as inputs) from d_out (as forward's outputs).
  std::function<void(const OpValues<double>& in, const OpValues<double>& d_out, OpValues<double>& d_in)> backward;
  double flops = 0;  ///< of one call
  double bytes = 0;  ///< read and written by one call
};

/// One row.
struct OpRow {
  std::string name;
  double tolerance;  ///< largest |cpu - reference|; 0: equal bits, which the contract promises everywhere so far
  double gradient_tolerance;  ///< against finite differences, relative to the largest element of the gradient
  OpCase small;               ///< odd extents, for the first two modes
  OpCase large;               ///< a layer of m31r-6m at 2048 tokens, for speed
};

const std::vector<OpRow>& OpTable();

/// The first output where cpu on the active target and the reference differ by more than the tolerance, as text; empty
/// if there is none.
std::string CompareBackends(const OpRow& row, ThreadPool& pool);

/// The largest difference between backward and the central finite difference of forward over sampled inputs, relative
/// to the largest element of that input's gradient. 0 for an op without a gradient.
double GradientError(const OpRow& row);

/// What the speed mode measures.
struct OpSpeed {
  std::string name;
  double ns;  ///< the best of `samples` calls
  double gb_s, gflops;
};
std::vector<OpSpeed> RunOpSpeed(ThreadPool& pool, int samples);

}  // namespace pintle
