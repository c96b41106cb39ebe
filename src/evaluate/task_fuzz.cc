// Any bytes as a line of a task file: a task or an error, nothing else.
#include <cstddef>
#include <cstdint>

#include "evaluate/harness.h"
#include "evaluate/task.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bool use = true;
  static_cast<void>(pintle::ParseTask(text, "fuzz", use));
  pintle::Verdict verdict;
  pintle::ReadDiagnostics(text, verdict);
  return 0;
}
