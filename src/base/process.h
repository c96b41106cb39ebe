// Runs another program (git, apt-get) without a shell, with its output captured and a time limit. Not a sandbox: that
// is evaluate/sandbox.h.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// How a program is run.
struct ProcessOptions {
  std::filesystem::path folder;          ///< working folder; empty = ours
  std::vector<std::string> environment;  ///< "NAME=value", on top of ours
  std::filesystem::path stdout_file;     ///< where stdout goes; empty = captured in Process::out
  double timeout_seconds = 600;
  size_t output_limit = 8 << 20;  ///< bytes captured of each stream; the rest is dropped
};

/// What a finished program left.
struct ProcessResult {
  int exit_status = 0;  ///< 128 + signal if it was killed
  std::string out, err;
};

/// `arguments[0]` is looked up on the PATH. An error if it cannot be started or runs too long (then it is killed with
/// its group); a non-zero exit status is a value, not an error. An interrupt (Ctrl-C) ends it.
Result<ProcessResult> RunProcess(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// True if `name` is an executable on the PATH.
bool ProgramExists(const std::string& name);

}  // namespace pintle
