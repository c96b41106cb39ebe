#include "corpus/crates_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/json.h"

namespace pintle {
namespace {

namespace json = boost::json;

// (release before pre-release, major, minor, patch): enough to pick the newest; the text breaks ties among
// pre-releases.
struct VersionKey {
  bool release = true;
  std::array<uint64_t, 3> parts{};
  std::string text;
  auto operator<=>(const VersionKey&) const = default;
};

VersionKey KeyOf(const std::string& version) {
  VersionKey key;
  key.text = version;
  const std::string core = version.substr(0, version.find_first_of("-+"));
  key.release = version.find('-') == std::string::npos;
  const char* at = core.data();
  const char* end = core.data() + core.size();
  for (auto& part : key.parts) {
    at = std::from_chars(at, end, part).ptr;
    if (at < end) ++at;
  }
  return key;
}

void ReplaceAll(std::string& text, const std::string& mark, const std::string& value) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
}

// The download template of config.json; without a marker it gets "/{crate}/{version}/download".
std::string DownloadUrl(std::string dl, const CrateRelease& crate) {
  const std::string path = CrateIndexPath(crate.name);
  const std::string prefix = path.substr(0, path.find_last_of('/'));
  const std::string before = dl;
  ReplaceAll(dl, "{crate}", crate.name);
  ReplaceAll(dl, "{version}", crate.version);
  ReplaceAll(dl, "{prefix}", prefix);
  ReplaceAll(dl, "{lowerprefix}", prefix);
  ReplaceAll(dl, "{sha256-checksum}", crate.sha256);
  return dl == before ? fmt::format("{}/{}/{}/download", dl, crate.name, crate.version) : dl;
}

}  // namespace

std::string CrateIndexPath(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.size() <= 2) return fmt::format("{}/{}", lower.size(), lower);
  if (lower.size() == 3) return fmt::format("3/{}/{}", lower.substr(0, 1), lower);
  return fmt::format("{}/{}/{}", lower.substr(0, 2), lower.substr(2, 2), lower);
}

Result<CrateRelease> FindCrate(const std::string& index, const std::string& wanted, const FetchOptions& options) {
  const size_t at = wanted.find('@');
  CrateRelease crate;
  crate.name = wanted.substr(0, at);
  const std::string pinned = at == std::string::npos ? "" : wanted.substr(at + 1);
  if (crate.name.empty() ||
      crate.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
          std::string::npos) {
    return ConfigError("'" + wanted + "' is not a crate name", "crates", "use name or name@version");
  }
  const std::string config_url = index + "/config.json";
  PINTLE_ASSIGN(const std::string config_text, FetchText(config_url, options));
  PINTLE_ASSIGN(const json::value config, ParseJson(config_text, config_url));
  PINTLE_ASSIGN(const std::string dl, JsonString(config, "dl", config_url));
  const std::string url = index + "/" + CrateIndexPath(crate.name);
  PINTLE_ASSIGN(const std::string text, FetchText(url, options));
  VersionKey best{false, {}, ""};
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    PINTLE_ASSIGN(const json::value entry, ParseJson(line, url));
    PINTLE_ASSIGN(const std::string version, JsonString(entry, "vers", url));
    PINTLE_ASSIGN(const std::string sha256, JsonString(entry, "cksum", url));
    PINTLE_ASSIGN(const bool yanked, JsonBool(entry, "yanked", url));
    const VersionKey key = KeyOf(version);
    if (pinned.empty() ? (yanked || key <= best) : version != pinned) continue;
    best = key;
    crate.version = version;
    crate.sha256 = sha256;
  }
  if (crate.version.empty()) {
    return RuntimeError(pinned.empty() ? "no release that is not yanked" : "version " + pinned + " is not in the index",
                        url);
  }
  if (crate.version.find_first_of("/\\\"' ") != std::string::npos || crate.sha256.size() != 64) {
    return ValidationError("the index entry of " + crate.version + " is damaged", url);
  }
  crate.url = DownloadUrl(dl, crate);
  return crate;
}

}  // namespace pintle
