// Which instruction sets the Highway kernels are compiled for; included before any Highway header. Each one costs build
// time: AVX-512, AVX2 and the emulated baseline on x86, NEON on aarch64, 128-bit SIMD in WASM.
#pragma once

// Highway distrusts its four-lane emulation before g++ 12.3 because of one miscompiled integer product, which nothing
// here uses; with one lane as the baseline the sixteen lanes would not be a multiple of it.
#define HWY_BROKEN_EMU128 0

#include "hwy/detect_targets.h"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_WASM_EMU256)
