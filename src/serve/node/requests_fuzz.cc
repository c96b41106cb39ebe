// libFuzzer: bodies from outside. The first byte chooses the route; whatever the rest is, the answer is a request
// within its limits or an error of the 400s that names itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "generate/sampler.h"
#include "serve/node/requests.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  using Parse = pintle::MaybeApiError (*)(std::string_view, pintle::GenerationRequest&);
  constexpr Parse kParse[] = {pintle::ParseChat, pintle::ParseCompletion, pintle::ParseInfill, pintle::ParseNative};
  pintle::GenerationRequest request;
  if (const auto error = kParse[data[0] % 4](body, request)) {
    PINTLE_CHECK(error->status == 400 && !error->message.empty() && !error->code.empty(), "an error without a name");
    return 0;
  }
  request.sample.logit_bias.clear();  // the model knows its ids
  PINTLE_CHECK(pintle::ValidateSampleOptions(request.sample).ok(), "an option out of range was let in");
  PINTLE_CHECK(request.choices >= 1 && request.choices <= 16, "choices out of range");
  return 0;
}
