// Repacking of file blocks into panels, and the way back for one row.
#include "kernels/quant_layout.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace pintle::kernels {
namespace {

uint16_t Half(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }

// A super-block of one row as the file has it, taken apart.
struct FileBlock {
  uint16_t d, m;         // f16 bits; K types: m is negated dmin
  uint8_t scales[8][2];  // by block of 32: scale and minimum, or the two halves' scales
  uint8_t q[256];        // offset kept; Q8_0 as q + 128
};

// The low nibbles, then the high ones. Nothing overlaps: loading a file is mostly this.
template <int kBytes>
void SplitNibbles(const uint8_t* __restrict from, uint8_t* __restrict to) {
  for (int i = 0; i < kBytes; ++i) to[i] = from[i] & 15;
  for (int i = 0; i < kBytes; ++i) to[kBytes + i] = from[i] >> 4;
}

// Adds a fifth bit each, bit `bit` of the bytes of `high`.
void AddFifthBits(const uint8_t* __restrict high, int bit, uint8_t* __restrict to) {
  for (int i = 0; i < 32; ++i) to[i] = static_cast<uint8_t>(to[i] | (high[i] >> bit & 1) << 4);
}

void ReadSmall(QuantType type, const uint8_t* from, FileBlock& out) {
  const QuantFormat& format = FormatOf(type);
  out.d = Half(from);
  from += 2;
  if (format.minimum) {
    out.m = Half(from);
    from += 2;
  }
  if (format.bits == 8) {
    for (int i = 0; i < 32; ++i) out.q[i] = static_cast<uint8_t>(from[i] ^ 0x80);
    return;
  }
  uint32_t high = 0;
  if (format.bits == 5) {
    std::memcpy(&high, from, 4);
    from += 4;
  }
  SplitNibbles<16>(from, out.q);
  for (int i = 0; high != 0; ++i, high >>= 1) out.q[i] = static_cast<uint8_t>(out.q[i] | (high & 1) << 4);
}

// Q4_K and Q5_K: d, dmin, 12 bytes of packed 6-bit pairs, (32 bytes of fifth bits,) 128 bytes of nibbles.
void ReadK(QuantType type, const uint8_t* from, FileBlock& out) {
  const bool five = type == QuantType::kQ5_K;
  out.d = Half(from);
  out.m = static_cast<uint16_t>(Half(from + 2) ^ 0x8000u);
  const uint8_t* s = from + 4;
  for (int k = 0; k < 8; ++k) {
    if (k < 4) {
      out.scales[k][0] = s[k] & 63;
      out.scales[k][1] = s[k + 4] & 63;
    } else {
      out.scales[k][0] = static_cast<uint8_t>((s[k + 4] & 15) | ((s[k - 4] >> 6) << 4));
      out.scales[k][1] = static_cast<uint8_t>((s[k + 4] >> 4) | ((s[k] >> 6) << 4));
    }
  }
  const uint8_t* low = from + (five ? 48 : 16);
  for (int group = 0; group < 4; ++group) SplitNibbles<32>(low + 32 * group, out.q + 64 * group);
  for (int k = 0; five && k < 8; ++k) AddFifthBits(from + 16, k, out.q + 32 * k);
}

// Q6_K: 128 bytes of low nibbles, 64 of high bits, 16 signed scales, d.
void ReadQ6K(const uint8_t* from, FileBlock& out) {
  out.d = Half(from + 208);
  for (int i = 0; i < 16; ++i) out.scales[i / 2][i % 2] = from[192 + i];
  for (int half = 0; half < 2; ++half) {
    const uint8_t* low = from + 64 * half;
    const uint8_t* high = from + 128 + 32 * half;
    uint8_t* q = out.q + 128 * half;
    for (int l = 0; l < 32; ++l) {
      q[l] = static_cast<uint8_t>((low[l] & 15) | ((high[l] & 3) << 4));
      q[l + 32] = static_cast<uint8_t>((low[l + 32] & 15) | ((high[l] >> 2 & 3) << 4));
      q[l + 64] = static_cast<uint8_t>((low[l] >> 4) | ((high[l] >> 4 & 3) << 4));
      q[l + 96] = static_cast<uint8_t>((low[l + 32] >> 4) | ((high[l] >> 6) << 4));
    }
  }
}

// IQ4_XS: d, the upper two bits of eight scales, their lower four, 128 bytes of nibbles; a scale is stored plus 32.
void ReadIq4Xs(const uint8_t* from, FileBlock& out) {
  out.d = Half(from);
  const int high = Half(from + 2);
  for (int k = 0; k < 8; ++k) {
    const int scale = (from[4 + k / 2] >> (4 * (k % 2)) & 15) | (high >> (2 * k) & 3) << 4;
    out.scales[k][0] = out.scales[k][1] = static_cast<uint8_t>(scale - 32);
    SplitNibbles<16>(from + 8 + 16 * k, out.q + 32 * k);
  }
}

void ReadBlock(QuantType type, const uint8_t* from, FileBlock& out) {
  if (type == QuantType::kQ6_K) {
    ReadQ6K(from, out);
  } else if (type == QuantType::kIQ4_XS) {
    ReadIq4Xs(from, out);
  } else if (FormatOf(type).block_scales) {
    ReadK(type, from, out);
  } else {
    ReadSmall(type, from, out);
  }
}

// Writes the 32 quants of one row into the vectors of a block, four to a word.
void PlaceQuants(int bits, const uint8_t* q, int64_t row, uint8_t* high, uint8_t* quants) {
  uint32_t words[8];
  std::memcpy(words, q, sizeof words);
  const auto put = [row](uint8_t* vector, uint32_t word) { std::memcpy(vector + 4 * row, &word, 4); };
  if (bits == 8) {
    for (int g = 0; g < 8; ++g) put(quants + 64 * g, words[g]);
    return;
  }
  constexpr uint32_t kLow = 0x0f0f0f0fu;
  for (int g = 0; g < 4; ++g) put(quants + 64 * g, (words[g] & kLow) | (words[g + 4] & kLow) << 4);
  if (bits == 5) {
    uint32_t fifth = 0;
    for (int g = 0; g < 8; ++g) fifth |= (words[g] >> 4 & 0x01010101u) << g;
    put(high, fifth);
  }
  if (bits == 6) {
    for (int vector = 0; vector < 2; ++vector) {
      uint32_t top = 0;
      for (int g = 0; g < 4; ++g) top |= (words[4 * vector + g] >> 4 & 0x03030303u) << (2 * g);
      put(high + 64 * vector, top);
    }
  }
}

}  // namespace

