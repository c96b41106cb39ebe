// Reads archives from outside (tar.*, .crate, .deb, .zip) as a stream of regular files. Nothing is ever written to disk
// here, no link is ever followed; an archive that tries to reach outside, or to blow up, is refused by the entry's
// name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// Beyond these an archive is hostile.
struct ArchiveLimits {
  int64_t max_entries = 2'000'000;
  int64_t max_entry_bytes = int64_t{256} << 20;    ///< one file that is wanted, unpacked
  int64_t max_unpacked_bytes = int64_t{16} << 30;  ///< all entries together
  int64_t max_ratio = 300;                         ///< unpacked to packed, looked at from 64 MiB on
  int64_t max_path_bytes = 1024;
};

/// Called with each regular file whose path `wanted` accepted. Paths are relative, '/'-separated, clean.
struct ArchiveVisitor {
  std::function<bool(std::string_view path)> wanted;
  std::function<Status(const std::string& path, std::string_view bytes)> file;
};

/// Walks the archive in its own order. Refused (validation error naming the archive and the entry): absolute paths and
/// "..", links that point outside, control characters in names, over-long names, too many or too large entries, too
/// high a ratio, encrypted entries, damage. A .deb is read through its data.tar member.
Status ReadArchive(const std::filesystem::path& archive, const ArchiveLimits& limits, const ArchiveVisitor& visitor);

/// A path of an archive made clean ("./a//b" -> "a/b"), or an error that says what is wrong with it.
Result<std::string> CleanArchivePath(std::string_view path, const ArchiveLimits& limits);

}  // namespace pintle
