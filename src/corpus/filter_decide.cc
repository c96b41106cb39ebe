// Third step of the filter: the fate of each path, from what its records, its content and the other files say.
#include <algorithm>
#include <unordered_map>

#include "corpus/filter_run.h"

namespace pintle {
namespace {

struct DigestHash {
  size_t operator()(const Sha256Digest& digest) const {
    size_t value = 0;
    for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
    return value;
  }
};

void Reject(FilterPath& path, Rule rule, int64_t value, std::string detail = {}) {
  path.rule = rule;
  path.value = value;
  path.detail = std::move(detail);
}

bool InTests(std::string_view path) {
  return path.starts_with("tests/") || path.find("/tests/") != std::string_view::npos || path.starts_with("ui/") ||
         path.find("/ui/") != std::string_view::npos;
}

// Licence before content: the first rule in their order counts.
void ApplyVerdicts(FilterRun& run) {
  for (FilterPath& path : run.paths) {
    if (path.rule != Rule::kKept) continue;
    const ContentReport& report = run.contents[path.content].report;
    if (!report.header_licence.empty()) path.finding = run.InternFinding({report.header_licence, "head of the file"});
    const FilterFinding& finding = run.findings[path.finding];
    if (finding.decision.verdict == LicenceVerdict::kUnknown) {
      Reject(path, Rule::kLicenceUnknown, 0, finding.found.expression);
    } else if (finding.decision.verdict == LicenceVerdict::kNotPermissive) {
      Reject(path, Rule::kLicenceNotPermissive, 0, finding.found.expression);
    } else if (report.error_notes > 0 && (report.rule == Rule::kKept || report.rule > Rule::kExpectsErrors) &&
               InTests(run.File(path).path)) {
      Reject(path, Rule::kExpectsErrors, report.error_notes);
    } else if (report.rule != Rule::kKept) {
      Reject(path, report.rule, report.value, report.detail);
    }
  }
}

// The place of a path in the list of preferred folders: the last listed name that it holds, else that of "*".
size_t FolderClass(std::string_view path, const std::vector<std::string>& order) {
  size_t best = order.size();
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] == "*") best = i;
  }
  size_t found = kNoIndex;
  for (size_t begin = 0, slash = path.find('/'); slash != std::string_view::npos;
       begin = slash + 1, slash = path.find('/', begin)) {
    const auto name = std::find(order.begin(), order.end(), path.substr(begin, slash - begin));
    if (name == order.end()) continue;
    const auto place = static_cast<size_t>(name - order.begin());
    found = found == kNoIndex ? place : std::max(found, place);
  }
  return found == kNoIndex ? best : found;
}

// Paths still kept, the preferred one of any group first.
std::vector<uint32_t> PreferenceOrder(const FilterRun& run) {
  std::vector<uint32_t> order;
  std::vector<size_t> classes(run.paths.size());
  for (uint32_t p = 0; p < run.paths.size(); ++p) {
    if (run.paths[p].rule != Rule::kKept) continue;
    order.push_back(p);
    classes[p] = FolderClass(run.File(run.paths[p]).path, run.config.keeper_order);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const FilterPath &left = run.paths[a], &right = run.paths[b];
    if (left.source != right.source) return left.source < right.source;
    if (classes[a] != classes[b]) return classes[a] < classes[b];
    const VersionKey &older = run.crates[left.crate].key, &newer = run.crates[right.crate].key;
    if (older != newer) return newer < older;
    return a < b;
  });
  return order;
}

void LeaveKept(const FilterRun& run, std::vector<uint32_t>& order) {
  std::erase_if(order, [&](uint32_t p) { return run.paths[p].rule != Rule::kKept; });
}

void FindDuplicates(FilterRun& run, const std::vector<uint32_t>& order) {
  std::unordered_map<Sha256Digest, uint32_t, DigestHash> first;
  for (const uint32_t p : order) {
    const auto [known, fresh] = first.emplace(run.contents[run.paths[p].content].report.clean_sha256, p);
    if (fresh) continue;
    Reject(run.paths[p], Rule::kDuplicate, 0);
    run.paths[p].keeper = known->second;
  }
}

// Two versions of a crate (or of a source) hold mostly the same files; one that changed much is no near duplicate, yet
// not worth learning twice.
void FindOlderVersions(FilterRun& run, const std::vector<uint32_t>& order) {
  std::unordered_map<std::string, std::vector<uint32_t>> groups;
  for (const uint32_t p : order) {
    const std::string_view path = run.File(run.paths[p]).path;
    groups[run.crates[run.paths[p].crate].name + "\n" + std::string(path.substr(run.paths[p].inside))].push_back(p);
  }
  const auto newer = [&](uint32_t a, uint32_t b) {
    const VersionKey &left = run.crates[run.paths[a].crate].key, &right = run.crates[run.paths[b].crate].key;
    if (left != right) return right < left;
    return run.sources[run.paths[b].source].version < run.sources[run.paths[a].source].version;
  };
  for (auto& [name, members] : groups) {
    uint32_t newest = members.front();
    for (const uint32_t p : members) {
      if (newer(p, newest)) newest = p;
    }
    for (const uint32_t p : members) {
      if (!newer(newest, p)) continue;
      const int equal = EqualPlaces(run.SignatureOf(p), run.SignatureOf(newest));
      if (equal < PlacesOfPercent(run.config.version_percent)) continue;
      Reject(run.paths[p], Rule::kOlderVersion, int64_t{equal} * 100 / kPermutations);
      run.paths[p].keeper = newest;
    }
  }
}

void FindNearDuplicates(FilterRun& run, const std::vector<uint32_t>& order) {
  const auto keepers = GroupSimilar(static_cast<uint32_t>(order.size()), run.config.near_percent,
                                    [&](uint32_t i) -> const Signature& { return run.SignatureOf(order[i]); });
  for (uint32_t i = 0; i < order.size(); ++i) {
    if (keepers[i] == i) continue;
    const int equal = EqualPlaces(run.SignatureOf(order[i]), run.SignatureOf(order[keepers[i]]));
    Reject(run.paths[order[i]], Rule::kNearDuplicate, int64_t{equal} * 100 / kPermutations);
    run.paths[order[i]].keeper = order[keepers[i]];
  }
}

}  // namespace

void DecideFates(FilterRun& run) {
  ApplyVerdicts(run);
  std::vector<uint32_t> order = PreferenceOrder(run);
  FindDuplicates(run, order);
  LeaveKept(run, order);
  FindOlderVersions(run, order);
  LeaveKept(run, order);
  FindNearDuplicates(run, order);
}

}  // namespace pintle
