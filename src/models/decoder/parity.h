// Training parity: runs the decoder on vectors that a float64 reference made (testdata/ORIGIN.md) and reports how far
// it is off. The file's metadata gives the configuration and the optimizer's constants; nothing is assumed about
// either.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"

namespace pintle {

/// Largest relative error of each quantity over all steps: |ours - theirs| over the largest magnitude in the tensor
/// that the element belongs to, so that elements near zero do not count for more than they weigh.
struct ParityReport {
  double logits = 0, loss = 0, grad = 0, optimizer = 0;
  std::string worst_grad, worst_optimizer;  ///< names of the tensors with the largest errors
  int64_t steps = 0;
};

/// Errors allowed in fp32.
inline constexpr double kParityForward = 1e-5;
inline constexpr double kParityGradient = 1e-4;

/// Runs every step of FILE in fp32. A file of another schema is a validation error that names what is missing.
Result<ParityReport> RunParity(const std::filesystem::path& file, ThreadPool& pool);

}  // namespace pintle
