// Landlock: which files a process may still open after it has locked itself. One part of the sandbox (sandbox.h); it
// knows paths and nothing else. Not a file permission check: it only takes away what the user could do anyway. Source:
// Linux Documentation/userspace-api/landlock.rst; the system calls have no wrapper in Debian 12's C library.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace pintle {

/// The Landlock version of the running kernel: 0 = none or switched off.
int LandlockVersion();

/// A rule set as an open descriptor, ready for LandlockRestrictSelf in a child. Closes on destruction.
class LandlockRules {
 public:
  /// Nothing may be opened, linked, renamed or made outside the allowed paths; no TCP (version >= 4); no signal and no
  /// abstract socket to the outside (version >= 6).
  static Result<LandlockRules> Create();
  LandlockRules(LandlockRules&& other) noexcept;
  LandlockRules& operator=(LandlockRules&& other) noexcept;
  ~LandlockRules();

  /// Reading and executing below `path`. A path that does not exist is passed over.
  Status AllowRead(const std::filesystem::path& path);
  /// Reading, writing, making and removing files below `path`, never executing them.
  Status AllowWrite(const std::filesystem::path& path);
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  explicit LandlockRules(int descriptor) : descriptor_(descriptor) {}
  Status Allow(const std::filesystem::path& path, unsigned long long rights);
  int descriptor_ = -1;
};

/// Locks the calling thread; async-signal-safe. no_new_privs must be set. 0 or an errno value.
int LandlockRestrictSelf(int rules_descriptor);

}  // namespace pintle
