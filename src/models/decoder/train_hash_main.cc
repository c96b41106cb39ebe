// Prints "name hash" for each case of train_hash.h: CI compares the lines between compilers and instruction sets.
#include <cstdio>

#include "base/log.h"
#include "models/decoder/train_hash.h"

int main() {
  pintle::ThreadPool pool;
  for (const pintle::TrainHashCase& which : pintle::TrainHashCases()) {
    const auto result = pintle::RunTrainHash(which, 1, false, pool);
    if (!result.ok()) {
      pintle::PrintError(result.error());
      return static_cast<int>(result.error().code);
    }
    std::printf("%s %s\n", which.name, result->hash.c_str());
  }
  return 0;
}
