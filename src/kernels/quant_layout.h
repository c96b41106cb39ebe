// The layout of repacked quantised weights (quant.h) for those who read it. Internal to this folder.
//
// A panel holds 16 rows. Along k it is a list of super-blocks, each a header and its blocks of 32:
//   header   16 f16 d, then for types with a minimum 16 f16 m (K types: -dmin)
//   block    K types: 16 bytes of scales and 16 of minima (Q4_K, Q5_K: 6 bits in a byte), or 16 + 16 signed scales of
//            the two halves (Q6_K, IQ4_XS); then the high bits; then the quants
// Quants of element (row, k) in groups g = k / 4, byte 4 * row + k % 4 of a 64-byte vector:
//   8 bits   vector g
//   else     vector g % 4, low nibble for g < 4, high nibble for the rest;
//            the fifth bit is bit g of one further vector,
//            the fifth and sixth are bits 2 (g % 4) and up of one of two further vectors, g / 4
#pragma once

#include <cstdint>

#include "kernels/quant.h"

namespace pintle::kernels {

/// What distinguishes the types.
struct QuantFormat {
  int bits;            ///< of a quant: 8, 4, 5 or 6
  int offset_shift;    ///< offset = 2^shift; -1: no offset
  bool minimum;        ///< has m
  bool block_scales;   ///< K types, IQ4_XS: 32 bytes of scales in each block
  bool halves;         ///< Q6_K, IQ4_XS: integer scales of half blocks
  int blocks;          ///< of 32 in a super-block
  int file_bytes;      ///< of a super-block of one row in the file
  bool table = false;  ///< IQ4 types: a quant is a place in kIq4Values

  [[nodiscard]] constexpr int header_bytes() const { return minimum ? 64 : 32; }
  [[nodiscard]] constexpr int high_bytes() const { return bits == 5 ? 64 : bits == 6 ? 128 : 0; }
  [[nodiscard]] constexpr int block_bytes() const {
    return (block_scales ? 32 : 0) + high_bytes() + (bits == 8 ? 512 : 256);
  }
  [[nodiscard]] constexpr int super_bytes() const { return header_bytes() + blocks * block_bytes(); }
};

/// In the order of QuantType.
inline constexpr QuantFormat kQuantFormats[kQuantTypes] = {
    {8, 7, false, false, false, 1, 34},        // Q8_0, stored as q + 128
    {4, 3, false, false, false, 1, 18},        // Q4_0
    {4, -1, true, false, false, 1, 20},        // Q4_1
    {5, 4, false, false, false, 1, 22},        // Q5_0
    {5, -1, true, false, false, 1, 24},        // Q5_1
    {4, -1, true, true, false, 8, 144},        // Q4_K
    {5, -1, true, true, false, 8, 176},        // Q5_K
    {6, 5, false, true, true, 8, 210},         // Q6_K
    {4, 7, false, false, false, 1, 18, true},  // IQ4_NL
    {4, 7, false, true, true, 8, 136, true},   // IQ4_XS; both halves have the block's scale
};
constexpr const QuantFormat& FormatOf(QuantType type) { return kQuantFormats[static_cast<int>(type)]; }

/// IEEE binary16 to float, exact.
inline float FloatFromF16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu, fraction = half & 0x3ffu;
  uint32_t bits = sign | ((exponent + 112) << 23) | (fraction << 13);
  if (exponent == 31) bits = sign | 0x7f800000u | (fraction << 13);
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    bits = sign | __builtin_bit_cast(uint32_t, magnitude);
  }
  return __builtin_bit_cast(float, bits);
}

/// One block of 32 of one row, unpacked.
struct QuantBlockValues {
  int32_t q[32];    ///< offset taken off
  float scale;      ///< s
  float minimum;    ///< m; unused without
  int32_t half[2];  ///< integer scales; 1 and 1 where the type has none
};
/// Block `block` of row `row` (0 to 15) of a panel.
void UnpackQuantBlock(QuantType type, const uint8_t* panel, int64_t block, int64_t row, QuantBlockValues& out);

/// Sixteen columns of C for `count` tokens.
struct QuantTile {
  const uint8_t* panel;
  const QuantActivations* x;
  int64_t count;
  float* c;  ///< element (token, row) at token * ldc + row
  int64_t ldc;
  int64_t rows;           ///< 1 to 16; the others are not written
  const float* bias;      ///< [rows] or null
  const float* residual;  ///< c's layout or null
};
using QuantTileFunction = void (*)(const QuantTile&);
using QuantizeFunction = void (*)(const float* x, int64_t token, const QuantActivations& out);

/// What an instruction set provides; tiles in the order of QuantType.
struct QuantKernel {
  QuantTileFunction tile[kQuantTypes];
  QuantizeFunction quantize;  ///< one row
};
extern const QuantKernel kQuantAvx512, kQuantAvx2, kQuantPortable;

}  // namespace pintle::kernels
