// The folder of pulled models on this machine, and what this machine can hold.
//
//   NAME.gguf            the model
//   NAME.gguf.lock       JSON: where it came from, its SHA-256, and size and time of the file that was hashed
//   NAME.gguf.part[.json] a download on its way (download.h)
//
// A lock outlives its model: the same name pulled again must have the same hash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Where a model stands. Verified: the file is still the one whose hash was right, by its size and time.
enum class ModelState : uint8_t { kAbsent, kPartial, kPresent, kVerified };
/// "absent", "partial", "present", "verified".
std::string_view ModelStateName(ModelState state);

/// What is known of a file since it was last hashed.
struct ModelLock {
  std::string source;  ///< the address it came from
  std::string sha256;
  int64_t bytes = 0;
  int64_t modified = 0;  ///< of the file, nanoseconds of its clock
};

/// A model file, here or not yet.
struct ModelFile {
  ModelState state = ModelState::kAbsent;
  std::filesystem::path path;  ///< where it is or would be
  int64_t bytes = 0;           ///< that are here
};

/// The folder; every call looks at the disk anew. Safe from any number of threads and processes.
class ModelStore {
 public:
  explicit ModelStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// $XDG_DATA_HOME/pintle/models, else ~/.local/share/pintle/models.
  static ModelStore OfUser();

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// `file` is NAME.gguf.
  [[nodiscard]] ModelFile Look(const std::string& file) const;
  /// The lock, or nothing where there is none; one that cannot be read is an error.
  [[nodiscard]] Result<std::optional<ModelLock>> ReadLock(const std::string& file) const;
  /// Writes the lock for the file as it is now.
  [[nodiscard]] Status WriteLock(const std::string& file, const std::string& source, const std::string& sha256) const;
  /// Every NAME.gguf that is here, whole or in part, sorted.
  [[nodiscard]] std::vector<std::string> Files() const;

 private:
  std::filesystem::path folder_;
};

/// Bytes of memory that this process may use: the machine's, or its control group's limit if that is less.
int64_t UsableMemory();

}  // namespace pintle
