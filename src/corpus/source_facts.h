// What a source says about its files: the crate each belongs to and the licence it comes under. Built once a source
// from its Cargo.toml, licence and REUSE files; asked once a file by the filter. What the file's own head says
// (licence_text.h) goes before it and is not looked at here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "corpus/cargo_manifest.h"

namespace pintle {

/// A licence as found: the expression, and which record gave it ("vendor/x/Cargo.toml", "LICENSE-MIT", "source").
struct LicenceFinding {
  std::string expression;  ///< "" = nothing found
  std::string from;
};

/// The crate of a file. Without a Cargo.toml above it the name is that of the first two folders.
struct CrateFact {
  std::string name, version;
  std::string path_in_crate;
};

/// One annotation of a REUSE.toml or one paragraph of a .reuse/dep5.
struct ReuseRule {
  std::vector<std::string> patterns;
  std::string licence;
};

/// The annotations of a REUSE.toml (REUSE specification 3.2); empty if it is not TOML.
std::vector<ReuseRule> ParseReuseToml(std::string_view text);
/// The paragraphs of a .reuse/dep5 with Files and License fields.
std::vector<ReuseRule> ParseReuseDep5(std::string_view text);
/// REUSE glob: `*` = any run without '/', `**` = any run, '\' takes the next sign literally.
bool ReuseMatch(std::string_view pattern, std::string_view path);

/// Not thread-safe while records are added; Licence() and Crate() are const and thread-safe.
class SourceFacts {
 public:
  /// True for the files that Add() wants to see.
  static bool Wants(std::string_view path);
  /// A record file of the source. One that cannot be read as what it claims to be counts as missing.
  void Add(const std::string& path, std::string_view text);
  /// After the last Add(). `fallback`: the licence of the source as a whole ("" = none).
  void Finish(std::string fallback);

  /// The licence of a file by the nearest record, from its folder upwards: [package] license of a Cargo.toml (workspace
  /// inheritance followed, license-file read), licence texts, REUSE; at the top the source's own. A folder named vendor
  /// or third_party ends the search: what lies in it is somebody else's work.
  [[nodiscard]] LicenceFinding Licence(std::string_view path) const;
  [[nodiscard]] CrateFact Crate(std::string_view path) const;
  /// True if the folder ("" = the top) has a Cargo.toml.
  [[nodiscard]] bool HasCargo(std::string_view folder) const;

 private:
  struct Folder {
    bool has_cargo = false;
    CargoManifest cargo;
    std::map<std::string, std::string> texts;  ///< licence file name -> expression ("" = not recognised)
    std::vector<ReuseRule> reuse;
    std::string reuse_from;
  };
  [[nodiscard]] const Folder* Find(std::string_view folder) const;
  [[nodiscard]] const Folder* WorkspaceOf(std::string_view folder, const CargoManifest& manifest,
                                          std::string& where) const;
  [[nodiscard]] LicenceFinding CargoLicence(std::string_view folder, const Folder& facts) const;
  [[nodiscard]] LicenceFinding TextFinding(std::string_view folder, const Folder& facts) const;
  [[nodiscard]] LicenceFinding LicenceFile(std::string_view folder, const std::string& file) const;

  std::unordered_map<std::string, Folder> folders_;  // "" is the top
  std::string fallback_, root_;
};

}  // namespace pintle
