#include "corpus/cargo_manifest.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>

namespace pintle {
namespace {

constexpr size_t kMaxSize = size_t{1} << 20;

std::string Text(const toml::table& table, std::string_view key) {
  return table[key].value_exact<std::string>().value_or("");
}

// KEY.workspace = true
bool Inherited(const toml::table& table, std::string_view key) {
  return table[key]["workspace"].value_exact<bool>().value_or(false);
}

}  // namespace

Result<CargoManifest> ParseCargoManifest(std::string_view text, const std::string& where) {
  if (text.size() > kMaxSize) return ValidationError("larger than 1 MiB", where);
  const toml::parse_result parsed = toml::parse(text, where);
  if (!parsed) {
    return ValidationError(std::string(parsed.error().description()),
                           where + ":" + std::to_string(parsed.error().source().begin.line));
  }
  CargoManifest manifest;
  const toml::table& root = parsed.table();
  const toml::table* package = root["package"].as_table();
  if (package == nullptr) package = root["project"].as_table();
  if (package != nullptr) {
    manifest.has_package = true;
    manifest.name = Text(*package, "name");
    manifest.version = Text(*package, "version");
    manifest.licence = Text(*package, "license");
    manifest.licence_file = Text(*package, "license-file");
    manifest.version_inherited = Inherited(*package, "version");
    manifest.licence_inherited = Inherited(*package, "license");
    manifest.licence_file_inherited = Inherited(*package, "license-file");
    manifest.workspace_folder = Text(*package, "workspace");
  }
  if (const toml::table* workspace = root["workspace"].as_table()) {
    manifest.has_workspace = true;
    if (const toml::table* shared = (*workspace)["package"].as_table()) {
      manifest.workspace_version = Text(*shared, "version");
      manifest.workspace_licence = Text(*shared, "license");
      manifest.workspace_licence_file = Text(*shared, "license-file");
    }
  }
  return manifest;
}

VersionKey ParseVersion(std::string_view version) {
  VersionKey key;
  version = version.substr(0, version.find('+'));
  if (const size_t dash = version.find('-'); dash != std::string_view::npos) {
    key.released = false;
    key.prerelease = version.substr(dash + 1);
    version = version.substr(0, dash);
  }
  for (uint64_t& part : key.parts) {
    const size_t dot = version.find('.');
    for (const char c : version.substr(0, dot)) {
      if (c < '0' || c > '9') break;
      part = std::min<uint64_t>(part * 10 + static_cast<uint64_t>(c - '0'), uint64_t{1} << 40);
    }
    if (dot == std::string_view::npos) break;
    version = version.substr(dot + 1);
  }
  return key;
}

}  // namespace pintle
