// Matrix multiplication on AVX2 + FMA: packing and the 6x16 micro-kernel (12 accumulators, 2 vectors of B, 1
// broadcast), for fp32 in both profiles. bf16 is emulated: floats in the order k+1, k, one FMA each, with the
// processor's own flush-to-zero and denormals-are-zero switched on around the chain, which is what vdpbf16ps does.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/matmul_kernel.h"
#include "kernels/matmul_pack.h"

namespace pintle::kernels {
namespace {

#define PINTLE_MATMUL_ATTR __attribute__((target("avx2,fma")))
#define PINTLE_INLINE PINTLE_MATMUL_ATTR inline __attribute__((always_inline))

using V = __m256;
constexpr int kLanes = 8;
constexpr int kMr = 6;
constexpr int kNr = 16;

PINTLE_INLINE V Zero() { return _mm256_setzero_ps(); }
PINTLE_INLINE V Load(const float* from) { return _mm256_loadu_ps(from); }
PINTLE_INLINE V LoadWords(const uint32_t* from) { return _mm256_loadu_ps(reinterpret_cast<const float*>(from)); }
PINTLE_INLINE void Store(float* to, V value) { _mm256_storeu_ps(to, value); }
PINTLE_INLINE V Broadcast(const uint32_t* from) { return _mm256_broadcast_ss(reinterpret_cast<const float*>(from)); }
PINTLE_INLINE V Add(V a, V b) { return _mm256_add_ps(a, b); }

struct FmaStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
};
struct MuladdStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return _mm256_add_ps(c, _mm256_mul_ps(a, b)); }
};

#include "kernels/matmul_micro-inl.h"

constexpr unsigned kFlushToZero = 0x8000;
constexpr unsigned kDenormalsAreZero = 0x0040;

/// The call through a pointer keeps the compiler from moving arithmetic across the two switches.
template <int kRows>
void MicroBF16(const MicroTile& tile) {
  static volatile MicroFunction chain = Micro<FmaStep, kRows>;
  const unsigned state = _mm_getcsr();
  _mm_setcsr(state | kFlushToZero | kDenormalsAreZero);
  chain(tile);
  _mm_setcsr(state);
}

PINTLE_INLINE __m256 Half(const unsigned char* line0, const unsigned char* line4) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(reinterpret_cast<const float*>(line0))),
                              _mm_loadu_ps(reinterpret_cast<const float*>(line4)), 1);
}

/// One packed word (as 8 lanes) becomes one step of fp32, or two of bf16.
template <int kWidth, Words kWords>
PINTLE_INLINE uint32_t* Emit(__m256d words, uint32_t* out) {
  const __m256i bits = _mm256_castpd_si256(words);
  if constexpr (kWords == Words::kF32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bits);
    return out + kWidth;
  } else {
    const __m256i odd = _mm256_and_si256(bits, _mm256_set1_epi32(static_cast<int32_t>(0xffff0000u)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), odd);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + kWidth), _mm256_slli_epi32(bits, 16));
    return out + 2 * kWidth;
  }
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
  for (int group = 0; group < kWidth; group += 8) {
    // A panel of 6 takes its last line twice more; the next step's store overwrites those words.
    const int64_t pitch6 = kWidth == 6 ? 5 * pitch : 6 * pitch;
    const int64_t pitch7 = kWidth == 6 ? 5 * pitch : 7 * pitch;
    uint32_t* out = to + group;
    for (int64_t word = 0; word < words; word += 4) {
      const unsigned char* at = bytes + group * pitch + word * 4;
      const __m256 h0 = Half(at, at + 4 * pitch);
      const __m256 h1 = Half(at + pitch, at + 5 * pitch);
      const __m256 h2 = Half(at + 2 * pitch, at + pitch6);
      const __m256 h3 = Half(at + 3 * pitch, at + pitch7);
      const __m256d lo01 = _mm256_castps_pd(_mm256_unpacklo_ps(h0, h1));
      const __m256d hi01 = _mm256_castps_pd(_mm256_unpackhi_ps(h0, h1));
      const __m256d lo23 = _mm256_castps_pd(_mm256_unpacklo_ps(h2, h3));
      const __m256d hi23 = _mm256_castps_pd(_mm256_unpackhi_ps(h2, h3));
      out = Emit<kWidth, kWords>(_mm256_unpacklo_pd(lo01, lo23), out);
      out = Emit<kWidth, kWords>(_mm256_unpackhi_pd(lo01, lo23), out);
      out = Emit<kWidth, kWords>(_mm256_unpacklo_pd(hi01, hi23), out);
      out = Emit<kWidth, kWords>(_mm256_unpackhi_pd(hi01, hi23), out);
    }
  }
  const int64_t done = words * kPerWord;
  PackScalar<kWidth, kWords, true>(bytes + done * kElementBytes<kWords>, ld, lines, k - done, to + done * kWidth);
}

/// B panels: the 16 words of a row are two vectors.
template <Words kWords>
PINTLE_MATMUL_ATTR void PackBAcross(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to) {
  const int64_t whole = lines < kNr ? 0 : k / 2 * 2;
  const auto* row = static_cast<const unsigned char*>(from);
  const int64_t pitch = ld * kElementBytes<kWords>;
  for (int64_t i = 0; i < whole; i += 2) {
    for (int half = 0; half < kNr; half += 8) {
      __m256i even;
      __m256i odd;
      const unsigned char* at = row + half * kElementBytes<kWords>;
      if constexpr (kWords == Words::kF32) {
        even = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
        odd = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + pitch));
      } else {
        odd = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))), 16);
        even =
            _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + pitch))), 16);
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + half), even);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + kNr + half), odd);
    }
    row += 2 * pitch;
    to += 2 * kNr;
  }
  PackScalar<kNr, kWords, false>(row, ld, lines, k - whole, to);
}

template <class Step>
constexpr MatMulKernel MakeF32() {
  return {kMr,
          kNr,
          4,
          false,
          true,
          PackAlong<kMr, Words::kF32>,
          PackScalar<kMr, Words::kF32, false>,
          PackAlong<kNr, Words::kF32>,
          PackBAcross<Words::kF32>,
          {nullptr, Micro<Step, 1>, Micro<Step, 2>, Micro<Step, 3>, Micro<Step, 4>, Micro<Step, 5>, Micro<Step, 6>}};
}

}  // namespace

const MatMulKernel kMatMulAvx2Fma = MakeF32<FmaStep>();
const MatMulKernel kMatMulAvx2Muladd = MakeF32<MuladdStep>();
const MatMulKernel kMatMulAvx2Bf16 = {
    kMr,
    kNr,
    2,
    false,
    false,
    PackAlong<kMr, Words::kBF16Steps>,
    PackScalar<kMr, Words::kBF16Steps, false>,
    PackAlong<kNr, Words::kBF16Steps>,
    PackBAcross<Words::kBF16Steps>,
    {nullptr, MicroBF16<1>, MicroBF16<2>, MicroBF16<3>, MicroBF16<4>, MicroBF16<5>, MicroBF16<6>}};

}  // namespace pintle::kernels
#endif  // __x86_64__
