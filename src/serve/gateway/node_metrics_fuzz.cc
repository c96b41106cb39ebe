// What nodes call their metrics: any bytes. Every line of the joined text is a comment or a sample with its node, and
// joining it again keeps every line.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "serve/gateway/node_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t half = size / 2;
  const std::string joined = pintle::JoinMetrics({{"a\"\n", text.substr(0, half)}, {"b", text.substr(half)}});
  std::string_view rest = joined;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    PINTLE_CHECK(end != std::string_view::npos, "a line has no end");
    const std::string_view line = rest.substr(0, end);
    const bool comment = line.starts_with("# HELP ") || line.starts_with("# TYPE ");
    PINTLE_CHECK(comment || line.find("{node=\"") != std::string_view::npos, "a sample has no node");
    rest.remove_prefix(end + 1);
  }
  const std::string again = pintle::JoinMetrics({{"c", joined}});
  PINTLE_CHECK(std::count(again.begin(), again.end(), '\n') == std::count(joined.begin(), joined.end(), '\n'),
               "joining again changes what there is");
  return 0;
}
