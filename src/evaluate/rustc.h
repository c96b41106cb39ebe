// Finding the Rust compiler, which scores generated code. It is spawned, never linked. A rustup shim needs a home
// folder and may start downloads, so the real compiler of its toolchain is looked up here, outside the sandbox, and
// only that is run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// A compiler that was found.
struct Rustc {
  std::filesystem::path binary;   ///< the compiler itself, not a shim
  std::filesystem::path sysroot;  ///< its toolchain
  std::string version;            ///< "rustc 1.85.0 (4d91de4e4 2025-02-17)": stands in every score
  bool readable_by_all = true;    ///< false: in a home folder that only its owner may enter

  /// What the compiler and its linker may read and execute.
  [[nodiscard]] std::vector<std::filesystem::path> ReadPaths() const;
};

/// The first rustc of the PATH that answers, else /usr/bin/rustc. An error with the installation hint if there is none.
Result<Rustc> FindRustc();

/// True if users other than the owner can reach and read the folder.
bool ReadableByAll(const std::filesystem::path& path);

}  // namespace pintle
