// The child's half of the sandbox (sandbox.h): everything between fork and exec. Plain data only, made by the parent
// before the fork; the code here allocates nothing, takes no lock and calls only async-signal-safe functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pintle {

/// The step that failed in the child, written to the error pipe with its errno.
enum class ChildStep : int {
  kDescriptors,
  kNamespaces,
  kFolder,
  kLimits,
  kUser,
  kPrivileges,
  kLandlock,
  kSeccomp,
  kExec
};

/// Which step between fork and exec failed, and why.
struct ChildFailure {
  ChildStep step;
  int error;
};

/// All that the child needs; pointers belong to the parent's memory (copied by fork).
struct ChildPlan {
  char* const* argv;
  char* const* environment;
  const char* work_folder;
  int input, out, err, error_pipe;  // descriptors
  int rules;                        // Landlock rule set, -1 = none
  const char* filter;               // BPF, nullptr = none
  size_t filter_size;
  unsigned user;                // become this user and group when root
  bool drop_user, drop_rights;  // change the user; lose all of root's rights
  bool namespaces;
  int parent;  // process id
  uint64_t cpu_seconds, address_space, file_size, processes, open_files;
};

/// Never returns: executes the command, or reports to the error pipe and ends with status 127.
[[noreturn]] void RunSandboxChild(const ChildPlan& plan);

}  // namespace pintle
