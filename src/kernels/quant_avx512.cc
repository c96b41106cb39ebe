// Products with quantised weights on AVX-512 with VNNI: 16 rows are the lanes, vpdpbusd adds four exact products a lane
// and step. Weights are unsigned (q with its offset kept); the sum starts at -offset * (sum of the activations).
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/quant_layout.h"

namespace pintle::kernels {
namespace {

#define PINTLE_QUANT_ATTR __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,f16c")))
#define PINTLE_INLINE PINTLE_QUANT_ATTR inline __attribute__((always_inline))

PINTLE_INLINE __m512 Halves(const uint8_t* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
PINTLE_INLINE __m128i Bytes16(const uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

/// Asks for the block some way ahead of the one at `at`, across the ends of panels: the processor does not by itself.
template <int kBytes>
PINTLE_INLINE void PrefetchBlock(const uint8_t* at) {
  constexpr int kAhead = 6144;
#pragma GCC unroll 16
  for (int line = 0; line < kBytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(at + kAhead + line), _MM_HINT_T0);
  }
}

/// The quants of a block as eight vectors of unsigned bytes.
template <int kBits, bool kTable>
PINTLE_INLINE void Unpack(const uint8_t* high, __m512i w[8]) {
  if constexpr (kBits == 8) {
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) w[g] = _mm512_loadu_si512(high + 64 * g);
    return;
  }
  const uint8_t* quants = high + (kBits == 5 ? 64 : kBits == 6 ? 128 : 0);
  const __m512i low4 = _mm512_set1_epi8(15);
#pragma GCC unroll 16
  for (int g = 0; g < 4; ++g) {
    const __m512i both = _mm512_loadu_si512(quants + 64 * g);
    w[g] = _mm512_and_si512(both, low4);
    w[g + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low4);
  }
  if constexpr (kTable) {
    const __m512i values = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values)));
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) w[g] = _mm512_shuffle_epi8(values, w[g]);
  }
  if constexpr (kBits == 5) {
    const __m512i bits = _mm512_loadu_si512(high);
    const __m512i fifth = _mm512_set1_epi8(16);
#pragma GCC unroll 16
    for (int g = 0; g < 8; ++g) {
      const __m512i moved =
          g < 4 ? _mm512_slli_epi16(bits, 4 - g < 0 ? 0 : 4 - g) : _mm512_srli_epi16(bits, g - 4 < 0 ? 0 : g - 4);
      w[g] = _mm512_or_si512(w[g], _mm512_and_si512(moved, fifth));
    }
  }
  if constexpr (kBits == 6) {
    const __m512i top = _mm512_set1_epi8(48);
#pragma GCC unroll 16
    for (int vector = 0; vector < 2; ++vector) {
      const __m512i bits = _mm512_loadu_si512(high + 64 * vector);
      const __m512i moved[4] = {_mm512_slli_epi16(bits, 4), _mm512_slli_epi16(bits, 2), bits,
                                _mm512_srli_epi16(bits, 2)};
#pragma GCC unroll 16
      for (int g = 0; g < 4; ++g) {
        w[4 * vector + g] = _mm512_or_si512(w[4 * vector + g], _mm512_and_si512(moved[g], top));
      }
    }
  }
}

PINTLE_INLINE __m512i Quad(const int8_t* at) {
  int32_t four;
  std::memcpy(&four, at, 4);
  return _mm512_set1_epi32(four);
}

/// `kTokens` rows of activations from `first` on against the whole panel.
template <QuantType kType, int kTokens>
PINTLE_QUANT_ATTR void Columns(const QuantTile& tile, int64_t first) {
  constexpr QuantFormat kFormat = FormatOf(kType);
  const QuantActivations& x = *tile.x;
  const int64_t blocks = x.columns / 32;
  __m512 acc[kTokens];
#pragma GCC unroll 16
  for (int i = 0; i < kTokens; ++i) acc[i] = _mm512_setzero_ps();
  const uint8_t* at = tile.panel;
  int64_t block = 0;
  while (block < blocks) {
    const __m512 d = Halves(at);
    [[maybe_unused]] __m512 m = _mm512_setzero_ps();
    if constexpr (kFormat.minimum) m = Halves(at + 32);
    at += kFormat.header_bytes();
    for (int b = 0; b < kFormat.blocks; ++b, ++block) {
      PrefetchBlock<kFormat.block_bytes()>(at);
      __m512 scale = d;
      [[maybe_unused]] __m512 minimum = m;
      [[maybe_unused]] __m512i half0 = _mm512_setzero_si512(), half1 = half0;
      const uint8_t* high = at;
      if constexpr (kFormat.halves) {
        half0 = _mm512_cvtepi8_epi32(Bytes16(at));
        half1 = _mm512_cvtepi8_epi32(Bytes16(at + 16));
      } else if constexpr (kFormat.block_scales) {
        scale = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(Bytes16(at))));
        minimum = _mm512_mul_ps(m, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(Bytes16(at + 16))));
      }
      if constexpr (kFormat.block_scales) high += 32;
      __m512i w[8];
      Unpack<kFormat.bits, kFormat.table>(high, w);
