// Products with quantised weights on AVX2: eight rows a vector, bytes widened to 16 bits and vpmaddwd, which is exact
// (vpmaddubsw would saturate). The same layout and the same bits as on AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "kernels/quant_layout.h"

namespace pintle::kernels {
namespace {

#define PINTLE_QUANT_ATTR __attribute__((target("avx2,f16c")))
#define PINTLE_INLINE PINTLE_QUANT_ATTR inline __attribute__((always_inline))

PINTLE_INLINE __m256i Load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
PINTLE_INLINE __m256 Halves(const uint8_t* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
PINTLE_INLINE __m256i Signed8(const uint8_t* at) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}
PINTLE_INLINE __m256 Unsigned8(const uint8_t* at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at))));
}

/// Eight of the sixteen rows (`half` 0 or 1) of a block as unsigned bytes, by groups of four k.
template <int kBits, bool kTable>
PINTLE_INLINE void Unpack(const uint8_t* high, int half, __m256i w[8]) {
  high += 32 * half;
  if constexpr (kBits == 8) {
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) w[g] = Load(high + 64 * g);
    return;
  }
  const uint8_t* quants = high + (kBits == 5 ? 64 : kBits == 6 ? 128 : 0);
  const __m256i low4 = _mm256_set1_epi8(15);
#pragma GCC unroll 16
  for (int g = 0; g < 4; ++g) {
    const __m256i both = Load(quants + 64 * g);
    w[g] = _mm256_and_si256(both, low4);
    w[g + 4] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low4);
  }
  if constexpr (kTable) {
    const __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values)));
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) w[g] = _mm256_shuffle_epi8(values, w[g]);
  }
  if constexpr (kBits == 5) {
    const __m256i bits = Load(high), fifth = _mm256_set1_epi8(16);
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) {
      const __m256i moved =
          g < 4 ? _mm256_slli_epi16(bits, 4 - g < 0 ? 0 : 4 - g) : _mm256_srli_epi16(bits, g - 4 < 0 ? 0 : g - 4);
      w[g] = _mm256_or_si256(w[g], _mm256_and_si256(moved, fifth));
    }
  }
  if constexpr (kBits == 6) {
    const __m256i top = _mm256_set1_epi8(48);
#pragma GCC unroll 16
    for (int vector = 0; vector < 2; ++vector) {
      const __m256i bits = Load(high + 64 * vector);
      const __m256i moved[4] = {_mm256_slli_epi16(bits, 4), _mm256_slli_epi16(bits, 2), bits,
                                _mm256_srli_epi16(bits, 2)};
#pragma GCC unroll 16
      for (int g = 0; g < 4; ++g) {
        w[4 * vector + g] = _mm256_or_si256(w[4 * vector + g], _mm256_and_si256(moved[g], top));
      }
    }
  }
}

/// sum + the four products of each lane, bytes of `w` unsigned and of the quad signed.
PINTLE_INLINE __m256i Dot(__m256i sum, __m256i w, const int8_t* quad) {
  int32_t four;
  std::memcpy(&four, quad, 4);
  const __m256i x = _mm256_set1_epi32(four);
  const __m256i x_even = _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8), x_odd = _mm256_srai_epi16(x, 8);
  const __m256i w_even = _mm256_and_si256(w, _mm256_set1_epi16(0xff)), w_odd = _mm256_srli_epi16(w, 8);
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(w_even, x_even));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(w_odd, x_odd));
}

