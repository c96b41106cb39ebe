// libFuzzer target: the header parser of safetensors files on any bytes. The first byte scales the size of the file.
#include <cstdint>

#include "base/check.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const uint64_t file_size = 8 + text.size() + uint64_t{data[0]} * 4;
  const auto header = pintle::ParseSafetensorsHeader(text, file_size, "fuzz");
  if (!header.ok()) return 0;
  uint64_t bytes = 0;
  for (const auto& entry : header->tensors) {
    PINTLE_CHECK(entry.offset + entry.size <= file_size, "an accepted tensor lies outside the file");
    bytes += entry.size;
  }
  PINTLE_CHECK(bytes == uint64_t{data[0]} * 4, "accepted tensors do not cover the data");
  return 0;
}
