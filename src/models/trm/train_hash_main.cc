// Prints "name hash" for each case of train_hash.h: CI compares the lines between compilers, instruction sets and
// machines.
#include <cstdio>

#include "models/trm/train_hash.h"

int main() {
  pintle::ThreadPool pool;
  for (const pintle::TrmHashCase& which : pintle::TrmHashCases()) {
    const auto result = pintle::RunTrmHash(which, false, pool);
    if (!result.ok()) {
      std::fprintf(stderr, "%s\n", result.error().Message().c_str());
      return static_cast<int>(result.error().code);
    }
    std::printf("%s %s\n", which.name, result->hash.c_str());
  }
  return 0;
}
