// Helpers of the kernel tests: reproducible inputs, and a walk over the instruction sets of this machine.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/target.h"

namespace pintle::kernels {

/// `count` floats in [-scale, scale), a function of the seed alone.
inline std::vector<float> RandomFloats(int64_t count, uint64_t seed, float scale = 1.0f) {
  std::vector<float> values(static_cast<size_t>(count));
  RandomStream stream(seed, Purpose::kTest, 0);
  for (float& value : values) value = (stream.NextFloat() * 2.0f - 1.0f) * scale;
  return values;
}

/// check(target) with each instruction set that this machine has; the one that was active comes back afterwards.
template <typename Check>
void ForEachTarget(const Check& check) {
  const Target before = ActiveTarget();
  for (const Target target : {Target::kPortable, Target::kNeon, Target::kAvx2, Target::kAvx512, Target::kAvx512Bf16}) {
    if (SetTarget(target)) check(target);
  }
  SetTarget(before);
}

/// Equal bytes: tells -0 from +0 and compares NaN payloads.
template <typename T>
bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace pintle::kernels
