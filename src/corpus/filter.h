// `m31r filter`: from WORK/raw to WORK/filtered. Every path of every source gets exactly one fate; kept texts go to
// documents.jsonl.zst in their normal form, all fates to ledger.sqlite, the counts to the manifest.
//
// Flow: gather paths and licence records (filter_gather.cc) -> judge each distinct content once, in parallel
// (content_rules.h)
// -> compare the files with one another (filter_decide.cc) -> read the kept ones again and write (filter_write.cc).
// What stays in memory is the index: about 1.3 kB a distinct content, never the texts.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "corpus/filter_config.h"
#include "corpus/stage_summary.h"

namespace pintle {

/// What the stage is called with.
struct FilterOptions {
  std::filesystem::path work;
  std::filesystem::path benchmarks;  ///< folder of task files; empty = none
  FilterConfig config;
  int threads = 0;  ///< 0 = all; the output does not depend on it
};

/// Runs the stage, or finds it up to date. On any error, and after Ctrl-C, WORK/filtered is as it was.
Result<StageSummary> RunFilter(const FilterOptions& options);

}  // namespace pintle
