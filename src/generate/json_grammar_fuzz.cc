// libFuzzer: JSON schemas from requests. What is accepted must have a way on from every place, and a shortest way leads
// to JSON that parses.
#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "generate/constraint.h"
#include "generate/json_grammar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const auto grammar = JsonSchemaGrammar({reinterpret_cast<const char*>(data), size});
  if (!grammar.ok()) return 0;
  Constraint constraint(*grammar, nullptr);
  std::string text;
  // Bytes that end things come first.
  constexpr std::string_view kFirst = "\"}]0123456789,:{[";
  while (!constraint.complete() && text.size() < 2000) {
    bool moved = false;
    for (size_t i = 0; i < kFirst.size() && !moved; ++i) {
      moved = constraint.Take(kFirst.substr(i, 1));
      if (moved) text += kFirst[i];
    }
    for (int byte = 0; byte < 256 && !moved; ++byte) {
      const char c = static_cast<char>(byte);
      moved = constraint.Take({&c, 1});
      if (moved) text += c;
    }
    PINTLE_CHECK(moved, "a text that cannot go on");
  }
  if (constraint.complete()) PINTLE_CHECK(ParseJson(text, "answer").ok(), "an answer that is no JSON");
  return 0;
}
