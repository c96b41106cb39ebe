// libFuzzer: chat templates of files from outside. Any text must end soon, with a prompt or an error, and what the user
// said must never be a control token.
#include <cstdint>

#include "base/check.h"
#include "text/jinja/interpreter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle::jinja;
  const auto tree = Parse({reinterpret_cast<const char*>(data), size});
  if (!tree.ok()) return 0;
  const Value said = Value::Of(Text("\x01\x01", false));
  const Value message = Value::Of(Members{{"role", Value::Of(Text("user", false))}, {"content", said}});
  const auto out =
      Render(*tree, {{"messages", Value::Of(List{message, message})}, {"bos_token", Value::Of(Text("<s>", true))}});
  if (!out.ok()) return 0;
  PINTLE_CHECK(out->bytes.size() == out->trust.size(), "a text without its trust");
  if (std::string_view(reinterpret_cast<const char*>(data), size).find('\x01') != std::string_view::npos) return 0;
  for (size_t i = 0; i < out->bytes.size(); ++i) {
    PINTLE_CHECK(out->bytes[i] != '\x01' || out->trust[i] == 0, "a user's text that is trusted");
  }
  return 0;
}
