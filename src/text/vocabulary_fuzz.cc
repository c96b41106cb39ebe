// libFuzzer: vocabularies and chat formats of GGUF files from outside. What is accepted must encode any text into ids
// that exist, and none of them a control token.
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "text/chat_template.h"
#include "text/vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const GgufRead read = [&](void* out, size_t count, uint64_t offset) -> Status {
    PINTLE_CHECK(offset <= size && count <= size - offset, "the parser reads outside the file");
    std::memcpy(out, data + offset, count);
    return {};
  };
  const auto header = ParseGgufHeader(read, size, "fuzz");
  if (!header.ok()) return 0;
  const auto vocabulary = Vocabulary::FromGguf(*header, "fuzz");
  if (!vocabulary.ok()) return 0;
  std::vector<int32_t> ids;
  (*vocabulary)->Encode({reinterpret_cast<const char*>(data), size}, ids);
  for (const int32_t id : ids) {
    PINTLE_CHECK(id >= 0 && id < (*vocabulary)->size(), "an id outside the vocabulary");
    PINTLE_CHECK(!(*vocabulary)->Bytes(id).empty(), "text became a token without text");
  }
  static_cast<void>(DetectChatFormat(*header, **vocabulary, "fuzz"));
  return 0;
}
