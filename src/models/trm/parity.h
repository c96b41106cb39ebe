// Parity with the reference implementation: runs the model on vectors that the published code made (testdata/ORIGIN.md)
// and reports how far it is off. The file's metadata gives the configuration and the optimizer's constants; nothing is
// assumed about either.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"

namespace pintle {

/// Largest relative error of each quantity over all steps: |ours - theirs| over the largest magnitude in the tensor
/// that the element belongs to.
struct TrmParityReport {
  double logits = 0, q_halt = 0, loss = 0, z = 0, grad = 0, optimizer = 0, drift = 0;
  std::string worst_grad, worst_optimizer;  ///< names of the tensors with the largest errors
  int64_t steps = 0;
};

/// The error allowed in fp32, of each quantity but the drift.
inline constexpr double kTrmParity = 1e-4;

/// Runs every step of FILE in fp32. A file of another schema is a validation error that names what is missing; so is a
/// slot that halts at another step than in the file.
Result<TrmParityReport> RunTrmParity(const std::filesystem::path& file, bool recompute, ThreadPool& pool);

}  // namespace pintle
