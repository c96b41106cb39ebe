// libFuzzer: bodies for /v1/trm/solve. Whatever they are, they become a request within its limits or an error of the
// 400s that names itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "serve/puzzle/puzzle_node.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pintle::PuzzleRequest request;
  if (const auto error = pintle::ParsePuzzle({reinterpret_cast<const char*>(data), size}, request)) {
    PINTLE_CHECK(error->status == 400 && !error->message.empty() && !error->code.empty(), "an error without a name");
    return 0;
  }
  PINTLE_CHECK(request.depth >= 1 && request.depth <= 64 && request.puzzle.size() <= 8192, "out of range");
  return 0;
}
