#include "evaluate/rustc.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "base/process.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> Candidates() {
  std::vector<fs::path> found;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && folder.front() == '/') found.push_back(fs::path(folder) / "rustc");
  }
  found.emplace_back("/usr/bin/rustc");
  return found;
}

// One line of output of a compiler that was asked something harmless, without a trailing newline; empty on any failure.
std::string Ask(const std::vector<std::string>& arguments) {
  ProcessOptions options;
  options.folder = "/";  // a toolchain file in the user's current folder must not choose the compiler
  options.timeout_seconds = 30;
  options.output_limit = 4096;
  const Result<ProcessResult> result = RunProcess(arguments, options);
  if (!result.ok() || result->exit_status != 0) return {};
  return result->out.substr(0, result->out.find('\n'));
}

}  // namespace

std::vector<fs::path> Rustc::ReadPaths() const {
  return {"/usr", "/bin", "/lib", "/lib64", "/etc/alternatives", sysroot, binary};
}

bool ReadableByAll(const fs::path& path) {
  fs::path prefix;
  for (const fs::path& part : path) {
    prefix /= part;
    struct stat info{};
    if (::stat(prefix.c_str(), &info) != 0) return false;
    if ((info.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

Result<Rustc> FindRustc() {
  for (const fs::path& candidate : Candidates()) {
    if (::access(candidate.c_str(), X_OK) != 0) continue;
    Rustc rustc;
    rustc.sysroot = Ask({candidate.string(), "--print", "sysroot"});
    if (rustc.sysroot.empty()) continue;
    std::error_code missing;
    const fs::path real = rustc.sysroot / "bin" / "rustc";
    rustc.binary = fs::exists(real, missing) ? real : fs::canonical(candidate, missing);
    rustc.version = Ask({rustc.binary.string(), "--version"});
    if (rustc.version.empty()) continue;
    rustc.readable_by_all = ReadableByAll(rustc.binary) && ReadableByAll(rustc.sysroot / "lib");
    return rustc;
  }
  return RuntimeError("no Rust compiler found", "PATH",
                      "install one (Debian: apt-get install --no-remove rustc-web gcc) and run the same command again");
}

}  // namespace pintle
