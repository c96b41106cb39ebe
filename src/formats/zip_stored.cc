#include "formats/zip_stored.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pintle {
namespace {

constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint32_t kEntry = 0x02014b50, kLocal = 0x04034b50;
constexpr uint64_t kEndSize = 22, kMaxComment = 65535, kMaxEntries = 100'000;

// Little-endian numbers of a range of bytes; reading outside sets `bad` and gives 0.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T At(uint64_t offset) {
    T value{};
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) {
      bad = true;
    } else {
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    }
    return value;
  }
  std::string_view Range(uint64_t offset, uint64_t size) {
    if (offset > bytes_.size() || bytes_.size() - offset < size) {
      bad = true;
      return {};
    }
    return bytes_.substr(offset, size);
  }
  [[nodiscard]] uint64_t size() const { return bytes_.size(); }

  bool bad = false;

 private:
  std::string_view bytes_;
};

struct Directory {
  uint64_t entries = 0, offset = 0;
};

Result<Directory> FindDirectory(Bytes& bytes, const std::string& where) {
  if (bytes.size() < kEndSize) return ValidationError("too short for a zip archive", where);
  const uint64_t lowest = bytes.size() - std::min(bytes.size(), kEndSize + kMaxComment);
  uint64_t end = bytes.size() - kEndSize;
  while (bytes.At<uint32_t>(end) != kEnd) {
    if (end == lowest) return ValidationError("no zip archive: its end record is missing", where);
    --end;
  }
  Directory directory = {bytes.At<uint16_t>(end + 10), bytes.At<uint32_t>(end + 16)};
  if (directory.entries == 0xFFFF || directory.offset == 0xFFFFFFFF) {
    if (end < 20 || bytes.At<uint32_t>(end - 20) != kLocator64) {
      return ValidationError("the zip64 locator is missing", where);
    }
    const auto end64 = bytes.At<uint64_t>(end - 12);
    if (bytes.At<uint32_t>(end64) != kEnd64) return ValidationError("the zip64 end record is missing", where);
    directory = {bytes.At<uint64_t>(end64 + 32), bytes.At<uint64_t>(end64 + 48)};
  }
  if (bytes.bad) return ValidationError("the zip archive is cut short", where);
  if (directory.entries > kMaxEntries) return ValidationError("the zip archive has too many entries", where);
  return directory;
}

}  // namespace

Result<std::map<std::string, std::string_view>> ReadStoredZip(std::string_view archive, const std::string& where) {
  Bytes bytes(archive);
  PINTLE_ASSIGN(const Directory directory, FindDirectory(bytes, where));
  std::map<std::string, std::string_view> entries;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (bytes.At<uint32_t>(at) != kEntry) return ValidationError("a directory entry is damaged", where);
    const auto flags = bytes.At<uint16_t>(at + 8), method = bytes.At<uint16_t>(at + 10);
    const auto name_size = bytes.At<uint16_t>(at + 28), extra_size = bytes.At<uint16_t>(at + 30);
    const auto comment_size = bytes.At<uint16_t>(at + 32);
    uint64_t packed = bytes.At<uint32_t>(at + 20), size = bytes.At<uint32_t>(at + 24);
    uint64_t local = bytes.At<uint32_t>(at + 42);
    const std::string name(bytes.Range(at + 46, name_size));
    // The zip64 field holds those of the three that did not fit, in this order.
    for (uint64_t field = at + 46 + name_size, end = field + extra_size; field + 4 <= end && !bytes.bad;) {
      const auto id = bytes.At<uint16_t>(field), length = bytes.At<uint16_t>(field + 2);
      uint64_t from = field + 4;
      for (uint64_t* value : {&size, &packed, &local}) {
        if (id != 1 || *value != 0xFFFFFFFF || from + 8 > field + 4 + length) continue;
        *value = bytes.At<uint64_t>(from);
        from += 8;
      }
      field += 4 + uint64_t{length};
    }
    if (bytes.bad) return ValidationError("the zip archive is cut short", where);
    if (method != 0 || (flags & 1) != 0 || packed != size) {
      return ValidationError("entry '" + name.substr(0, 80) + "' is compressed or encrypted", where);
    }
    if (bytes.At<uint32_t>(local) != kLocal || bytes.bad) {
      return ValidationError("entry '" + name.substr(0, 80) + "' has no local header", where);
    }
    const uint64_t data = local + 30 + bytes.At<uint16_t>(local + 26) + bytes.At<uint16_t>(local + 28);
    const std::string_view content = bytes.Range(data, size);
    if (bytes.bad) return ValidationError("entry '" + name.substr(0, 80) + "' reaches beyond the archive", where);
    if (!entries.emplace(name, content).second) {
      return ValidationError("entry '" + name.substr(0, 80) + "' stands twice", where);
    }
    at += 46 + uint64_t{name_size} + extra_size + comment_size;
  }
  return entries;
}

}  // namespace pintle
