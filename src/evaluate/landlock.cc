#include "evaluate/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace pintle {
namespace {

constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;

// The kernel's structures of version 6; an older kernel takes the prefix it knows.
struct RulesetAttributes {
  uint64_t handled_access_fs, handled_access_net, scoped;
};
struct __attribute__((packed)) PathBeneath {
  uint64_t allowed_access;
  int32_t parent_fd;
};

// Access rights in the order of their bits.
constexpr uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadDir = 8;
constexpr uint64_t kAllOfVersion1 = (1u << 13) - 1;
constexpr uint64_t kRefer = 1u << 13, kTruncate = 1u << 14, kIoctlDevice = 1u << 15;
constexpr uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;

uint64_t HandledRights(int version) {
  uint64_t rights = kAllOfVersion1;
  if (version >= 2) rights |= kRefer;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kIoctlDevice;
  return rights;
}

size_t AttributeSize(int version) { return version >= 6 ? 24 : version >= 4 ? 16 : 8; }

}  // namespace

int LandlockVersion() {
  constexpr unsigned kVersionFlag = 1;
  const long version = ::syscall(kCreateRuleset, nullptr, size_t{0}, kVersionFlag);
  return version < 0 ? 0 : static_cast<int>(version);
}

Result<LandlockRules> LandlockRules::Create() {
  const int version = LandlockVersion();
  if (version == 0) return RuntimeError("this kernel has no Landlock");
  // Net: bind and connect over TCP. Scopes: abstract unix sockets and signals.
  const RulesetAttributes attributes{HandledRights(version), version >= 4 ? 3u : 0u, version >= 6 ? 3u : 0u};
  const long descriptor = ::syscall(kCreateRuleset, &attributes, AttributeSize(version), 0u);
  if (descriptor < 0) return RuntimeError(std::string("cannot make a Landlock rule set: ") + std::strerror(errno));
  return LandlockRules(static_cast<int>(descriptor));
}

LandlockRules::LandlockRules(LandlockRules&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
LandlockRules& LandlockRules::operator=(LandlockRules&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
LandlockRules::~LandlockRules() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status LandlockRules::AllowRead(const std::filesystem::path& path) {
  return Allow(path, kReadFile | kReadDir | kExecute);
}

Status LandlockRules::AllowWrite(const std::filesystem::path& path) {
  constexpr uint64_t kDevicesAndSockets = (1u << 6) | (1u << 11) | (1u << 9);
  return Allow(path, HandledRights(LandlockVersion()) & ~kDevicesAndSockets & ~kIoctlDevice & ~kExecute);
}

Status LandlockRules::Allow(const std::filesystem::path& path, unsigned long long rights) {
  const int target = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (target < 0) return {};
  struct stat info{};
  if (::fstat(target, &info) == 0 && !S_ISDIR(info.st_mode)) rights &= kFileRights;
  const PathBeneath rule{rights & HandledRights(LandlockVersion()), target};
  constexpr int kPathBeneathRule = 1;
  const long result = ::syscall(kAddRule, descriptor_, kPathBeneathRule, &rule, 0u);
  const int code = errno;
  ::close(target);
  if (result != 0)
    return RuntimeError(std::string("cannot add a Landlock rule: ") + std::strerror(code), path.string());
  return {};
}

int LandlockRestrictSelf(int rules_descriptor) {
  return ::syscall(kRestrictSelf, rules_descriptor, 0u) == 0 ? 0 : errno;
}

}  // namespace pintle
