// libFuzzer: any bytes as what a node answers. Read at once and byte by byte they give the same answer, if both give
// one: Beast refuses a trailer that is none only where all of it came at once.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "serve/gateway/response_reader.h"

namespace {

// What a gateway would pass on; "" for what is no whole answer.
std::string ReadAll(std::string_view bytes, size_t step) {
  pintle::ResponseReader reader;
  pintle::ResponseHead head;
  std::string inbox, body;
  bool has_head = false;
  while (true) {
    if (!has_head) has_head = reader.TakeHead(inbox, head);
    if (reader.invalid() || (has_head && !reader.TakeBody(inbox, body))) return {};
    if (has_head && reader.done()) break;
    if (bytes.empty()) {
      if (!has_head || !reader.TakeEnd()) return {};
      break;
    }
    inbox.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  PINTLE_CHECK(head.status >= 200 && head.status <= 999, "a status that is none");
  PINTLE_CHECK(head.content_length < 0 || head.content_length == static_cast<int64_t>(body.size()), "a wrong length");
  std::string seen = std::to_string(head.status) + (reader.keep_alive() ? " kept " : " closed ");
  for (const auto& [name, value] : head.headers) seen.append(name).append(":").append(value).append("\n");
  return seen + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string at_once = ReadAll(bytes, size + 1), in_pieces = ReadAll(bytes, 1);
  const bool both = !at_once.empty() && !in_pieces.empty();
  PINTLE_CHECK(!both || at_once == in_pieces, "pieces change the answer");
  return 0;
}
