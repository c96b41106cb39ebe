#include "corpus/cargo_manifest.h"

#include <algorithm>
#include <map>

#include "corpus/toml_scan.h"

namespace pintle {
namespace {

constexpr size_t kMaxSize = size_t{1} << 20;

}  // namespace

Result<CargoManifest> ParseCargoManifest(std::string_view text, const std::string& where) {
  if (text.size() > kMaxSize) return ValidationError("larger than 1 MiB", where);
  CargoManifest manifest;
  // Where the texts of "TABLE.KEY" go, and the marks of "TABLE.KEY.workspace = true".
  const std::map<std::string, std::string*> texts = {
      {"package.name", &manifest.name},
      {"package.version", &manifest.version},
      {"package.license", &manifest.licence},
      {"package.license-file", &manifest.licence_file},
      {"package.workspace", &manifest.workspace_folder},
      {"workspace.package.version", &manifest.workspace_version},
      {"workspace.package.license", &manifest.workspace_licence},
      {"workspace.package.license-file", &manifest.workspace_licence_file},
  };
  const std::map<std::string, bool*> marks = {
      {"package.version.workspace", &manifest.version_inherited},
      {"package.license.workspace", &manifest.licence_inherited},
      {"package.license-file.workspace", &manifest.licence_file_inherited},
  };
  std::string prefix;
  const auto note_table = [&](const std::string& name) {
    manifest.has_package |= name.starts_with("package.");
    manifest.has_workspace |= name.starts_with("workspace.");
  };
  TomlEvents events;
  events.table = [&](const std::string& name, bool is_array) {
    // [project] is the old name of [package].
    prefix = (name == "project" ? "package" : name) + (is_array ? "[]." : ".");
    note_table(prefix);
  };
  events.key = [&](const std::string& key, const TomlValue& value) {
    const std::string name = prefix + key;
    note_table(name);
    if (const auto field = texts.find(name); field != texts.end() && value.kind == TomlValue::Kind::kString) {
      *field->second = value.text;
    }
    if (const auto mark = marks.find(name); mark != marks.end() && value.kind == TomlValue::Kind::kBool) {
      *mark->second = value.flag;
    }
  };
  PINTLE_RETURN_IF_ERROR(ScanToml(text, where, events));
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
