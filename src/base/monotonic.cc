// The clock of time.h, apart from the rest of it because builds of the engine alone have no formatting library.
#include <chrono>

#include "base/time.h"

namespace pintle {

double MonotonicSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace pintle