template <QuantType kType, int kTokens>
PINTLE_QUANT_ATTR void Columns(const QuantTile& tile, int64_t first, int half) {
  constexpr QuantFormat kFormat = FormatOf(kType);
  const QuantActivations& x = *tile.x;
  const int64_t blocks = x.columns / 32;
  __m256 acc[kTokens];
#pragma GCC unroll 16
  for (int i = 0; i < kTokens; ++i) acc[i] = _mm256_setzero_ps();
  const uint8_t* at = tile.panel;
  int64_t block = 0;
  while (block < blocks) {
    const __m256 d = Halves(at + 16 * half);
    [[maybe_unused]] __m256 m = _mm256_setzero_ps();
    if constexpr (kFormat.minimum) m = Halves(at + 32 + 16 * half);
    at += kFormat.header_bytes();
    for (int b = 0; b < kFormat.blocks; ++b, ++block) {
      __m256 scale = d;
      [[maybe_unused]] __m256 minimum = m;
      [[maybe_unused]] __m256i half0 = _mm256_setzero_si256(), half1 = half0;
      const uint8_t* high = at;
      if constexpr (kFormat.halves) {
        half0 = Signed8(at + 8 * half);
        half1 = Signed8(at + 16 + 8 * half);
      } else if constexpr (kFormat.block_scales) {
        scale = _mm256_mul_ps(d, Unsigned8(at + 8 * half));
        minimum = _mm256_mul_ps(m, Unsigned8(at + 16 + 8 * half));
      }
      if constexpr (kFormat.block_scales) high += 32;
      __m256i w[8];
      Unpack<kFormat.bits, kFormat.table>(high, half, w);
#pragma GCC unroll 16
      for (int i = 0; i < kTokens; ++i) {
        const int64_t token = first + i;
        const int8_t* q = x.q + token * x.columns + block * 32;
        const int64_t place = token * blocks + block;
        __m256i low = _mm256_setzero_si256(), up = low;
        if constexpr (kFormat.offset_shift >= 0) {
          low = _mm256_slli_epi32(_mm256_set1_epi32(x.negative_sums[2 * place]), kFormat.offset_shift);
          up = _mm256_slli_epi32(_mm256_set1_epi32(x.negative_sums[2 * place + 1]), kFormat.offset_shift);
        }
#pragma GCC unroll 16
        for (int g = 0; g < 4; ++g) {
          low = Dot(low, w[g], q + 4 * g);
          up = Dot(up, w[g + 4], q + 16 + 4 * g);
        }
        if constexpr (kFormat.halves) {
          low = _mm256_mullo_epi32(low, half0);
          up = _mm256_mullo_epi32(up, half1);
        }
        const __m256 sum = _mm256_cvtepi32_ps(_mm256_add_epi32(low, up));
        acc[i] = _mm256_add_ps(acc[i], _mm256_mul_ps(sum, _mm256_mul_ps(scale, _mm256_set1_ps(x.scale[place]))));
        if constexpr (kFormat.minimum) {
          acc[i] = _mm256_add_ps(acc[i], _mm256_mul_ps(minimum, _mm256_set1_ps(x.sum[place])));
        }
      }
      at += kFormat.block_bytes();
    }
  }
  alignas(32) float values[8];
#pragma GCC unroll 16
  for (int i = 0; i < kTokens; ++i) {
    _mm256_store_ps(values, acc[i]);
    for (int64_t row = 8 * half; row < 8 * half + 8 && row < tile.rows; ++row) {
      const int64_t place = (first + i) * tile.ldc + row;
      float value = values[row - 8 * half];
      if (tile.bias != nullptr) value = value + tile.bias[row];
      if (tile.residual != nullptr) value = value + tile.residual[place];
      tile.c[place] = value;
    }
  }
}

template <QuantType kType>
void Tile(const QuantTile& tile) {
  for (int half = 0; half < 2; ++half) {
    int64_t token = 0;
    for (; token + 4 <= tile.count; token += 4) Columns<kType, 4>(tile, token, half);
    for (; token < tile.count; ++token) Columns<kType, 1>(tile, token, half);
  }
}

PINTLE_QUANT_ATTR void QuantizeRow(const float* x, int64_t token, const QuantActivations& out) {
  const int64_t blocks = out.columns / 32;
  const __m256 sign = _mm256_set1_ps(-0.0f), limit = _mm256_set1_ps(3.40282347e38f);
  for (int64_t b = 0; b < blocks; ++b) {
    __m256 largest8 = _mm256_setzero_ps();
    __m256 good = _mm256_cmp_ps(limit, limit, _CMP_EQ_OQ);
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {
      const __m256 size = _mm256_andnot_ps(sign, _mm256_loadu_ps(x + 32 * b + 8 * i));
      largest8 = _mm256_max_ps(largest8, size);
      good = _mm256_and_ps(good, _mm256_cmp_ps(size, limit, _CMP_LE_OQ));
    }
    const bool finite = _mm256_movemask_ps(good) == 0xff;
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, largest8);
    float largest = 0;
    for (const float lane : lanes) largest = lane > largest ? lane : largest;
    const bool zero = !finite || largest < 0x1p-100f;
    const float scale = !finite ? __builtin_nanf("") : zero ? 0.0f : largest / 127.0f;
    const __m256 inverse = _mm256_set1_ps(zero ? 0.0f : 127.0f / largest);
    alignas(32) int32_t q[32] = {};
#pragma GCC unroll 16
    for (int i = 0; i < 4 && !zero; ++i) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(q + 8 * i),
                         _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 32 * b + 8 * i), inverse)));
    }
    int32_t sums[2] = {0, 0};
    for (int k = 0; k < 32; ++k) {
      out.q[token * out.columns + 32 * b + k] = static_cast<int8_t>(q[k]);
      sums[k / 16] += q[k];
    }
    const int64_t at = token * blocks + b;
    out.scale[at] = scale;
    out.sum[at] = scale * static_cast<float>(sums[0] + sums[1]);
    out.negative_sums[2 * at] = -sums[0];
    out.negative_sums[2 * at + 1] = -sums[1];
  }
}

}  // namespace

const QuantKernel kQuantAvx2 = {
    {Tile<QuantType::kQ8_0>, Tile<QuantType::kQ4_0>, Tile<QuantType::kQ4_1>, Tile<QuantType::kQ5_0>,
     Tile<QuantType::kQ5_1>, Tile<QuantType::kQ4_K>, Tile<QuantType::kQ5_K>, Tile<QuantType::kQ6_K>,
     Tile<QuantType::kIQ4_NL>, Tile<QuantType::kIQ4_XS>},
    QuantizeRow};

}  // namespace pintle::kernels
#endif  // __x86_64__
