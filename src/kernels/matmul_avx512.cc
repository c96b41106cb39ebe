// Matrix multiplication on AVX-512: packing and the 14x32 micro-kernel (28 accumulators, 2 vectors of B, 1 broadcast:
// all of the 32 registers but one), for fp32 in both profiles and for bf16 by vdpbf16ps.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/matmul_kernel.h"
#include "kernels/matmul_pack.h"

namespace pintle::kernels {
namespace {

#define PINTLE_MATMUL_ATTR __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define PINTLE_INLINE PINTLE_MATMUL_ATTR inline __attribute__((always_inline))

using V = __m512;
constexpr int kLanes = 16;
constexpr int kMr = 14;
constexpr int kNr = 32;

PINTLE_INLINE V Zero() { return _mm512_setzero_ps(); }
PINTLE_INLINE V Load(const float* from) { return _mm512_loadu_ps(from); }
PINTLE_INLINE V LoadWords(const uint32_t* from) { return _mm512_loadu_ps(from); }
PINTLE_INLINE void Store(float* to, V value) { _mm512_storeu_ps(to, value); }
PINTLE_INLINE V Broadcast(const uint32_t* from) {
  return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int32_t>(*from)));
}
PINTLE_INLINE V Add(V a, V b) { return _mm512_add_ps(a, b); }

struct FmaStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
};
struct MuladdStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return _mm512_add_ps(c, _mm512_mul_ps(a, b)); }
};
struct BF16Step {
  PINTLE_INLINE static V Do(V a, V b, V c) {
    return _mm512_dpbf16_ps(c, __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b));
  }
};

#include "kernels/matmul_micro-inl.h"

// Four lines' words k .. k+3 come together by 128-bit loads (no shuffle), then two unpack stages give four packed
// steps.
PINTLE_INLINE __m512 Quarter(const uint32_t* line0, const uint32_t* line4, const uint32_t* line8,
                             const uint32_t* line12) {
  __m512 value = _mm512_castps128_ps512(_mm_loadu_ps(reinterpret_cast<const float*>(line0)));
  value = _mm512_insertf32x4(value, _mm_loadu_ps(reinterpret_cast<const float*>(line4)), 1);
  value = _mm512_insertf32x4(value, _mm_loadu_ps(reinterpret_cast<const float*>(line8)), 2);
  return _mm512_insertf32x4(value, _mm_loadu_ps(reinterpret_cast<const float*>(line12)), 3);
}

template <int kWidth, Words kWords>
PINTLE_MATMUL_ATTR void PackAlong(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to) {
  constexpr int64_t kPerWord = kWords == Words::kF32 ? 1 : 2;
  const int64_t words = k / kPerWord / 4 * 4;
  const auto* bytes = static_cast<const unsigned char*>(from);
  const int64_t pitch = ld * kElementBytes<kWords>;
  if (lines < kWidth) {
    PackScalar<kWidth, kWords, true>(from, ld, lines, k, to);
    return;
  }
  for (int group = 0; group < kWidth; group += 16) {
    const unsigned char* base = bytes + group * pitch;
    // A panel of 14 takes its last line twice more; the next step's store overwrites those words.
    const int64_t line14 = kWidth == 14 ? 13 : 14;
    const int64_t line15 = kWidth == 14 ? 13 : 15;
    uint32_t* out = to + group;
    for (int64_t word = 0; word < words; word += 4) {
      const unsigned char* at = base + word * 4;
      const auto line = [at, pitch](int64_t i) { return reinterpret_cast<const uint32_t*>(at + i * pitch); };
      const __m512 q0 = Quarter(line(0), line(4), line(8), line(12));
      const __m512 q1 = Quarter(line(1), line(5), line(9), line(13));
      const __m512 q2 = Quarter(line(2), line(6), line(10), line(line14));
      const __m512 q3 = Quarter(line(3), line(7), line(11), line(line15));
      const __m512d lo01 = _mm512_castps_pd(_mm512_unpacklo_ps(q0, q1));
      const __m512d hi01 = _mm512_castps_pd(_mm512_unpackhi_ps(q0, q1));
      const __m512d lo23 = _mm512_castps_pd(_mm512_unpacklo_ps(q2, q3));
      const __m512d hi23 = _mm512_castps_pd(_mm512_unpackhi_ps(q2, q3));
      _mm512_storeu_pd(out, _mm512_unpacklo_pd(lo01, lo23));
      _mm512_storeu_pd(out + kWidth, _mm512_unpackhi_pd(lo01, lo23));
      _mm512_storeu_pd(out + 2 * kWidth, _mm512_unpacklo_pd(hi01, hi23));
      _mm512_storeu_pd(out + 3 * kWidth, _mm512_unpackhi_pd(hi01, hi23));
      out += 4 * kWidth;
    }
  }
  const int64_t done = words * kPerWord;
  PackScalar<kWidth, kWords, true>(bytes + done * kElementBytes<kWords>, ld, lines, k - done, to + words * kWidth);
}

