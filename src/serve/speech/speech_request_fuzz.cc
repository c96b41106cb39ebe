// libFuzzer: bodies from outside. The answer is a request within its limits or an error of the 400s that names itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "serve/speech/speech_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pintle::SpeechRequest request;
  if (const auto error = pintle::ParseSpeech({reinterpret_cast<const char*>(data), size}, request)) {
    PINTLE_CHECK(error->status == 400 || error->status == 404, "not the client's fault");
    PINTLE_CHECK(!error->message.empty() && !error->code.empty(), "an error without a name");
    return 0;
  }
  const pintle::SpeechOptions& options = request.options;
  PINTLE_CHECK(!options.text.empty() && options.text.size() <= 4 * pintle::kInputLimit, "a text out of range");
  PINTLE_CHECK(options.speed >= pintle::kSlowestSpeech && options.speed <= pintle::kFastestSpeech,
               "a speed out of range");
  PINTLE_CHECK(pintle::FindVoiceName(options.voice) != nullptr, "a voice that is not there");
  return 0;
}
