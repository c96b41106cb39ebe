// Lines in a zstd stream (JSONL.zst): the document files between stages. Streaming both ways, constant memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// Writes lines; the same lines give the same bytes (one frame, one thread, fixed level, content checksum).
class JsonlZstWriter {
 public:
  static Result<JsonlZstWriter> Create(const std::filesystem::path& path, int level = 6);
  JsonlZstWriter(JsonlZstWriter&&) noexcept;
  JsonlZstWriter& operator=(JsonlZstWriter&&) noexcept;
  ~JsonlZstWriter();
  /// `line` without its newline.
  Status Write(std::string_view line);
  /// Ends the frame, syncs, closes. Without it the file is incomplete.
  Status Finish();

 private:
  JsonlZstWriter();
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads lines; a line longer than `max_line` bytes, a damaged or truncated stream is a validation error.
class JsonlZstReader {
 public:
  static Result<JsonlZstReader> Open(const std::filesystem::path& path, size_t max_line = size_t{64} << 20);
  JsonlZstReader(JsonlZstReader&&) noexcept;
  JsonlZstReader& operator=(JsonlZstReader&&) noexcept;
  ~JsonlZstReader();
  /// The next line without its newline into `line`; false at the end.
  Result<bool> Next(std::string& line);

 private:
  JsonlZstReader();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pintle
