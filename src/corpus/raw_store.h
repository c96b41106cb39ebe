// The raw store: what `m31r crawl` took in, one folder a source, immutable, content-addressed.
//
//   raw/NAME/files.pack       the distinct file contents, one after the other
//   raw/NAME/files.jsonl.zst  one record a path, sorted by path: {"path","sha256","size","offset"}
//   raw/NAME/manifest.json    stage "crawl"; notes: kind, url or path, archive SHA-256, commit, version, licence
//
// Only files that later stages look at are kept: *.rs, Cargo.toml, licence texts, readme files, SPDX/REUSE records.
// Two paths with the same content share one offset. Source rank = position in the crawl manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"

namespace pintle {

/// One path of a source.
struct RawFile {
  std::string path;  ///< relative, '/' between parts, as in the archive without its top folder
  Sha256Digest sha256{};
  uint64_t size = 0;
  uint64_t offset = 0;  ///< into files.pack
};

/// Collects the files of one source in a folder (a StageOutput's): distinct contents into the pack as they come, the
/// index sorted at the end. Memory: one record a path.
class RawStoreWriter {
 public:
  static Result<RawStoreWriter> Create(const std::filesystem::path& folder);
  /// A path given twice keeps the later content.
  Status Add(const std::string& path, std::string_view bytes);
  /// Takes off the leading folders that all paths share, at most `levels` of them.
  void StripCommonFolder(int levels);
  Status Finish();
  [[nodiscard]] uint64_t file_count() const { return files_.size(); }
  [[nodiscard]] uint64_t pack_size() const { return pack_size_; }

 private:
  static constexpr size_t kBufferSize = 1 << 20;
  struct DigestHash {
    size_t operator()(const Sha256Digest& digest) const;
  };
  Status Flush();
  std::filesystem::path folder_;
  File pack_;
  uint64_t pack_size_ = 0;
  std::string buffer_;
  std::vector<RawFile> files_;
  std::unordered_map<Sha256Digest, uint64_t, DigestHash> offsets_;
};

/// Reads one source. Read() is thread-safe.
class RawStoreReader {
 public:
  /// Checks every record against the size of the pack.
  static Result<RawStoreReader> Open(const std::filesystem::path& folder);
  [[nodiscard]] const std::vector<RawFile>& files() const { return files_; }  ///< sorted by path bytes
  /// The content; a validation error if it does not have its SHA-256.
  [[nodiscard]] Result<std::string> Read(const RawFile& file) const;

 private:
  std::vector<RawFile> files_;
  File pack_;
};

}  // namespace pintle
