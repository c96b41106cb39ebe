// Which instruction set the kernels use at run time. One switch for all of them: detected once, lowered by the
// environment variable PINTLE_TARGET=avx512|avx2|portable (so that hash tests compare instruction sets on one machine),
// and told to Highway's dispatch as well. It never shows in the numbers; only in the time.
#pragma once

#include <cstdint>

namespace pintle::kernels {

/// In rising order of speed on x86; kNeon stands alone on aarch64.
enum class Target : uint8_t {
  kPortable = 0,    ///< no vector unit assumed beyond the compiler's baseline; the fma profile is emulated, slowly
  kNeon = 1,        ///< aarch64
  kAvx2 = 2,        ///< x86-64-v3: AVX2, FMA
  kAvx512 = 3,      ///< x86-64-v4: AVX-512 F, BW, CD, DQ, VL
  kAvx512Bf16 = 4,  ///< the same with AVX512_BF16
};

/// The best target of this machine.
Target DetectedTarget();

/// The target in use: DetectedTarget(), lowered by PINTLE_TARGET, replaced by SetTarget. A value of PINTLE_TARGET that
/// the machine does not have, or that is no target, is reported once on stderr and ignored. Every dispatcher calls this
/// first (Highway's included: the first call tells it too). Thread-safe.
Target ActiveTarget();

/// For tests: use `target` from now on; false (and nothing changes) when this machine lacks it. Not while kernels run.
bool SetTarget(Target target);

/// "avx512-bf16", "avx512", "avx2", "neon", "portable".
const char* TargetName(Target target);

}  // namespace pintle::kernels
