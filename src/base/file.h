// Files: whole reads, atomic writes, descriptors that close themselves, read-only maps, atomic replacement of folders.
// Every failure names the path and the system's reason. A full disk is an Error like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// An open descriptor; closes on destruction. Moves, does not copy. One thread at a time, except ReadAt.
class File {
 public:
  static Result<File> OpenRead(const std::filesystem::path& path);
  /// Creates or truncates.
  static Result<File> Create(const std::filesystem::path& path);
  /// Creates if missing, writes go to the end.
  static Result<File> OpenAppend(const std::filesystem::path& path);
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  /// Up to `size` bytes; 0 at the end of the file.
  Result<size_t> Read(void* buffer, size_t size);
  /// Exactly `size` bytes from `offset` (an error if the file is shorter). Thread-safe.
  Status ReadAt(void* buffer, size_t size, uint64_t offset) const;
  /// All bytes, or an error.
  Status Write(std::string_view bytes);
  /// All bytes at `offset`, or an error; the place of Write stays. Not for files opened by OpenAppend.
  Status WriteAt(std::string_view bytes, uint64_t offset);
  Status Sync();
  Result<uint64_t> Size() const;
  /// Reports what closing reports (a late write error); the destructor closes without a word.
  Status Close();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  File(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// A whole file mapped read-only. The view is valid as long as the object lives.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file; an error if it is larger than `limit` bytes.
Result<std::string> ReadFile(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);
/// Writes `path` so that any kill leaves the old content or the new: temporary beside it, fsync, rename, fsync of the
/// folder.
Status WriteFileAtomic(const std::filesystem::path& path, std::string_view bytes);
/// Makes the folder and its parents.
Status MakeFolder(const std::filesystem::path& path);
/// Removes a file or a folder with all it holds; a missing one is no error. Refuses "", "/" and "." .
Status RemoveAll(const std::filesystem::path& path);
/// fsync of a folder, so that renames in it are durable.
Status SyncFolder(const std::filesystem::path& path);
/// Puts the folder `fresh` in the place of `target` in one step (exchange where `target` exists, else rename), then
/// removes what stood there. Both lie on one file system.
Status ReplaceFolder(const std::filesystem::path& fresh, const std::filesystem::path& target);
/// A new empty folder under the system's place for temporary files; removed with all it holds on destruction.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pintle
