// The log on disk, beside stderr. One JSON object a line, the same as stderr's JSON form:
//   {"ts":"2026-01-02T03:04:05Z","level":"debug|info|warning|error","module":"filter","msg":"..."}
//   an error that ends the program, besides: "module":"pintle","code":EXIT_STATUS,"where":"...","hint":"..."
// Not here: data (stdout), and what a training run did step by step (run.jsonl).
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace pintle {

/// From here on every line also goes to this file, appended; "" ends it. Before the file would pass `max_bytes` it
/// becomes PATH.1, an older one PATH.2, and what was PATH.2 goes. A file that can no longer be written is given up with
/// a warning: a full disk for the log stops nothing. Thread-safe.
Status SetLogFile(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{16} << 20);

}  // namespace pintle
