// Stage folders: every stage reads a manifest and writes a folder with a manifest.json (stage, hashes of config and
// inputs, tool version, outputs with SHA-256 and size, counts). A kill leaves the old folder or the new one, nothing
// between.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Written into every manifest; a change of output bytes for the same input needs a new value.
inline constexpr char kToolVersion[] = "pintle 0.1";

/// One file of a stage folder; `path` is relative to the folder.
struct ManifestFile {
  std::string path;
  std::string sha256;
  uint64_t size = 0;
};

/// What a manifest.json holds. Nothing here depends on time, machine, thread count or absolute paths.
struct Manifest {
  std::string stage;                          ///< "crawl", "filter", ...
  std::string config_hash;                    ///< ConfigHash of the stage's settings
  std::map<std::string, std::string> inputs;  ///< name -> manifest id of the input ("raw/rust" -> ...)
  std::vector<ManifestFile> outputs;          ///< sorted by path
  std::map<std::string, int64_t> counts;      ///< what the stage counted
  std::map<std::string, std::string> notes;   ///< further facts (versions, licences)
  std::string tool = kToolVersion;            ///< what made it

  /// SHA-256 of the canonical JSON of all of the above: the identity of the folder's content.
  [[nodiscard]] std::string Id() const;
  [[nodiscard]] std::string ToJson() const;
};

/// Reads DIR/manifest.json and checks its form (not the files it lists). A folder without one is a runtime error whose
/// hint names the stage that makes it.
Result<Manifest> ReadManifest(const std::filesystem::path& folder);
/// Re-hashes all files a manifest lists; the first difference is a validation error.
Status VerifyFolder(const std::filesystem::path& folder);

/// The folder a stage writes: everything goes to a sibling "NAME.partial" until Commit puts it in place.
class StageOutput {
 public:
  /// Makes an empty partial folder beside `target` (a stale one from a killed run is removed).
  static Result<StageOutput> Create(const std::filesystem::path& target);
  StageOutput(StageOutput&&) = default;
  StageOutput& operator=(StageOutput&&) = default;
  /// Removes the partial folder if Commit was not called.
  ~StageOutput();
  /// Write here.
  [[nodiscard]] const std::filesystem::path& folder() const { return partial_; }
  /// Hashes every file in the folder into manifest.outputs, writes manifest.json, syncs, puts the folder in place.
  /// Returns the id.
  Result<std::string> Commit(Manifest manifest);

 private:
  StageOutput() = default;
  std::filesystem::path target_, partial_;
};

/// True if `folder` holds a finished output of this stage made from the same config and inputs by this tool version,
/// and every listed file is there with its size.
bool UpToDate(const std::filesystem::path& folder, const std::string& stage, const std::string& config_hash,
              const std::map<std::string, std::string>& inputs);

}  // namespace pintle