#pragma GCC unroll 16
      for (int i = 0; i < kTokens; ++i) {
        const int64_t token = first + i;
        const int8_t* q = x.q + token * x.columns + block * 32;
        const int64_t place = token * blocks + block;
        __m512i low = _mm512_setzero_si512(), up = low;
        if constexpr (kFormat.offset_shift >= 0) {
          low = _mm512_slli_epi32(_mm512_set1_epi32(x.negative_sums[2 * place]), kFormat.offset_shift);
          up = _mm512_slli_epi32(_mm512_set1_epi32(x.negative_sums[2 * place + 1]), kFormat.offset_shift);
        }
#pragma GCC unroll 16
        for (int g = 0; g < 4; ++g) {
          low = _mm512_dpbusd_epi32(low, w[g], Quad(q + 4 * g));
          up = _mm512_dpbusd_epi32(up, w[g + 4], Quad(q + 16 + 4 * g));
        }
        if constexpr (kFormat.halves) {
          low = _mm512_mullo_epi32(low, half0);
          up = _mm512_mullo_epi32(up, half1);
        }
        const __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(low, up));
        acc[i] = _mm512_add_ps(acc[i], _mm512_mul_ps(sum, _mm512_mul_ps(scale, _mm512_set1_ps(x.scale[place]))));
        if constexpr (kFormat.minimum) {
          acc[i] = _mm512_add_ps(acc[i], _mm512_mul_ps(minimum, _mm512_set1_ps(x.sum[place])));
        }
      }
      at += kFormat.block_bytes();
    }
  }
  const auto mask = static_cast<__mmask16>((1u << tile.rows) - 1);
#pragma GCC unroll 16
  for (int i = 0; i < kTokens; ++i) {
    const int64_t place = (first + i) * tile.ldc;
    if (tile.bias != nullptr) acc[i] = _mm512_add_ps(acc[i], _mm512_maskz_loadu_ps(mask, tile.bias));
    if (tile.residual != nullptr) acc[i] = _mm512_add_ps(acc[i], _mm512_maskz_loadu_ps(mask, tile.residual + place));
    _mm512_mask_storeu_ps(tile.c + place, mask, acc[i]);
  }
}

// Every pass reads the panel: as few as there can be.
template <QuantType kType>
void Tile(const QuantTile& tile) {
  constexpr void (*kColumns[])(const QuantTile&, int64_t) = {nullptr,           Columns<kType, 1>, Columns<kType, 2>,
                                                             Columns<kType, 3>, Columns<kType, 4>, Columns<kType, 5>,
                                                             Columns<kType, 6>, Columns<kType, 7>, Columns<kType, 8>};
  constexpr int64_t kMost = 8;
  for (int64_t token = 0; token < tile.count; token += kMost) {
    kColumns[std::min(kMost, tile.count - token)](tile, token);
  }
}

PINTLE_QUANT_ATTR void QuantizeRow(const float* x, int64_t token, const QuantActivations& out) {
  const int64_t blocks = out.columns / 32;
  for (int64_t b = 0; b < blocks; ++b) {
    const __m512 low = _mm512_loadu_ps(x + 32 * b), up = _mm512_loadu_ps(x + 32 * b + 16);
    const __m512 low_size = _mm512_abs_ps(low), up_size = _mm512_abs_ps(up);
    const __m512 limit = _mm512_set1_ps(3.40282347e38f);
    const bool finite =
        (_mm512_cmp_ps_mask(low_size, limit, _CMP_LE_OQ) & _mm512_cmp_ps_mask(up_size, limit, _CMP_LE_OQ)) == 0xffff;
    const float largest = finite ? _mm512_reduce_max_ps(_mm512_max_ps(low_size, up_size)) : 0.0f;
    const bool zero = largest < 0x1p-100f;
    const float scale = !finite ? __builtin_nanf("") : zero ? 0.0f : largest / 127.0f;
    const __m512 inverse = _mm512_set1_ps(zero ? 0.0f : 127.0f / largest);
    __m512i q0 = _mm512_setzero_si512(), q1 = q0;
    if (!zero) {
      q0 = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
      q1 = _mm512_cvtps_epi32(_mm512_mul_ps(up, inverse));
    }
    int8_t* to = out.q + token * out.columns + 32 * b;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(q0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm512_cvtepi32_epi8(q1));
    const int64_t at = token * blocks + b;
    const int32_t sum0 = _mm512_reduce_add_epi32(q0), sum1 = _mm512_reduce_add_epi32(q1);
    out.scale[at] = scale;
    out.sum[at] = scale * static_cast<float>(sum0 + sum1);
    out.negative_sums[2 * at] = -sum0;
    out.negative_sums[2 * at + 1] = -sum1;
  }
}

}  // namespace

const QuantKernel kQuantAvx512 = {
    {Tile<QuantType::kQ8_0>, Tile<QuantType::kQ4_0>, Tile<QuantType::kQ4_1>, Tile<QuantType::kQ5_0>,
     Tile<QuantType::kQ5_1>, Tile<QuantType::kQ4_K>, Tile<QuantType::kQ5_K>, Tile<QuantType::kQ6_K>,
     Tile<QuantType::kIQ4_NL>, Tile<QuantType::kIQ4_XS>},
    QuantizeRow};

}  // namespace pintle::kernels
#endif  // __x86_64__
