// The files that come with the program: configs/, models/, benchmarks/.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pintle {

/// Finds "configs/m31r/presets/demo.toml" or the like: below $PINTLE_DATA, then below the program's folder and the
/// three above it, each with its share/pintle. A runtime error if it is nowhere.
Result<std::filesystem::path> FindDataFile(const std::string& relative);

/// The folder of task files that a corpus must not contain: `option` if it is given, else the tasks that `eval` scores
/// with.
Result<std::filesystem::path> FindBenchmarks(const std::string& option);

}  // namespace pintle
