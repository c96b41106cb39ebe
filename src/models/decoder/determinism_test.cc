// The numeric contract of training: the same bytes whatever the machine does.
#include <doctest/doctest.h>

#include "kernels/target.h"
#include "models/decoder/train_hash.h"

namespace pintle {
namespace {

std::string Hash(const TrainHashCase& which, int micro_batches, bool recompute, int threads) {
  ThreadPool pool(threads);
  const auto result = RunTrainHash(which, micro_batches, recompute, pool);
  REQUIRE(result.ok());
  return result->hash;
}

}  // namespace

TEST_CASE("twenty training steps learn, and any number of threads gives the same bytes") {
  for (const TrainHashCase& which : TrainHashCases()) {
    CAPTURE(which.name);
    ThreadPool pool(2);
    const auto result = RunTrainHash(which, 1, false, pool);
    REQUIRE(result.ok());
    CHECK(result->first_loss == doctest::Approx(5.08).epsilon(0.02));  // ln 160
    CHECK(result->last_loss < result->first_loss - 0.5);
    CHECK(Hash(which, 1, false, 1) == result->hash);
    CHECK(Hash(which, 1, false, 3) == result->hash);
  }
}

TEST_CASE("different cases give different bytes") {
  std::vector<std::string> hashes;
  for (const TrainHashCase& which : TrainHashCases()) hashes.push_back(Hash(which, 1, false, 1));
  for (size_t i = 0; i < hashes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(hashes[i] != hashes[j]);
  }
}

TEST_CASE("micro-batches and recomputation do not show") {
  for (const TrainHashCase& which : TrainHashCases()) {
    CAPTURE(which.name);
    const std::string whole = Hash(which, 1, false, 2);
    CHECK(Hash(which, 4, false, 2) == whole);
    CHECK(Hash(which, 2, false, 2) == whole);
    CHECK(Hash(which, 1, true, 2) == whole);
  }
}

TEST_CASE("instruction sets do not show") {
  const kernels::Target before = kernels::ActiveTarget();
  for (const TrainHashCase& which : TrainHashCases()) {
    CAPTURE(which.name);
    const std::string best = Hash(which, 1, false, 2);
    for (const kernels::Target target :
         {kernels::Target::kAvx512Bf16, kernels::Target::kAvx512, kernels::Target::kAvx2, kernels::Target::kPortable}) {
      // The portable target emulates FMA, slowly: one fp32 and one bf16 case show it.
      if (target == kernels::Target::kPortable && which.optimizer == OptimizerKind::kMuon) continue;
      if (!kernels::SetTarget(target)) continue;
      CAPTURE(kernels::TargetName(target));
      CHECK(Hash(which, 1, false, 2) == best);
    }
    REQUIRE(kernels::SetTarget(before));
  }
}

}  // namespace pintle
