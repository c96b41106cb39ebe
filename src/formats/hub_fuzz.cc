// libFuzzer target: any bytes as config.json, tokenizer.json and tokenizer_config.json, parted by zero bytes.
#include <cstdint>
#include <string>

#include "formats/hub_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string all(reinterpret_cast<const char*>(data), size);
  const size_t first = all.find('\0'), second = first == all.npos ? all.npos : all.find('\0', first + 1);
  pintle::HubTexts texts;
  texts.config = all.substr(0, first);
  if (first != all.npos) texts.tokenizer = all.substr(first + 1, second == all.npos ? second : second - first - 1);
  if (second != all.npos) texts.tokenizer_config = all.substr(second + 1);
  const auto metadata = pintle::HubMetadata(texts, "fuzz");
  return metadata.ok() && metadata->empty() ? 1 : 0;
}
