// First step of the filter: which paths there are, whose they are and under which licence; the rules that need no
// content.
#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "corpus/filter_run.h"
#include "formats/manifest.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

Result<std::vector<std::string>> SourceNames(const fs::path& raw) {
  std::vector<std::string> names;
  const fs::path list = raw / "sources.json";
  std::error_code code;
  if (fs::exists(list, code)) {
    const std::string where = list.string();
    PINTLE_ASSIGN(const std::string text, ReadFile(list, 64 << 20));
    PINTLE_ASSIGN(const boost::json::value root, ParseJson(text, where));
    const auto* sources = root.is_object() ? root.get_object().if_contains("sources") : nullptr;
    if (sources == nullptr || !sources->is_array())
      return ValidationError("key 'sources' is missing or is not a list", where);
    std::vector<std::pair<int64_t, std::string>> ranked;
    for (const auto& source : sources->get_array()) {
      PINTLE_ASSIGN(std::string name, JsonString(source, "name", where));
      PINTLE_ASSIGN(const int64_t rank, JsonInt(source, "rank", where));
      if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.')) {
        return ValidationError("bad source name '" + name + "'", where);
      }
      ranked.emplace_back(rank, std::move(name));
    }
    std::sort(ranked.begin(), ranked.end());
    for (auto& [rank, name] : ranked) names.push_back(std::move(name));
  } else {
    for (const auto& entry : fs::directory_iterator(raw, code)) {
      if (entry.is_directory() && fs::exists(entry.path() / "manifest.json")) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
  }
  if (names.empty()) {
    return RuntimeError("no sources here", raw.string(),
                        "run `pintle m31r crawl` first; it makes raw/ in the work folder");
  }
  return names;
}

// The folder part that puts a path out, "" if none does.
std::string ExcludedFolder(std::string_view path, const FilterConfig& config, const SourceFacts& facts) {
  const auto contains = [](const std::vector<std::string>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  for (size_t begin = 0;;) {
    const size_t slash = path.find('/', begin);
    if (slash == std::string_view::npos) return "";
    const std::string_view name = path.substr(begin, slash - begin);
    if (contains(config.excluded_folders, name)) return std::string(name);
    if (contains(config.excluded_beside_cargo, name) && facts.HasCargo(path.substr(0, begin == 0 ? 0 : begin - 1))) {
      return std::string(name);
    }
    begin = slash + 1;
  }
}

Result<SourceFacts> ReadFacts(const FilterSource& source, ThreadPool& pool) {
  std::vector<const RawFile*> records;
  for (const RawFile& file : source.store.files()) {
    if (SourceFacts::Wants(file.path) && file.size <= (1 << 20)) records.push_back(&file);
  }
  std::vector<std::string> texts(records.size());
  std::vector<Status> failures(records.size());
  pool.ParallelFor(static_cast<int64_t>(records.size()), [&](int64_t i) {
    auto text = source.store.Read(*records[static_cast<size_t>(i)]);
    if (text.ok()) {
      texts[static_cast<size_t>(i)] = *std::move(text);
    } else {
      failures[static_cast<size_t>(i)] = std::move(text).error();
    }
  });
  SourceFacts facts;
  for (size_t i = 0; i < records.size(); ++i) {
    PINTLE_RETURN_IF_ERROR(failures[i]);
    facts.Add(records[i]->path, texts[i]);
  }
  facts.Finish(source.licence);
  return facts;
}

}  // namespace

uint32_t FilterRun::InternFinding(LicenceFinding finding) {
  const auto [known, fresh] =
      finding_index.emplace(std::pair(finding.expression, finding.from), static_cast<uint32_t>(findings.size()));
  if (fresh) {
    LicenceDecision decision = ChooseLicence(finding.expression, config.permissive);
    findings.push_back({std::move(finding), std::move(decision)});
  }
  return known->second;
}

uint32_t FilterRun::InternCrate(const std::string& name, const std::string& version) {
  const auto [known, fresh] = crate_index.emplace(std::pair(name, version), static_cast<uint32_t>(crates.size()));
  if (fresh) crates.push_back({name, version, ParseVersion(version)});
  return known->second;
}

Status OpenSources(const fs::path& work, FilterRun& run) {
  PINTLE_ASSIGN(const auto names, SourceNames(work / "raw"));
  for (const std::string& name : names) {
    const fs::path folder = work / "raw" / name;
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
    FilterSource source;
    source.name = name;
    source.manifest_id = manifest.Id();
    const auto note = [&](const char* key) {
      const auto found = manifest.notes.find(key);
      return found == manifest.notes.end() ? std::string() : found->second;
    };
    source.licence = note("licence");
    source.version = ParseVersion(note("version"));
    PINTLE_ASSIGN(source.store, RawStoreReader::Open(folder));
    run.sources.push_back(std::move(source));
  }
  return {};
}

Status GatherPaths(FilterRun& run) {
  for (uint32_t s = 0; s < run.sources.size(); ++s) {
    if (Interrupted()) return RuntimeError("interrupted");
    const auto& files = run.sources[s].store.files();
    PINTLE_ASSIGN(const SourceFacts facts, ReadFacts(run.sources[s], run.pool));
    for (uint32_t f = 0; f < files.size(); ++f) {
      const std::string& name = files[f].path;
      FilterPath path;
      path.source = s;
      path.file = f;
      const CrateFact crate = facts.Crate(name);
      path.crate = run.InternCrate(crate.name, crate.version);
      path.inside = static_cast<uint32_t>(name.size() - crate.path_in_crate.size());
      if (!name.ends_with(".rs")) {
        path.rule = Rule::kNotRust;
      } else if (path.detail = ExcludedFolder(name, run.config, facts); !path.detail.empty()) {
        path.rule = Rule::kExcludedFolder;
      } else if (std::any_of(run.config.binding_crates.begin(), run.config.binding_crates.end(),
                             [&](const std::string& pattern) { return WildcardMatch(pattern, crate.name); })) {
        path.rule = Rule::kBindingCrate;
        path.detail = crate.name;
      }
      path.finding = run.InternFinding(facts.Licence(name));
      run.paths.push_back(std::move(path));
    }
  }

  RejectForks(run);

  // One content for all paths with the same bytes, in the order in which they lie in the stores.
  std::vector<uint32_t> order;
  for (uint32_t p = 0; p < run.paths.size(); ++p) {
    if (run.paths[p].rule == Rule::kKept) order.push_back(p);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const auto& left = run.File(run.paths[a]).sha256;
    const auto& right = run.File(run.paths[b]).sha256;
    return left != right ? left < right : a < b;
  });
  std::vector<std::pair<uint32_t, uint32_t>> groups;  // first path of a content, index into `order`
  for (uint32_t i = 0; i < order.size(); ++i) {
    if (i == 0 || run.File(run.paths[order[i]]).sha256 != run.File(run.paths[order[i - 1]]).sha256)
      groups.emplace_back(order[i], i);
  }
  std::sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
    const FilterPath &left = run.paths[a.first], &right = run.paths[b.first];
    return left.source != right.source ? left.source < right.source : run.File(left).offset < run.File(right).offset;
  });
  for (const auto& [first, start] : groups) {
    const auto content = static_cast<uint32_t>(run.contents.size());
    run.contents.push_back({run.paths[first].source, run.paths[first].file, {}, kNoIndex});
    for (uint32_t i = start;
         i < order.size() && run.File(run.paths[order[i]]).sha256 == run.File(run.paths[first]).sha256; ++i) {
      run.paths[order[i]].content = content;
    }
  }
  return {};
}

}  // namespace pintle
