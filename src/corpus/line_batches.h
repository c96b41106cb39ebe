// A JSONL.zst file in batches of lines, for stages that work on documents in parallel and put results in order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/jsonl_zst.h"

namespace pintle {

/// About 16 MiB of lines at a time; constant memory. One thread calls Next; then any may read the lines.
class LineBatches {
 public:
  static Result<LineBatches> Open(const std::filesystem::path& path);
  /// The next batch; false when the file is over.
  Result<bool> Next();
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  /// 0-based number of line i of this batch in the file.
  [[nodiscard]] uint64_t LineNumber(size_t i) const { return first_ + i; }
  /// "FILE:LINE" (1-based), for errors.
  [[nodiscard]] std::string Where(size_t i) const;

 private:
  LineBatches(std::string path, JsonlZstReader reader) : path_(std::move(path)), reader_(std::move(reader)) {}
  std::string path_;
  JsonlZstReader reader_;
  std::vector<std::string> lines_;
  uint64_t first_ = 0;
};

}  // namespace pintle
