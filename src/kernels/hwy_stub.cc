// The few functions of Highway's library that its headers call, for builds with one target only (aarch64, WASM), where
// the host's library cannot be linked and there is nothing to choose.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "hwy/highway.h"

namespace hwy {

void Abort(const char* file, int line, const char* format, ...) {
  std::fprintf(stderr, "%s:%d: ", file, line);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  std::abort();
}

int64_t SupportedTargets() { return HWY_TARGETS; }

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
