// The order of a crate's files for repository context: what a file uses comes before it, as far as cycles allow.
//
// Edges come from names alone (`mod x;`, `use crate::..`, `use super::..`, `use the_crate::..`), resolved against the
// files that are there; nothing is expanded or compiled. Deterministic: files are visited in byte order of their paths,
// and an edge that would close a cycle is ignored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pintle {

/// What the order needs to know of a file.
struct CrateFile {
  /// A module that the file declares.
  struct Module {
    std::string name;            ///< mod NAME;
    std::string path_attribute;  ///< #[path = "..."], or empty
  };
  std::string path;  ///< '/' between parts; distinct within the crate
  std::vector<Module> modules;
  std::vector<std::string> uses;  ///< full paths: "crate::a::B", "super::c::*", "std::fmt"
};

/// Indices into `files`, used files first. `crate` is the crate's name as in Cargo.toml. O(edges * log files).
std::vector<uint32_t> DependencyOrder(const std::vector<CrateFile>& files, const std::string& crate);

}  // namespace pintle
