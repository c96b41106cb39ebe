#include "catalogue/store.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdlib>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "catalogue/catalogue.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxLock = 1 << 16;

int64_t SizeOf(const fs::path& path) {
  std::error_code code;
  const uintmax_t size = fs::file_size(path, code);
  return code ? 0 : static_cast<int64_t>(size);
}

int64_t ModifiedOf(const fs::path& path) {
  std::error_code code;
  const auto time = fs::last_write_time(path, code);
  return code ? 0 : static_cast<int64_t>(time.time_since_epoch().count());
}

}  // namespace

std::string_view ModelStateName(ModelState state) {
  constexpr std::string_view kNames[] = {"absent", "partial", "present", "verified"};
  return kNames[static_cast<size_t>(state)];
}

ModelStore ModelStore::OfUser() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return ModelStore(fs::path(data) / "pintle" / "models");
  const char* home = std::getenv("HOME");
  return ModelStore(fs::path(home != nullptr ? home : "/") / ".local" / "share" / "pintle" / "models");
}

ModelFile ModelStore::Look(const std::string& file) const {
  ModelFile found;
  found.path = folder_ / file;
  std::error_code code;
  if (fs::is_regular_file(found.path, code)) {
    found.bytes = SizeOf(found.path);
    const auto lock = ReadLock(file);
    const bool same =
        lock.ok() && *lock && (*lock)->bytes == found.bytes && (*lock)->modified == ModifiedOf(found.path);
    found.state = same ? ModelState::kVerified : ModelState::kPresent;
  } else if (const fs::path part = folder_ / (file + ".part"); fs::is_regular_file(part, code)) {
    found.bytes = SizeOf(part);
    found.state = ModelState::kPartial;
  }
  return found;
}

Result<std::optional<ModelLock>> ModelStore::ReadLock(const std::string& file) const {
  const fs::path path = folder_ / (file + ".lock");
  std::error_code code;
  if (!fs::exists(path, code)) return std::optional<ModelLock>();
  PINTLE_ASSIGN(const std::string text, ReadFile(path, kMaxLock));
  PINTLE_ASSIGN(const boost::json::value value, ParseJson(text, path.string()));
  ModelLock lock;
  PINTLE_ASSIGN(lock.source, JsonString(value, "source", path.string()));
  PINTLE_ASSIGN(lock.sha256, JsonString(value, "sha256", path.string()));
  PINTLE_ASSIGN(lock.bytes, JsonInt(value, "bytes", path.string()));
  PINTLE_ASSIGN(lock.modified, JsonInt(value, "modified", path.string()));
  if (!IsSha256Hex(lock.sha256)) return ValidationError("sha256 is not 64 hexadecimal digits", path.string());
  return std::optional<ModelLock>(lock);
}

Status ModelStore::WriteLock(const std::string& file, const std::string& source, const std::string& sha256) const {
  const fs::path path = folder_ / file;
  const boost::json::object lock = {
      {"source", source}, {"sha256", sha256}, {"bytes", SizeOf(path)}, {"modified", ModifiedOf(path)}};
  return WriteFileAtomic(folder_ / (file + ".lock"), DumpJson(lock, 2) + "\n");
}

std::vector<std::string> ModelStore::Files() const {
  std::set<std::string> files;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder_, code)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".part")) name.resize(name.size() - 5);
    if (IsModelFileName(name)) files.insert(name);
  }
  return {files.begin(), files.end()};
}

int64_t UsableMemory() {
  const int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const auto text = ReadFile("/sys/fs/cgroup/memory.max", 64);
  int64_t limit = 0;
  if (!text.ok()) return machine;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), limit);
  return failed == std::errc() && limit > 0 ? std::min(machine, limit) : machine;  // "max": no limit
}

}  // namespace pintle
