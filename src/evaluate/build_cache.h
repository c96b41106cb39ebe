// Verdicts of earlier builds, by the hash of everything they depend on. One file, read whole, written whole and sorted.
// A damaged line costs its verdict, not the run.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "evaluate/harness.h"

namespace pintle {

/// Key (SHA-256 in hexadecimal) -> verdict.
using BuildCache = std::map<std::string, Verdict>;

/// Empty if there is no such file.
BuildCache LoadBuildCache(const std::filesystem::path& file);
Status SaveBuildCache(const std::filesystem::path& file, const BuildCache& cache);

}  // namespace pintle
