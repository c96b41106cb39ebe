// Seccomp: which system calls a process may still make. One part of the sandbox (sandbox.h). The filter is compiled
// before the fork, because libseccomp allocates memory and a child between fork and exec must not. A denied call fails
// with EPERM (the program sees an error and goes on), except clone3, which fails with ENOSYS so that the C library
// falls back to clone, whose flags a filter can read.
#pragma once

#include <string>

#include "base/result.h"

namespace pintle {

/// What a command may do beyond plain computing.
enum class SeccompProfile {
  kProgram,   ///< threads, but no further process
  kCompiler,  ///< may start further processes (the linker)
};

/// The filter as BPF instructions for the running machine. Denied: sockets, ptrace and other reaching into processes,
/// mounts and namespaces, keys, bpf, perf, io_uring, kernel modules, leaving the session, and raising limits of others.
Result<std::string> CompileSeccompFilter(SeccompProfile profile);

/// Installs the instructions in the calling thread; async-signal-safe. no_new_privs must be set. 0 or an errno value.
int InstallSeccompFilter(const char* bytes, unsigned long size);

}  // namespace pintle
