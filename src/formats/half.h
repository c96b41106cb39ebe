// f16 and bf16 as bits, to and from float: scalar, exact, round to nearest even. For files; the engine's own
// conversions are kernels. Plain integer arithmetic, so the same on every target.
#pragma once

#include <cstdint>
#include <cstring>

namespace pintle {

inline float FloatOfBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t BitsOfFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// bf16 is the upper half of a float.
inline float FloatOfBF16(uint16_t half) { return FloatOfBits(static_cast<uint32_t>(half) << 16); }

/// Rounds to nearest even; NaN stays NaN (made quiet). Subnormals are kept.
inline uint16_t BF16OfFloat(float value) {
  const uint32_t bits = BitsOfFloat(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// IEEE binary16.
inline float FloatOfF16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t fraction = half & 0x3ffu;
  if (exponent == 31) return FloatOfBits(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return FloatOfBits(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // exact: 10 bits, power of two
  return FloatOfBits(sign | BitsOfFloat(magnitude));
}

/// Rounds to nearest even; overflow becomes infinity, NaN stays NaN.
inline uint16_t F16OfFloat(float value) {
  const uint32_t bits = BitsOfFloat(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65520 and above
  if (magnitude < 0x38800000u) {                                       // below 2^-14: the result counts units of 2^-24
    if (magnitude <= 0x33000000u) return static_cast<uint16_t>(sign);  // 2^-25 ties to 0
    const uint32_t shift = 126 - (magnitude >> 23);
    const uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
    const uint32_t kept = fraction >> shift;
    const uint32_t rest = fraction & ((1u << shift) - 1);
    const uint32_t half = 1u << (shift - 1);
    return static_cast<uint16_t>(sign | (kept + ((rest > half || (rest == half && (kept & 1u))) ? 1 : 0)));
  }
  const uint32_t rebased = magnitude - 0x38000000u;
  return static_cast<uint16_t>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
}

}  // namespace pintle
