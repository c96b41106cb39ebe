// libFuzzer: tokenizer.json from outside. What is accepted must write itself back and round-trip its own source text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = pintle::Tokenizer::FromJson(text, "fuzz");
  if (!tokenizer.ok()) return 0;
  PINTLE_CHECK(tokenizer->Decode(tokenizer->Encode(text)) == text, "round trip");
  const auto again = pintle::Tokenizer::FromJson(tokenizer->ToJson(), "again");
  PINTLE_CHECK(again.ok() && again->hash() == tokenizer->hash(), "tokenizer.json does not come back");
  return 0;
}
