// Any bytes as an archive, by way of a file in memory: an error, or files with clean relative paths within the limits.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "corpus/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  static const int descriptor = memfd_create("archive", 0);
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  ArchiveLimits limits;
  limits.max_entries = 100;
  limits.max_entry_bytes = 1 << 16;
  limits.max_unpacked_bytes = 1 << 20;
  limits.max_path_bytes = 200;
  ArchiveVisitor visitor;
  visitor.wanted = [](std::string_view path) { return !path.ends_with(".png"); };
  visitor.file = [&](const std::string& path, std::string_view bytes) -> Status {
    const auto clean = CleanArchivePath(path, limits);
    if (!clean.ok() || *clean != path || path.ends_with(".png")) std::abort();
    if (static_cast<int64_t>(bytes.size()) > limits.max_entry_bytes) std::abort();
    return {};
  };
  (void)ReadArchive("/proc/self/fd/" + std::to_string(descriptor), limits, visitor);
  return 0;
}
