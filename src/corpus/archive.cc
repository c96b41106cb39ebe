#include "corpus/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "base/interrupt.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct CloseArchive {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<struct archive, CloseArchive>;

std::string Printable(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 200)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text;
}

std::string LibraryMessage(struct archive* handle) {
  const char* message = archive_error_string(handle);
  return message == nullptr ? "unknown damage" : message;
}

// Where a link at `path` leads, seen from the root of the archive: true if it stays inside.
bool LinkStaysInside(const std::string& path, std::string_view target) {
  if (target.empty()) return true;
  if (target.front() == '/') return false;
  int depth = 0;
  for (const char c : path) depth += c == '/' ? 1 : 0;
  size_t begin = 0;
  while (begin <= target.size()) {
    const size_t end = std::min(target.find('/', begin), target.size());
    const std::string_view part = target.substr(begin, end - begin);
    if (part == "..") {
      if (--depth < 0) return false;
    } else if (!part.empty() && part != ".") {
      ++depth;
    }
    begin = end + 1;
  }
  return true;
}

// The data.tar member of a .deb, handed to a second reader block by block.
struct InnerStream {
  struct archive* outer;
  std::vector<char> buffer = std::vector<char>(1 << 16);
  static la_ssize_t Read(struct archive*, void* self, const void** data) {
    auto* stream = static_cast<InnerStream*>(self);
    *data = stream->buffer.data();
    return archive_read_data(stream->outer, stream->buffer.data(), stream->buffer.size());
  }
};

class Walker {
 public:
  Walker(const fs::path& archive, const ArchiveLimits& limits, const ArchiveVisitor& visitor)
      : archive_(archive), limits_(limits), visitor_(visitor) {
    std::error_code code;
    packed_bytes_ = static_cast<int64_t>(fs::file_size(archive, code));
  }

  Status Walk(struct archive* handle, bool is_package, int level) {
    struct archive_entry* entry = nullptr;
    bool found_data = false;
    while (true) {
      if (Interrupted()) return RuntimeError("interrupted", archive_.string());
      const int state = archive_read_next_header(handle, &entry);
      if (state == ARCHIVE_EOF) break;
      if (state != ARCHIVE_OK && state != ARCHIVE_WARN)
        return Refuse("damaged archive: " + LibraryMessage(handle), last_path_);
      if (++entries_ > limits_.max_entries)
        return Refuse(fmt::format("more than {} entries", limits_.max_entries), last_path_);
      const char* raw_name = archive_entry_pathname(entry);
      const std::string name = raw_name == nullptr ? "" : raw_name;
      if (level == 0 && archive_format(handle) == ARCHIVE_FORMAT_AR_GNU) is_package = true;
      if (level == 0 && is_package) {
        if (!name.starts_with("data.tar")) continue;
        found_data = true;
        PINTLE_RETURN_IF_ERROR(WalkInner(handle));
        continue;
      }
      PINTLE_RETURN_IF_ERROR(Entry(handle, entry, name, level == 1));
    }
    if (is_package && level == 0 && !found_data) return Refuse("a .deb without data.tar", "");
    return {};
  }

 private:
  Error Refuse(const std::string& what, std::string_view entry) const {
    return ValidationError(what, entry.empty() ? archive_.string() : archive_.string() + ": " + Printable(entry),
                           "the archive is refused as a whole; nothing of it was kept");
  }

  Status WalkInner(struct archive* outer) {
    ArchiveHandle inner(archive_read_new());
    archive_read_support_filter_all(inner.get());
    archive_read_support_format_tar(inner.get());
    InnerStream stream{outer};
    if (archive_read_open(inner.get(), &stream, nullptr, InnerStream::Read, nullptr) != ARCHIVE_OK) {
      return Refuse("damaged data.tar: " + LibraryMessage(inner.get()), "data.tar");
    }
    return Walk(inner.get(), false, 1);
  }

