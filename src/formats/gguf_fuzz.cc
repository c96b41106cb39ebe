// libFuzzer target: the header parser of GGUF files on any bytes, and the decoders on the tensors that it accepts.
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "formats/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pintle::GgufRead read = [&](void* out, size_t count, uint64_t offset) -> pintle::Status {
    PINTLE_CHECK(offset <= size && count <= size - offset, "the parser reads outside the file");
    std::memcpy(out, data + offset, count);
    return {};
  };
  const auto header = pintle::ParseGgufHeader(read, size, "fuzz");
  if (!header.ok()) return 0;
  for (const auto& tensor : header->tensors) {
    PINTLE_CHECK(tensor.offset <= size && tensor.size <= size - tensor.offset,
                 "an accepted tensor lies outside the file");
    const std::string_view bytes(reinterpret_cast<const char*>(data) + tensor.offset, tensor.size);
    const auto values = pintle::GgufDecode(tensor.type, bytes);
    PINTLE_CHECK(!values.ok() || static_cast<int64_t>(values->size()) == tensor.elements(),
                 "a tensor decodes to another number of values");
  }
  return 0;
}
