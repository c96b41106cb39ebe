// Which sources are copies of another one: part of the filter's first step. A fork would pass the other rules only with
// the files it changed, and those are versions of files that are already there.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "corpus/filter_run.h"

namespace pintle {
namespace {

constexpr size_t kLeastFiles = 10;   // a smaller source shares files by chance
constexpr size_t kForkPercent = 90;  // of the Rust files of a source

std::vector<Sha256Digest> Sorted(std::vector<Sha256Digest> digests) {
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  return digests;
}

size_t Shared(const std::vector<Sha256Digest>& a, const std::vector<Sha256Digest>& b) {
  size_t count = 0;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    if (*left == *right) {
      ++count, ++left, ++right;
    } else if (*left < *right) {
      ++left;
    } else {
      ++right;
    }
  }
  return count;
}

}  // namespace

void RejectForks(FilterRun& run) {
  std::vector<std::vector<Sha256Digest>> contents(run.sources.size());
  for (const FilterPath& path : run.paths) {
    if (path.rule == Rule::kKept) contents[path.source].push_back(run.File(path).sha256);
  }
  for (auto& digests : contents) digests = Sorted(std::move(digests));
  for (uint32_t s = 1; s < run.sources.size(); ++s) {
    if (contents[s].size() < kLeastFiles) continue;
    for (uint32_t earlier = 0; earlier < s; ++earlier) {
      const size_t percent = Shared(contents[s], contents[earlier]) * 100 / contents[s].size();
      if (percent < kForkPercent) continue;
      const std::string& original = run.sources[earlier].name;
      LogWarning("filter", fmt::format("{} is a copy of {} ({} % of its Rust files) and is left out",
                                       run.sources[s].name, original, percent));
      for (FilterPath& path : run.paths) {
        if (path.source != s || path.rule != Rule::kKept) continue;
        path.rule = Rule::kFork;
        path.value = static_cast<int64_t>(percent);
        path.detail = original;
      }
      contents[s].clear();
      break;
    }
  }
}

}  // namespace pintle
