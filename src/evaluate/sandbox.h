// The sandbox: runs the compiler and the programs it made from generated source, which nobody has read. Lowest part of
// the evaluation. It works without privileges, inside a chroot and where user namespaces are forbidden; it is not a
// virtual machine: the kernel's own interface stays reachable but for what the filter takes away.
//
// Between fork and exec, in this order: own session, death with the parent, limits, own network and IPC namespaces
// (where the kernel lets us), another user (when root), no_new_privs, Landlock (landlock.h), seccomp
// (seccomp_filter.h). Only async-signal-safe calls happen there; whatever allocates is prepared before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/seccomp_filter.h"

namespace pintle {

/// Limits of one command; all of them hold for each process of it, wall time and output for all together.
struct SandboxLimits {
  int cpu_seconds = 10;                        ///< then SIGXCPU
  int wall_seconds = 30;                       ///< then the process group is killed
  uint64_t address_space = uint64_t{2} << 30;  ///< bytes
  uint64_t file_size = uint64_t{16} << 20;     ///< bytes of any file written
  int processes = 64;                          ///< processes and threads, beyond those the user has already
  int open_files = 64;
  uint64_t output_bytes = 64 << 10;  ///< kept of stdout and of stderr; a command that writes 64 times that is killed
};

/// One command. Nothing is inherited from the caller: environment, descriptors and signals start clean.
struct SandboxCommand {
  std::vector<std::string> argv;                  ///< argv[0] is an absolute path
  std::vector<std::string> environment;           ///< "NAME=value"
  std::filesystem::path work_folder;              ///< current folder, the only writable one; must exist
  std::vector<std::filesystem::path> read_paths;  ///< may be read and executed
  SeccompProfile profile = SeccompProfile::kProgram;
  SandboxLimits limits;
  /// Stay the caller's user (without any of root's rights): for a compiler that only this user can read.
  bool keep_user = false;
};

/// How a command ended.
struct SandboxResult {
  int exit_code = -1;            ///< -1 if a signal ended it
  int signal = 0;                ///< 0 if it exited
  bool timed_out = false;        ///< CPU or wall time
  bool output_exceeded = false;  ///< killed for writing too much
  std::string out, err;          ///< the first limits.output_bytes of each
  [[nodiscard]] bool Succeeded() const { return exit_code == 0 && !timed_out && !output_exceeded; }
};

/// Runs programs that nobody trusts.
class Sandbox {
 public:
  /// Finds out what this machine offers by running /bin/true under each layer. Without seccomp or without Landlock this
  /// is an error, unless `unsafe` is set: then what there is gets used, and level() says so.
  static Result<Sandbox> Detect(bool unsafe);

  /// The layers in force, as "seccomp+landlock7+rlimits+uid65534+netns"; "none" never happens, limits always hold.
  [[nodiscard]] const std::string& level() const { return level_; }

  /// The user a command runs as (keep_user not set): 65534 for root, else the caller.
  [[nodiscard]] unsigned user() const { return user_; }

  /// Runs a command to its end. An error means that it could not be started; how it ended stands in the result.
  /// Thread-safe: each call is one process group, gone when the call returns.
  [[nodiscard]] Result<SandboxResult> Run(const SandboxCommand& command) const;

 private:
  Sandbox() = default;
  std::string level_;
  bool seccomp_ = false, landlock_ = false, namespaces_ = false;
  unsigned user_ = 0;
  std::string program_filter_, compiler_filter_;
};

}  // namespace pintle
