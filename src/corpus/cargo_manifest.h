// Cargo.toml, as far as the corpus needs it: whose crate a file is, in which version, under which licence. Used by the
// licence rule of the filter (source_facts.h). Not a Cargo: dependencies, features and targets are not read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// One Cargo.toml. Texts are empty where the key is missing or of another type.
struct CargoManifest {
  bool has_package = false;
  bool has_workspace = false;
  std::string name, version, licence, licence_file;  ///< of [package]
  bool version_inherited = false;                    ///< version.workspace = true
  bool licence_inherited = false;
  bool licence_file_inherited = false;
  std::string workspace_folder;  ///< package.workspace: path of the root, relative to this manifest's folder
  std::string workspace_version, workspace_licence, workspace_licence_file;  ///< of [workspace.package]
};

/// Reads a manifest of at most 1 MiB. Not TOML: a validation error with the line.
Result<CargoManifest> ParseCargoManifest(std::string_view text, const std::string& where);

/// A version that sorts: the newer one compares greater ("1.10.0" > "1.9.0" > "1.9.0-beta"). Parts that are no number
/// count as 0; build metadata is ignored.
struct VersionKey {
  uint64_t parts[3] = {0, 0, 0};
  bool released = true;    ///< no pre-release part
  std::string prerelease;  ///< compared as bytes
  friend auto operator<=>(const VersionKey&, const VersionKey&) = default;
};
VersionKey ParseVersion(std::string_view version);

}  // namespace pintle
