// The single steps of the matmul chains on scalars, exact on any machine without an FMA instruction: what the
// reference, the portable kernels and the rare corner cases of the vector kernels share.
#pragma once

#include <cstdint>

#include "kernels/matmul.h"

namespace pintle::kernels {

inline float FloatFromBits(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t BitsOf(float value) { return __builtin_bit_cast(uint32_t, value); }

/// fma(a, b, c) with one rounding, without an FMA instruction: the product is exact in double, the sum is rounded to
/// odd in double (two-sum gives the error), and the rounding to float is then the only one that counts. Source: Boldo
/// and Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd".
inline float FmaExact(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  double sum = product + addend;
  uint64_t bits = __builtin_bit_cast(uint64_t, sum);
  const bool finite = (bits & 0x7ff0000000000000u) != 0x7ff0000000000000u;
  if (finite && (bits & 1) == 0) {
    const double rest = sum - product;
    const double error = (product - (sum - rest)) + (addend - rest);
    if (error != 0.0) {
      bits += (error > 0.0) == (sum > 0.0) ? 1 : -1;
      sum = __builtin_bit_cast(double, bits);
    }
  }
  return static_cast<float>(sum);
}

/// A subnormal (or zero) becomes a zero of its sign.
inline float FlushSubnormal(float value) {
  const uint32_t bits = BitsOf(value);
  return (bits & 0x7f800000u) == 0 ? FloatFromBits(bits & 0x80000000u) : value;
}

/// One step of the bf16 chain: fma(a, b, sum) with subnormal inputs and results flushed, as vdpbf16ps does it. A result
/// is subnormal when it is below 2^-126 after rounding to 24 bits with an unbounded exponent, so values from 2^-126 -
/// 2^-151 on round up to the smallest normal number and stay. The sum of a bf16 product (16 bits) and a float in double
/// is exact, or so lopsided that its rounding to float is right.
inline float StepBF16(float a, float b, float sum) {
  const double exact = static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(FlushSubnormal(sum));
  const float rounded = static_cast<float>(exact);
  const bool tiny = exact < 0x1p-126 - 0x1p-151 && exact > -(0x1p-126 - 0x1p-151);
  return tiny ? FloatFromBits(BitsOf(rounded) & 0x80000000u) : rounded;
}

/// Nearest bf16, ties to even; a NaN keeps its upper bits and becomes quiet.
inline bf16 BF16FromFloat(float value) {
  const uint32_t bits = BitsOf(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<bf16>((bits >> 16) | 0x40u);
  return static_cast<bf16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// A bf16 as float, subnormals flushed.
inline float FlushedFromBF16(bf16 value) { return FlushSubnormal(FloatFromBits(static_cast<uint32_t>(value) << 16)); }

inline float StepBF16(bf16 a, bf16 b, float sum) { return StepBF16(FlushedFromBF16(a), FlushedFromBF16(b), sum); }

}  // namespace pintle::kernels
