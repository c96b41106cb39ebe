// libFuzzer: grammars as text from requests. What is accepted must have a way on from every place.
#include <cstdint>
#include <memory>

#include "base/check.h"
#include "generate/constraint.h"
#include "generate/gbnf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const auto grammar = ParseGbnf({reinterpret_cast<const char*>(data), size});
  if (!grammar.ok()) return 0;
  Constraint constraint(*grammar, nullptr);
  for (size_t step = 0; step < 40 && !constraint.finished(); ++step) {
    bool moved = false;
    for (int i = 0; i < 256 && !moved; ++i) {
      const char byte = static_cast<char>((i + data[step % size]) & 255);
      moved = constraint.Take({&byte, 1});
    }
    PINTLE_CHECK(moved || constraint.complete(), "a text that cannot go on");
  }
  return 0;
}
