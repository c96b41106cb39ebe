// libFuzzer: token shards from outside. Hashes are set right first, so that the checks behind them are reached too.
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "formats/shard.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path =
      (std::filesystem::temp_directory_path() / ("shard_fuzz." + std::to_string(getpid()))).string();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= 256) {
    uint64_t index_offset = 0;
    std::memcpy(&index_offset, bytes.data() + 48, 8);
    if (index_offset <= size) {
      const auto index = pintle::Sha256Of(std::string_view(bytes).substr(index_offset));
      std::memcpy(bytes.data() + 152, index.data(), 32);
    }
    const auto header = pintle::Sha256Of(std::string_view(bytes).substr(0, 224));
    std::memcpy(bytes.data() + 224, header.data(), 32);
  }
  if (!pintle::WriteFileAtomic(path, bytes).ok()) return 0;
  if (const auto shard = pintle::ShardReader::Open(path); shard.ok()) {
    (void)shard->Verify();
    std::vector<int32_t> ids;
    for (const auto& document : shard->documents()) shard->Read(document.token_begin, document.token_count, ids);
    if (shard->tokens() > 0) (void)shard->DocumentOf(shard->tokens() - 1);
  }
  return 0;
}
