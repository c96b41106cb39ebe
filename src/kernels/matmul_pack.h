// Packing on scalars: the whole of it on machines without a vector version, the edges elsewhere. Layout:
// matmul_kernel.h. Internal linkage on purpose: this is included by files compiled for different instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/matmul_kernel.h"
#include "kernels/matmul_scalar.h"

namespace pintle::kernels {
namespace {

/// How elements become the words of a packed operand.
enum class Words {
  kF32,        ///< fp32, a step is one k
  kBF16Pairs,  ///< bf16 native, a step is two k
  kBF16Steps,  ///< bf16 emulated, k+1 then k as floats
};

template <Words kWords>
constexpr int kElementBytes = kWords == Words::kF32 ? 4 : 2;

template <int kWidth, Words kWords, bool kAlong>
[[maybe_unused]] void PackScalar(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to) {
  const auto at = [&](int64_t line, int64_t position) -> uint32_t {
    if (line >= lines || position >= k) return 0;
    const int64_t index = kAlong ? line * ld + position : position * ld + line;
    if constexpr (kWords == Words::kF32) {
      return BitsOf(static_cast<const float*>(from)[index]);
    } else {
      return static_cast<const bf16*>(from)[index];
    }
  };
  constexpr int kStride = kWords == Words::kF32 ? 1 : 2;
  for (int64_t position = 0; position < k; position += kStride) {
    for (int line = 0; line < kWidth; ++line) {
      const uint32_t first = at(line, position);
      if constexpr (kWords == Words::kF32) {
        to[line] = first;
      } else if constexpr (kWords == Words::kBF16Pairs) {
        to[line] = first | at(line, position + 1) << 16;
      } else {
        to[line] = BitsOf(FlushedFromBF16(static_cast<bf16>(at(line, position + 1))));
        to[kWidth + line] = BitsOf(FlushedFromBF16(static_cast<bf16>(first)));
      }
    }
    to += kWords == Words::kBF16Steps ? 2 * kWidth : kWidth;
  }
}

}  // namespace
}  // namespace pintle::kernels
