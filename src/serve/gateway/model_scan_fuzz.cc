// Any bytes as a request's body: refused, or accepted only if the JSON parser of the nodes accepts them too and finds
// the same name (it also checks UTF-8 and may refuse more).
#include <boost/json.hpp>
#include <cstdlib>

#include "base/json.h"
#include "serve/gateway/model_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto scanned = ScanRequest(body);
  const auto parsed = ParseJson(body, "body");
  if (scanned.ok() == parsed.ok()) {
    if (!scanned.ok()) return 0;
    const auto* object = parsed->if_object();
    if (object == nullptr) std::abort();
    const auto* model = object->if_contains("model");
    const std::string name = model == nullptr ? "" : std::string(model->as_string());
    if (name != scanned->model) std::abort();
  }
  return 0;
}
