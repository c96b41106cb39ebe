// crates.io and its mirrors: the sparse index (one small file of JSON lines a crate) and its checksums.
// Source: the Cargo book, "Registry Index" (sparse protocol, index files, config.json "dl").
#pragma once

#include <string>

#include "corpus/fetch.h"

namespace pintle {

/// One release of a crate, with its checksum and address.
struct CrateRelease {
  std::string name, version, sha256, url;
};

/// `wanted` is "name@version", or "name" for the newest release that is not yanked (pre-releases only if there is
/// nothing else). `index` is the base address, for example "https://index.crates.io".
Result<CrateRelease> FindCrate(const std::string& index, const std::string& wanted, const FetchOptions& options);

/// The path of a crate's file in an index: "1/a", "2/ab", "3/a/abc", "ab/cd/abcd".
std::string CrateIndexPath(const std::string& name);

}  // namespace pintle
