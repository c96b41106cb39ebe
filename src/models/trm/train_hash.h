// Twenty training steps of small models on synthetic puzzles, then a puzzle solved, as a hash of everything: the proof
// that training and solving give the same bytes for any number of threads, instruction set, compiler, with and without
// recomputation, natively and in WASM. The test compares within one program, pintle_trm_hashes prints the lines that
// are compared between programs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/config.h"

namespace pintle {

/// One combination of network and arithmetic.
struct TrmHashCase {
  const char* name;
  TrmMixing mixing;
  TrmPositions positions;
  DType dtype;
  kernels::Profile profile;
};

/// All mixings, both dtypes, both fp32 profiles.
const std::vector<TrmHashCase>& TrmHashCases();

/// The outcome of one case.
struct TrmHash {
  std::string hash;                      ///< of weights, carry and answers, 16 hexadecimal digits
  double first_loss = 0, last_loss = 0;  ///< mean over slots
};
Result<TrmHash> RunTrmHash(const TrmHashCase& which, bool recompute, ThreadPool& pool);

}  // namespace pintle
