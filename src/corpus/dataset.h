// `m31r dataset`: from WORK/filtered to WORK/dataset: train, val and test as JSON lines, a quality report, provenance.
// A crate lies in one split as a whole, chosen by the hash of its name, so that all versions of it are together and a
// crate never moves when others come or go. Training documents that resemble held-out ones are left out.
//
//   train.jsonl.zst val.jsonl.zst test.jsonl.zst   records of documents.jsonl.zst, in its order
//   report.json                                    what the dataset consists of (see dataset_report.h)
//   left_out.jsonl.zst                             documents that resemble a held-out one: {"source","path","split"}
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "corpus/stage_summary.h"

namespace pintle {

/// Section [dataset]: sizes of the held-out parts.
struct DatasetConfig {
  int64_t val_per_mille = 20;
  int64_t test_per_mille = 20;
  int64_t holdout_similarity_percent = 50;

  void Visit(ConfigVisitor& v);
};

/// What the stage is called with.
struct DatasetOptions {
  std::filesystem::path work;
  DatasetConfig config;
  int threads = 0;  ///< 0 = all; the output does not depend on it
};

enum class Split : uint8_t { kTrain, kVal, kTest };
inline constexpr int kSplits = 3;
/// "train", "val", "test"
const char* SplitName(Split split);

/// The split of each crate. `crates` are distinct names. With three crates and more no split is empty: if the hashes
/// leave val or test empty, the crates of the smallest hashes go there.
std::vector<Split> SplitCrates(const std::vector<std::string>& crates, const DatasetConfig& config);

/// Runs the stage, or finds it up to date.
Result<StageSummary> RunDataset(const DatasetOptions& options);

}  // namespace pintle
