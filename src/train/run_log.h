// run.jsonl: what a run did, one JSON object a line; terminal, plots and reports only read it. Lines by "type":
//   {"type":"start","step","preset","parameters","vocabulary","dtype","profile","optimizer","steps","tokens_per_step",
//    "threads","memory_bytes","time"}                                      one a start or resume
//   {"type":"step","step","loss","lr","grad_norm","tokens","tokens_per_s","mfu","rss_bytes","seconds"}
//   {"type":"validation","step","loss","bits_per_byte","targets","bytes"}
//   {"type":"sample","step","prompt","text","functions","parsed","compiled"}     compiled: only with a compiler
//   {"type":"checkpoint","step","path"}
//   {"type":"stop","step","reason"}                   finished, interrupted, limit, or a guard's words
// A start is followed by a validation and a sample of its step, unless they are switched off.
// step counts updates made: the first step's line has step 1. loss in nats a target, lr is AdamW's rate, tokens are
// those scored so far. Timings live here and nowhere else; nothing hashes this file.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>

#include "base/file.h"
#include "base/result.h"

namespace pintle {

/// Appends lines; each is written whole.
class RunLog {
 public:
  /// Opens or creates. Lines of steps after `last_step` (a killed run was ahead of its checkpoint), validation and
  /// sample of that step (they are made again) and an unfinished last line are dropped first.
  static Result<RunLog> Open(const std::filesystem::path& path, int64_t last_step);
  Status Write(const boost::json::object& line);

 private:
  explicit RunLog(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace pintle
