#include "corpus/line_batches.h"

namespace pintle {

Result<LineBatches> LineBatches::Open(const std::filesystem::path& path) {
  PINTLE_ASSIGN(JsonlZstReader reader, JsonlZstReader::Open(path));
  return LineBatches(path.string(), std::move(reader));
}

Result<bool> LineBatches::Next() {
  constexpr size_t kBatchBytes = size_t{16} << 20;
  first_ += lines_.size();
  lines_.clear();
  std::string line;
  for (size_t bytes = 0; bytes < kBatchBytes;) {
    PINTLE_ASSIGN(const bool more, reader_.Next(line));
    if (!more) break;
    bytes += line.size();
    lines_.push_back(std::move(line));
  }
  return !lines_.empty();
}

std::string LineBatches::Where(size_t i) const { return path_ + ":" + std::to_string(LineNumber(i) + 1); }

}  // namespace pintle
