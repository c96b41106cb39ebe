#include "corpus/crawl_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/toml_library.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

bool SafeName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

bool IsHex(std::string_view text, size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// One [[source]] table through the field list, so that unknown keys are found like everywhere else.
struct SourceFields {
  CrawlSource& s;
  bool hashed = false;
  void Visit(ConfigVisitor& v) {
    v.String("name", s.name, {}, "the folder below raw/");
    v.String("kind", s.kind, {"archive", "directory", "git", "crates", "debian"}, "where it comes from");
    v.Strings("url", s.url, "addresses, tried in order");
    v.String("path", s.path, {}, "an archive or a folder on this machine");
    v.String("sha256", s.sha256, {}, "the archive's pinned hash");
    v.String("commit", s.commit, {}, "the pinned commit");
    v.Strings("crates", s.crates, "name@version");
    v.String("index", s.index, {}, "base address of a sparse index");
    v.String("package", s.package, {}, "a Debian binary package");
    v.String("licence", s.licence, {}, "SPDX expression where nothing nearer says one");
    v.String("version", s.version, {}, "version, for the record");
    // Not asked for, it does not stand in the hash either, which older manifests share.
    if (!hashed || !s.allow.empty()) v.Strings("allow", s.allow, "path prefixes that alone are taken in");
    v.Strings("deny", s.deny, "path prefixes that are not taken in");
    v.Bool("optional", s.optional, "go on without it");
  }
};

Status CheckSource(const CrawlSource& s, const std::string& where) {
  const auto fail = [&](const std::string& what) {
    return ConfigError(fmt::format("source '{}': {}", s.name, what), where);
  };
  if (!SafeName(s.name)) return fail("a name of letters, digits, '-', '_' and '.' is needed");
  if (!s.sha256.empty() && !IsHex(s.sha256, 64)) return fail("sha256 needs 64 lower-case hexadecimal digits");
  if (s.kind == "archive" && s.url.empty() && s.path.empty()) return fail("an archive needs url or path");
  if (s.kind == "archive" && !s.url.empty() && !s.path.empty() && s.sha256.empty()) {
    return fail("path beside url is a copy of the archive, and needs sha256");
  }
  if (s.kind == "directory" && s.path.empty()) return fail("a directory needs path");
  if (s.kind == "git" && (s.url.size() != 1 || !IsHex(s.commit, 40))) {
    return fail("git needs one url and a commit of 40 hexadecimal digits (a branch or tag is not a pin)");
  }
  if (s.kind == "crates" && (s.crates.empty() || s.index.empty())) return fail("crates needs crates and index");
  if (s.kind == "debian" && !SafeName(s.package)) return fail("debian needs package");
  if (s.kind.empty()) return fail("kind is missing: archive, directory, git, crates or debian");
  return {};
}

}  // namespace

std::string CrawlSource::Hash() const {
  CrawlSource content = *this;
  content.optional = false;
  const bool copy = !url.empty() || kind == "debian";             // of what the address or the package gives
  content.path = copy ? "" : fs::path(path).filename().string();  // no path of this machine in a hash
  content.url.clear();                                            // where it came from is not what it is
  if (kind == "git") content.url = url;
  return ConfigHash([&](ConfigVisitor& v) { SourceFields{content, true}.Visit(v); });
}

Result<CrawlManifest> ParseCrawlManifest(std::string_view text, const std::string& where) {
  CrawlManifest manifest;
  const auto settings = [&](ConfigVisitor& v) {
    v.Section("limits");
    v.Int("max_entries", manifest.limits.max_entries, 1, 100'000'000, "entries of an archive");
    v.Int("max_entry_bytes", manifest.limits.max_entry_bytes, 1, int64_t{4} << 30, "one file, unpacked");
    v.Int("max_unpacked_bytes", manifest.limits.max_unpacked_bytes, 1, int64_t{1} << 40, "an archive, unpacked");
    v.Int("max_ratio", manifest.limits.max_ratio, 2, 100'000, "unpacked to packed");
    v.Section("network");
    v.Int("attempts", manifest.network.attempts, 1, 20, "of each address");
    v.Double("backoff_seconds", manifest.network.backoff_seconds, 0, 60, "first wait; doubles");
    v.Double("connect_timeout_seconds", manifest.network.connect_timeout_seconds, 0.1, 600, "to reach a server");
    v.Double("stall_seconds", manifest.network.stall_seconds, 1, 3600, "without data");
  };
  PINTLE_RETURN_IF_ERROR(LoadConfig(text, where, settings, {"source"}));
  const toml::parse_result parsed = toml::parse(text, where);
  const auto* sources = parsed.table().get_as<toml::array>("source");
  if (sources == nullptr || sources->empty()) return ConfigError("no [[source]] is listed", where);
  std::set<std::string> names;
  for (const auto& node : *sources) {
    const auto* table = node.as_table();
    const std::string place = fmt::format("{}:{}", where, node.source().begin.line);
    if (table == nullptr) return ConfigError("[[source]] must be a table", place);
    CrawlSource source;
    std::ostringstream one;
    one << *table;
    Status loaded = LoadConfig(one.str(), place, [&](ConfigVisitor& v) { SourceFields{source}.Visit(v); });
    if (!loaded.ok()) {
      Error error = loaded.error();
      error.where = place;  // the line of the source in the real file
      return error;
    }
    PINTLE_RETURN_IF_ERROR(CheckSource(source, place));
    if (!names.insert(source.name).second) return ConfigError("the name '" + source.name + "' stands twice", place);
    manifest.sources.push_back(std::move(source));
  }
  return manifest;
}

Result<CrawlManifest> OpenCrawlSource(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) {
    return RuntimeError("no such file or folder", path.string(),
                        "give an archive, a folder with Rust code, or a .toml manifest");
  }
  if (path.extension() == ".toml" && !fs::is_directory(path, code)) {
    PINTLE_ASSIGN(const std::string text, ReadFile(path, 16 << 20));
    PINTLE_ASSIGN(CrawlManifest manifest, ParseCrawlManifest(text, path.string()));
    // Relative paths in a manifest are relative to the manifest.
    for (auto& source : manifest.sources) {
      if (!source.path.empty() && fs::path(source.path).is_relative()) {
        source.path = (path.parent_path() / source.path).string();
      }
    }
    return manifest;
  }
  CrawlSource source;
  source.kind = fs::is_directory(path, code) ? "directory" : "archive";
  source.path = path.string();
  std::string name;
  for (const char c : fs::absolute(path, code).lexically_normal().filename().string()) {
    name += SafeName(std::string("a") + c) ? c : '-';
  }
  if (name.empty()) name = fs::absolute(path, code).lexically_normal().parent_path().filename().string();
  source.name = SafeName(name) ? name.substr(0, 64) : "source";
  CrawlManifest manifest;
  manifest.sources.push_back(std::move(source));
  return manifest;
}

}  // namespace pintle
