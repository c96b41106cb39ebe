#include "kernels/target.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "hwy/highway.h"

namespace pintle::kernels {
namespace {

// Below every target stands what the compiler's baseline has (SSSE3 on x86), so that Highway always finds one.
void TellHighway(Target target) {
#if defined(__x86_64__)
  int64_t disabled = 0;
  if (target < Target::kAvx512) disabled |= HWY_AVX3 | HWY_AVX3_DL;
  if (target < Target::kAvx2) disabled |= HWY_AVX2;
  hwy::DisableTargets(disabled);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
#else
  static_cast<void>(target);
#endif
}

bool Has(Target target) {
  const Target detected = DetectedTarget();
  if (target == Target::kPortable || target == detected) return true;
  return detected != Target::kNeon && target != Target::kNeon && target < detected;
}

Target FromEnvironment() {
  const Target detected = DetectedTarget();
  const char* wish = std::getenv("PINTLE_TARGET");
  if (wish == nullptr || *wish == '\0') return detected;
  for (const Target target : {Target::kPortable, Target::kNeon, Target::kAvx2, Target::kAvx512, Target::kAvx512Bf16}) {
    if (std::strcmp(wish, TargetName(target)) != 0) continue;
    if (Has(target)) return target;
    std::fprintf(stderr, "pintle: PINTLE_TARGET=%s is not on this machine; using %s\n", wish, TargetName(detected));
    return detected;
  }
  std::fprintf(stderr,
               "pintle: PINTLE_TARGET=%s is no target; using %s (targets: avx512-bf16, avx512, avx2, neon, portable)\n",
               wish, TargetName(detected));
  return detected;
}

std::atomic<Target>& Active() {
  static std::atomic<Target> active = [] {
    const Target target = FromEnvironment();
    TellHighway(target);
#if defined(__x86_64__)
    if (target == Target::kPortable && DetectedTarget() == Target::kPortable) {
      std::fprintf(stderr,
                   "pintle: this processor has no AVX2 and FMA (x86-64-v3); fp32 matrix products of the fma profile "
                   "are emulated and slow\n");
    }
#endif
    return target;
  }();
  return active;
}

}  // namespace

Target DetectedTarget() {
#if defined(__x86_64__)
  // These also ask whether the operating system saves the wide registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Target::kPortable;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return Target::kAvx2;
  }
  return __builtin_cpu_supports("avx512bf16") ? Target::kAvx512Bf16 : Target::kAvx512;
#elif defined(__aarch64__)
  return Target::kNeon;
#else
  return Target::kPortable;
#endif
}

Target ActiveTarget() { return Active().load(std::memory_order_relaxed); }

bool SetTarget(Target target) {
  if (!Has(target)) return false;
  Active().store(target, std::memory_order_relaxed);
  TellHighway(target);
  return true;
}

const char* TargetName(Target target) {
  switch (target) {
    case Target::kPortable:
      return "portable";
    case Target::kNeon:
      return "neon";
    case Target::kAvx2:
      return "avx2";
    case Target::kAvx512:
      return "avx512";
    case Target::kAvx512Bf16:
      return "avx512-bf16";
  }
  return "unknown";
}

}  // namespace pintle::kernels