int64_t QuantBlock(QuantType type) { return 32 * FormatOf(type).blocks; }

int64_t QuantRowBytes(QuantType type, int64_t columns) {
  return columns / QuantBlock(type) * FormatOf(type).file_bytes;
}

int64_t QuantPanelBytes(QuantType type, int64_t columns) {
  return (columns / QuantBlock(type) * FormatOf(type).super_bytes() + 63) / 64 * 64;
}

void PackQuantPanel(QuantType type, const uint8_t* file_rows, int64_t rows, int64_t columns, uint8_t* panel) {
  const QuantFormat& format = FormatOf(type);
  PINTLE_CHECK(rows >= 1 && rows <= kPanelRows && columns % QuantBlock(type) == 0, "a panel has 1 to 16 whole rows");
  const int64_t row_bytes = QuantRowBytes(type, columns), supers = columns / QuantBlock(type);
  // What no row writes is 0: rows that are missing, and what fills the panel up to a whole line.
  const int64_t written = rows == kPanelRows ? supers * format.super_bytes() : 0;
  std::memset(panel + written, 0, static_cast<size_t>(QuantPanelBytes(type, columns) - written));
  FileBlock block{};
  for (int64_t super = 0; super < supers; ++super) {
    uint8_t* header = panel + super * format.super_bytes();
    for (int64_t row = 0; row < rows; ++row) {
      ReadBlock(type, file_rows + row * row_bytes + super * format.file_bytes, block);
      std::memcpy(header + 2 * row, &block.d, 2);
      if (format.minimum) std::memcpy(header + 32 + 2 * row, &block.m, 2);
      for (int b = 0; b < format.blocks; ++b) {
        uint8_t* at = header + format.header_bytes() + b * format.block_bytes();
        if (format.block_scales) {
          at[row] = block.scales[b][0];
          at[16 + row] = block.scales[b][1];
          at += 32;
        }
        PlaceQuants(format.bits, block.q + 32 * b, row, at, at + format.high_bytes());
      }
    }
  }
}

