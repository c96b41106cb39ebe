// The state of one run of the filter, shared by its steps. Internal to filter*.cc.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "corpus/benchmark_index.h"
#include "corpus/content_rules.h"
#include "corpus/filter_config.h"
#include "corpus/minhash.h"
#include "corpus/raw_store.h"
#include "corpus/rules.h"
#include "corpus/source_facts.h"
#include "corpus/spdx.h"

namespace pintle {

inline constexpr uint32_t kNoIndex = ~uint32_t{0};

/// A source in the order of preference.
struct FilterSource {
  std::string name, manifest_id, licence;
  VersionKey version;
  RawStoreReader store;
};

/// A path and what is known of it.
struct FilterPath {
  uint32_t source = 0, file = 0;  // index into sources, and into the files of its store
  uint32_t content = kNoIndex;    // index into contents; none if a path rule has already spoken
  uint32_t crate = 0;             // index into crates
  uint32_t inside = 0;            // where the path inside the crate begins
  uint32_t finding = 0;           // index into findings
  Rule rule = Rule::kKept;
  int64_t value = 0;
  std::string detail;
  uint32_t keeper = kNoIndex;  // index of the path that stays in this one's place
};

/// A distinct content, at one of the places where it can be read.
struct FilterContent {
  uint32_t source = 0, file = 0;
  ContentReport report;
  uint32_t signature = kNoIndex;
};

/// One crate that paths were assigned to.
struct FilterCrate {
  std::string name, version;
  VersionKey key;
};

/// A licence as found, with the decision on it.
struct FilterFinding {
  LicenceFinding found;
  LicenceDecision decision;
};

/// The state of one run of the stage, passed from part to part.
struct FilterRun {
  FilterRun(const FilterConfig& settings, int threads) : config(settings), pool(threads) {}

  const FilterConfig& config;
  ThreadPool pool;
  BenchmarkIndex benchmarks;
  std::vector<FilterSource> sources;
  std::vector<FilterPath> paths;  // by (source, path)
  std::vector<FilterContent> contents;
  std::deque<Signature> signatures;
  std::vector<FilterCrate> crates;
  std::vector<FilterFinding> findings;
  std::map<std::pair<std::string, std::string>, uint32_t> finding_index;
  std::map<std::pair<std::string, std::string>, uint32_t> crate_index;

  [[nodiscard]] const RawFile& File(const FilterPath& path) const {
    return sources[path.source].store.files()[path.file];
  }
  [[nodiscard]] const Signature& SignatureOf(uint32_t path) const {
    return signatures[contents[paths[path].content].signature];
  }
  uint32_t InternFinding(LicenceFinding finding);
  uint32_t InternCrate(const std::string& name, const std::string& version);
};

/// The raw folders of WORK in order of rank (raw/sources.json, else by name), opened.
Status OpenSources(const std::filesystem::path& work, FilterRun& run);
/// Puts out whole sources that are copies of an earlier one (forks, mirrors, the same archive twice).
void RejectForks(FilterRun& run);
/// Fills paths and contents; applies the path rules.
Status GatherPaths(FilterRun& run);
/// Judges every content. An interrupt is an error.
Status JudgeContents(FilterRun& run);
/// Applies licence and content verdicts to the paths, then the rules that compare files.
void DecideFates(FilterRun& run);
/// Writes documents.jsonl.zst and ledger.sqlite, and adds up the counts.
Status WriteFiltered(FilterRun& run, const std::filesystem::path& folder, std::map<std::string, int64_t>& counts);

}  // namespace pintle
