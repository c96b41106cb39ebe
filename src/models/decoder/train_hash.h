// Twenty training steps of a small decoder on synthetic tokens, as a hash of all weights: the proof that training gives
// the same bytes for any number of threads, instruction set, compiler and cut into micro-batches. The test compares
// within one program, pintle_train_hashes prints the lines that are compared between programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "nn/optimizer.h"
#include "tensor/dtype.h"

namespace pintle {

/// One combination of arithmetic and optimizer.
struct TrainHashCase {
  const char* name;
  DType dtype;
  kernels::Profile profile;
  OptimizerKind optimizer;
};

/// fp32 in both profiles, bf16, and bf16 with Muon.
const std::vector<TrainHashCase>& TrainHashCases();

/// The outcome of one case.
struct TrainHash {
  std::string hash;                      ///< of all weights and the losses, 16 hexadecimal digits
  double first_loss = 0, last_loss = 0;  ///< mean nats
};

/// `micro_batches` divides 4: a step is micro_batches x (4 / micro_batches) rows.
Result<TrainHash> RunTrainHash(const TrainHashCase& which, int micro_batches, bool recompute, ThreadPool& pool);

}  // namespace pintle