/// Stores 16 words of a step; of a panel of 14 the last two land in the next step and are overwritten there, so only
/// the last step needs the mask.
template <int kWidth>
PINTLE_INLINE void StoreStep(uint32_t* to, __m512i words, bool last) {
  if (kWidth >= 16 || !last) {
    _mm512_storeu_si512(to, words);
  } else {
    _mm512_mask_storeu_epi32(to, (1u << kWidth % 16) - 1, words);
  }
}

constexpr uint32_t LineMask(int width, int64_t lines) {
  return 0xffffffffu >> (32 - (lines < width ? static_cast<int>(lines) : width));
}

template <int kWidth>
PINTLE_MATMUL_ATTR void PackAcrossF32(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to) {
  const auto* row = static_cast<const float*>(from);
  const uint32_t mask = LineMask(kWidth, lines);
  for (int64_t i = 0; i < k; ++i) {
    for (int half = 0; half < kWidth; half += 16) {
      const __m512i words = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(mask >> half), row + half);
      StoreStep<kWidth>(to + half, words, i + 1 == k);
    }
    __builtin_prefetch(row + kAcrossRows * ld, 0, 2);
    row += ld;
    to += kWidth;
  }
}

template <int kWidth>
PINTLE_MATMUL_ATTR void PackAcrossBF16(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to) {
  const auto* row = static_cast<const bf16*>(from);
  const uint32_t mask = LineMask(kWidth, lines);
  for (int64_t i = 0; i < k; i += 2) {
    for (int half = 0; half < kWidth; half += 16) {
      const auto present = static_cast<__mmask16>(mask >> half);
      const auto second = i + 1 < k ? present : __mmask16{0};
      const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(present, row + half));
      const __m512i odd = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(second, row + ld + half));
      StoreStep<kWidth>(to + half, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)), i + 2 >= k);
    }
    __builtin_prefetch(row + kAcrossRows * ld, 0, 2);
    __builtin_prefetch(row + (kAcrossRows + 1) * ld, 0, 2);
    row += 2 * ld;
    to += kWidth;
  }
}

template <class Step>
constexpr MatMulKernel Make(Words words) {
  const bool f32 = words == Words::kF32;
  return {kMr,
          kNr,
          f32 ? 4 : 2,
          !f32,
          true,
          f32 ? PackAlong<kMr, Words::kF32> : PackAlong<kMr, Words::kBF16Pairs>,
          f32 ? PackAcrossF32<kMr> : PackAcrossBF16<kMr>,
          f32 ? PackAlong<kNr, Words::kF32> : PackAlong<kNr, Words::kBF16Pairs>,
          f32 ? PackAcrossF32<kNr> : PackAcrossBF16<kNr>,
          {nullptr, Micro<Step, 1>, Micro<Step, 2>, Micro<Step, 3>, Micro<Step, 4>, Micro<Step, 5>, Micro<Step, 6>,
           Micro<Step, 7>, Micro<Step, 8>, Micro<Step, 9>, Micro<Step, 10>, Micro<Step, 11>, Micro<Step, 12>,
           Micro<Step, 13>, Micro<Step, 14>}};
}

}  // namespace

const MatMulKernel kMatMulAvx512Fma = Make<FmaStep>(Words::kF32);
const MatMulKernel kMatMulAvx512Muladd = Make<MuladdStep>(Words::kF32);
const MatMulKernel kMatMulAvx512Bf16 = Make<BF16Step>(Words::kBF16Pairs);

}  // namespace pintle::kernels
#endif  // __x86_64__
