#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

Error SystemError(const char* action, const fs::path& path, int code = errno) {
  std::string hint;
  if (code == ENOSPC) hint = "free some space, or choose another folder, and run the same command again";
  if (code == EACCES || code == EPERM) hint = "check the owner and mode of the file and of its folder";
  return RuntimeError(std::string(action) + ": " + std::strerror(code), path.string(), hint);
}

}  // namespace

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}
File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<File> File::OpenRead(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open", path);
  struct stat info{};
  if (::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(descriptor);
    return SystemError("cannot read", path, EISDIR);
  }
  return File(descriptor, path);
}

Result<File> File::Create(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return SystemError("cannot create", path);
  return File(descriptor, path);
}

Result<File> File::OpenAppend(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return SystemError("cannot open for appending", path);
  return File(descriptor, path);
}

Result<size_t> File::Read(void* buffer, size_t size) {
  while (true) {
    const ssize_t got = ::read(descriptor_, buffer, size);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return SystemError("cannot read", path_);
  }
}

Status File::ReadAt(void* buffer, size_t size, uint64_t offset) const {
  char* out = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(descriptor_, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot read", path_);
    if (got == 0) return RuntimeError("the file is shorter than expected", path_.string());
    out += got;
    size -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return {};
}

Status File::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError("cannot write", path_);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Status File::WriteAt(std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError("cannot write", path_);
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return {};
}

Status File::Sync() {
  if (::fsync(descriptor_) != 0) return SystemError("cannot sync", path_);
  return {};
}

Result<uint64_t> File::Size() const {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return SystemError("cannot stat", path_);
  return static_cast<uint64_t>(info.st_size);
}

Status File::Close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) return SystemError("cannot close", path_);
  return {};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}
MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

Result<MappedFile> MappedFile::Open(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open", path);
  struct stat info{};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return RuntimeError("not a regular file", path.string());
  }
  MappedFile file;
  file.size_ = static_cast<size_t>(info.st_size);
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) {
      const int code = errno;
      ::close(descriptor);
      file.size_ = 0;
      return SystemError("cannot map", path, code);
    }
    file.data_ = static_cast<const char*>(data);
  }
  ::close(descriptor);
  return file;
}

Result<std::string> ReadFile(const fs::path& path, uint64_t limit) {
  PINTLE_ASSIGN(File file, File::OpenRead(path));
  std::string bytes;
  PINTLE_ASSIGN(const uint64_t size, file.Size());
  if (size > limit) return RuntimeError("the file is larger than " + std::to_string(limit) + " bytes", path.string());
  bytes.reserve(size);
  char buffer[65536];
  while (true) {
    PINTLE_ASSIGN(const size_t got, file.Read(buffer, sizeof buffer));
    if (got == 0) return bytes;
    bytes.append(buffer, got);
    if (bytes.size() > limit) {
      return RuntimeError("the file is larger than " + std::to_string(limit) + " bytes", path.string());
    }
  }
}

Status SyncFolder(const fs::path& path) {
  const fs::path folder = path.empty() ? fs::path(".") : path;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open the folder", folder);
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0 && code != EINVAL) return SystemError("cannot sync the folder", folder, code);
  return {};
}

Status WriteFileAtomic(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = path.string() + ".tmp" + std::to_string(::getpid());
  const auto write = [&]() -> Status {
    PINTLE_ASSIGN(File file, File::Create(temporary));
    PINTLE_RETURN_IF_ERROR(file.Write(bytes));
    PINTLE_RETURN_IF_ERROR(file.Sync());
    return file.Close();
  };
  if (Status status = write(); !status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return SystemError("cannot rename into place", path, code);
  }
  return SyncFolder(path.parent_path());
}

Status MakeFolder(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return SystemError("cannot make the folder", path, code.value());
  return {};
}

Status RemoveAll(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  PINTLE_CHECK(!normal.empty() && normal != "/" && normal != ".", "RemoveAll of '" + path.string() + "'");
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return SystemError("cannot remove", path, code.value());
  return {};
}

Status ReplaceFolder(const fs::path& fresh, const fs::path& target) {
  std::error_code missing;
  if (fs::exists(target, missing)) {
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0) {
      // A file system without exchange: the old folder steps aside first, and is found again by its name if we die
      // here.
      const fs::path aside = target.string() + ".old";
      PINTLE_RETURN_IF_ERROR(RemoveAll(aside));
      if (::rename(target.c_str(), aside.c_str()) != 0) return SystemError("cannot move aside", target);
      if (::rename(fresh.c_str(), target.c_str()) != 0) return SystemError("cannot rename into place", target);
      PINTLE_RETURN_IF_ERROR(SyncFolder(target.parent_path()));
      return RemoveAll(aside);
    }
    PINTLE_RETURN_IF_ERROR(SyncFolder(target.parent_path()));
    return RemoveAll(fresh);
  }
  if (::rename(fresh.c_str(), target.c_str()) != 0) return SystemError("cannot rename into place", target);
  return SyncFolder(target.parent_path());
}

TemporaryFolder::TemporaryFolder() {
  std::error_code code;
  std::string pattern = (fs::temp_directory_path(code) / "pintle-XXXXXX").string();
  PINTLE_CHECK(::mkdtemp(pattern.data()) != nullptr, "cannot make a temporary folder: " + pattern);
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code code;
  fs::remove_all(path_, code);
}

}  // namespace pintle
