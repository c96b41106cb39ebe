// From verdicts to scores: rates, pass@k, intervals, histograms of one task set or of several together. Pure arithmetic
// over records; the same records give the same JSON bytes.
//
// Raw scores count every sample. The scores under "system" let the compiler choose among a task's samples (the most
// likely one that builds and is not trivial) and never stand where a raw one is asked.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "evaluate/harness.h"
#include "evaluate/sampling.h"
#include "evaluate/task.h"
#include "evaluate/trivial.h"

namespace pintle {

/// One judged sample.
struct SampleRecord {
  const Task* task = nullptr;
  Sample sample;
  Verdict verdict;
  Triviality triviality = Triviality::kNone;
  /// A full build that is not trivial: what the compile rate counts.
  [[nodiscard]] bool Compiles() const { return verdict.Builds() && triviality == Triviality::kNone; }
};

/// Triviality as the scores use it: none for a task whose reference solution is of a trivial kind itself.
Triviality ScoredTriviality(const Task& task, const std::string& completion);

/// "problems", "samples", "compile_rate", "compile_interval", "type_check_rate", "build_rate", "trivial_rate",
/// "pass_at", "pass_at_interval", "system", "error_codes" (first code of each sample that does not build),
/// "trivial_kinds", "categories". Records of one task stand together. Without `judged` (no compiler) only problems,
/// samples and triviality are filled, the rest is null. Intervals are Wilson's at 95 %, over problems for pass at k and
/// over samples for rates.
boost::json::object ScoreRecords(const std::vector<SampleRecord>& records, const std::vector<int64_t>& ks, bool judged);

}  // namespace pintle