bool QuantRowsFinite(QuantType type, const uint8_t* file_rows, int64_t rows, int64_t columns) {
  const QuantFormat& format = FormatOf(type);
  const int64_t supers = rows * (columns / QuantBlock(type));
  const auto infinite = [](uint16_t half) { return (half & 0x7c00u) == 0x7c00u; };
  const int d = type == QuantType::kQ6_K ? 208 : 0;
  for (int64_t super = 0; super < supers; ++super) {
    const uint8_t* at = file_rows + super * format.file_bytes;
    if (infinite(Half(at + d)) || (format.minimum && infinite(Half(at + 2)))) return false;
  }
  return true;
}

void UnpackQuantBlock(QuantType type, const uint8_t* panel, int64_t block, int64_t row, QuantBlockValues& out) {
  const QuantFormat& format = FormatOf(type);
  const uint8_t* header = panel + block / format.blocks * format.super_bytes();
  const uint8_t* at = header + format.header_bytes() + block % format.blocks * format.block_bytes();
  out.scale = FloatFromF16(Half(header + 2 * row));
  out.minimum = format.minimum ? FloatFromF16(Half(header + 32 + 2 * row)) : 0.0f;
  out.half[0] = out.half[1] = 1;
  if (format.halves) {
    const auto as_signed = [](uint8_t byte) { return int32_t{byte} - (byte < 128 ? 0 : 256); };
    out.half[0] = as_signed(at[row]);
    out.half[1] = as_signed(at[16 + row]);
  } else if (format.block_scales) {
    out.scale *= static_cast<float>(at[row]);
    out.minimum *= static_cast<float>(at[16 + row]);
  }
  if (format.block_scales) at += 32;
  const uint8_t* quants = at + format.high_bytes();
  const int32_t offset = format.offset_shift < 0 ? 0 : 1 << format.offset_shift;
  for (int k = 0; k < 32; ++k) {
    const int g = k / 4;
    const int64_t lane = 4 * row + k % 4;
    int32_t q = 0;
    if (format.bits == 8) {
      q = quants[64 * g + lane];
    } else {
      q = quants[64 * (g % 4) + lane] >> (g < 4 ? 0 : 4) & 15;
      if (format.bits == 5) q |= (at[lane] >> g & 1) << 4;
      if (format.bits == 6) q |= (at[64 * (g / 4) + lane] >> (2 * (g % 4)) & 3) << 4;
      if (format.table) q = kIq4Values[q];
    }
    out.q[k] = q - offset;
  }
}

void DequantizeQuantRow(const QuantMatrix& matrix, int64_t row, float* out) {
  const uint8_t* panel = matrix.panels + row / kPanelRows * QuantPanelBytes(matrix.type, matrix.columns);
  const QuantFormat& format = FormatOf(matrix.type);
  QuantBlockValues block{};
  for (int64_t b = 0; b < matrix.columns / 32; ++b) {
    UnpackQuantBlock(matrix.type, panel, b, row % kPanelRows, block);
    for (int k = 0; k < 32; ++k) {
      const int32_t integer_scale = block.half[k / 16];  // 1 where the type has none
      const float scale = block.scale * static_cast<float>(integer_scale);
      const float value = scale * static_cast<float>(block.q[k]);
      out[b * 32 + k] = format.minimum ? value + block.minimum : value;
    }
  }
}

void QuantEmbedding(const QuantMatrix& table, const int32_t* ids, int64_t count, float* y, ThreadPool& pool) {
  pool.ParallelFor(count, [&](int64_t i) { DequantizeQuantRow(table, ids[i], y + i * table.columns); });
}

}  // namespace pintle::kernels