  Status Entry(struct archive* handle, struct archive_entry* entry, const std::string& name, bool in_package) {
    last_path_ = name;
    auto path = CleanArchivePath(name, limits_);
    if (!path.ok()) return Refuse(path.error().what, name);
    const auto type = archive_entry_filetype(entry);
    const char* hard = archive_entry_hardlink(entry);
    if (hard != nullptr) {
      if (auto target = CleanArchivePath(hard, limits_); !target.ok())
        return Refuse("a hard link that leads outside", name);
    }
    if (type == AE_IFLNK) {
      // A package's links are relative to the root of the system it is made for; everything else must stay inside.
      const char* target = archive_entry_symlink(entry);
      std::string_view text = target == nullptr ? "" : target;
      if (in_package && text.starts_with("/")) text.remove_prefix(1);
      if (!LinkStaysInside(*path, text)) return Refuse("a symbolic link that leads outside: " + Printable(text), name);
    }
    if (archive_entry_is_encrypted(entry)) return Refuse("an encrypted entry", name);
    const bool wanted = type == AE_IFREG && hard == nullptr && !path->empty() && visitor_.wanted(*path);
    contents_.clear();
    while (true) {
      const void* block = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int state = archive_read_data_block(handle, &block, &size, &offset);
      if (state == ARCHIVE_EOF) break;
      if (state != ARCHIVE_OK && state != ARCHIVE_WARN) return Refuse("damaged entry: " + LibraryMessage(handle), name);
      unpacked_bytes_ += static_cast<int64_t>(size);
      PINTLE_RETURN_IF_ERROR(CheckSizes(name));
      if (!wanted) continue;
      const int64_t limit = limits_.max_entry_bytes;
      if (offset < 0 || offset > limit || static_cast<int64_t>(size) > limit - offset) {
        return Refuse(fmt::format("an entry larger than {} bytes", limits_.max_entry_bytes), name);
      }
      contents_.resize(static_cast<size_t>(offset), '\0');  // holes of sparse files
      contents_.append(static_cast<const char*>(block), size);
    }
    return wanted ? visitor_.file(*path, contents_) : Status();
  }

  Status CheckSizes(const std::string& name) const {
    if (unpacked_bytes_ > limits_.max_unpacked_bytes) {
      return Refuse(fmt::format("unpacks to more than {} bytes", limits_.max_unpacked_bytes), name);
    }
    constexpr int64_t kRatioFrom = int64_t{64} << 20;
    if (unpacked_bytes_ > kRatioFrom && unpacked_bytes_ / limits_.max_ratio > packed_bytes_) {
      return Refuse(fmt::format("unpacks to more than {} times its size", limits_.max_ratio), name);
    }
    return {};
  }

  const fs::path& archive_;
  const ArchiveLimits& limits_;
  const ArchiveVisitor& visitor_;
  int64_t packed_bytes_ = 0, unpacked_bytes_ = 0, entries_ = 0;
  std::string last_path_, contents_;
};

}  // namespace

Result<std::string> CleanArchivePath(std::string_view path, const ArchiveLimits& limits) {
  if (path.empty()) return ValidationError("an entry without a name");
  if (path.size() > static_cast<size_t>(limits.max_path_bytes)) return ValidationError("an over-long name");
  if (path.front() == '/') return ValidationError("an absolute path");
  std::string clean;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") return ValidationError("a path that climbs out with '..'");
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return ValidationError("control characters in a name");
      if (c == '\\') return ValidationError("a backslash in a name");
    }
    if (!part.empty() && part != ".") {
      if (!clean.empty()) clean += '/';
      clean += part;
    }
    begin = end + 1;
  }
  return clean;
}

Status ReadArchive(const fs::path& archive, const ArchiveLimits& limits, const ArchiveVisitor& visitor) {
  ArchiveHandle handle(archive_read_new());
  archive_read_support_filter_all(handle.get());
  archive_read_support_format_tar(handle.get());
  archive_read_support_format_zip_streamable(handle.get());
  archive_read_support_format_zip_seekable(handle.get());
  archive_read_support_format_ar(handle.get());
  if (archive_read_open_filename(handle.get(), archive.c_str(), 1 << 20) != ARCHIVE_OK) {
    return ValidationError("cannot read this archive: " + LibraryMessage(handle.get()), archive.string(),
                           "supported are tar (gz, bz2, xz, zst), .crate, .deb and .zip");
  }
  Walker walker(archive, limits, visitor);
  return walker.Walk(handle.get(), archive.extension() == ".deb", 0);
}

}  // namespace pintle
