#include "evaluate/baselines.h"

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "evaluate/estimator.h"

namespace pintle {
namespace {

double BitsPerByte(size_t compressed, size_t size) {
  return size == 0 ? 0 : 8 * static_cast<double>(compressed) / static_cast<double>(size);
}

// The followers of one context: few, so a list.
struct Followers {
  struct Count {
    uint8_t byte;
    uint32_t count;
  };
  std::vector<Count> counts;
  uint64_t total = 0;
};

}  // namespace

Result<double> ZstdBitsPerByte(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  constexpr int kLevel = 19;
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size) != 0) return RuntimeError(std::string("zstd: ") + ZSTD_getErrorName(size));
  return BitsPerByte(size, bytes.size());
}

Result<double> XzBitsPerByte(std::string_view bytes) {
  const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  std::string out(bytes.size() + bytes.size() / 8 + 65536, '\0');
  size_t used = 0;
  archive* const xz = writer.get();
  const bool written = archive_write_add_filter_xz(xz) == ARCHIVE_OK &&
                       archive_write_set_format_raw(xz) == ARCHIVE_OK &&
                       archive_write_set_options(xz, "xz:compression-level=9,xz:threads=1") == ARCHIVE_OK &&
                       archive_write_set_bytes_in_last_block(xz, 1) == ARCHIVE_OK &&
                       archive_write_open_memory(xz, out.data(), out.size(), &used) == ARCHIVE_OK &&
                       archive_write_header(xz, entry.get()) == ARCHIVE_OK &&
                       archive_write_data(xz, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()) &&
                       archive_write_close(xz) == ARCHIVE_OK;
  if (!written) {
    const char* reason = archive_error_string(xz);
    return RuntimeError(std::string("xz: ") + (reason != nullptr ? reason : "failed"));
  }
  return BitsPerByte(used, bytes.size());
}

double FiveGramBitsPerByte(std::string_view bytes) {
  constexpr int kLongest = 4;
  // One table an order; the key is the context's bytes as a number.
  std::array<std::unordered_map<uint32_t, Followers>, kLongest + 1> tables;
  uint32_t context = 0;
  double bits = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    double probability = 1.0 / 256;
    for (int order = 0; order <= kLongest && static_cast<size_t>(order) <= i; ++order) {
      const uint32_t key = order == kLongest ? context : context & ((1u << (8 * order)) - 1);
      Followers& followers = tables[static_cast<size_t>(order)][key];
      Followers::Count* found = nullptr;
      for (Followers::Count& one : followers.counts) {
        if (one.byte == byte) found = &one;
      }
      if (followers.total > 0) {
        const auto distinct = static_cast<double>(followers.counts.size());
        const double count = found != nullptr ? found->count : 0;
        probability = (count + distinct * probability) / (static_cast<double>(followers.total) + distinct);
      }
      if (found != nullptr) {
        ++found->count;
      } else {
        followers.counts.push_back({byte, 1});
      }
      ++followers.total;
    }
    bits -= Log2(probability);
    context = context << 8 | byte;
  }
  return bytes.empty() ? 0 : bits / static_cast<double>(bytes.size());
}

}  // namespace pintle
