// Rounding fp32 to bf16: to nearest, ties to even, on the integer bits, so every target agrees (vcvtneps2bf16 would
// flush subnormals). A NaN keeps its upper bits and becomes quiet.
#include <algorithm>

#include "kernels/matmul.h"
#include "kernels/matmul_scalar.h"
#include "kernels/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pintle::kernels {
namespace {

// 256 KiB of floats: an item is worth waking a thread for.
constexpr int64_t kItem = 65536;

void ConvertPlain(const float* from, bf16* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = BF16FromFloat(from[i]);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))) void ConvertAvx512(const float* from, bf16* to,
                                                                                 int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m512i bits = _mm512_loadu_si512(from + i);
    const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, even), _mm512_set1_epi32(0x7fff));
    const __mmask16 nan = _mm512_cmp_ps_mask(_mm512_castsi512_ps(bits), _mm512_castsi512_ps(bits), _CMP_UNORD_Q);
    const __m512i result = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x00400000));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm512_cvtepi32_epi16(_mm512_srli_epi32(result, 16)));
  }
  ConvertPlain(from + i, to + i, count - i);
}

__attribute__((target("avx2"))) void ConvertAvx2(const float* from, bf16* to, int64_t count) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 value = _mm256_loadu_ps(from + i);
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, even), _mm256_set1_epi32(0x7fff));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1)));
  }
  ConvertPlain(from + i, to + i, count - i);
}
#endif

}  // namespace

void ConvertF32ToBF16(const float* from, bf16* to, int64_t count, ThreadPool& pool) {
  auto* convert = &ConvertPlain;
#if defined(__x86_64__)
  if (ActiveTarget() >= Target::kAvx2) convert = &ConvertAvx2;
  if (ActiveTarget() >= Target::kAvx512) convert = &ConvertAvx512;
#endif
  pool.ParallelFor((count + kItem - 1) / kItem, [&](int64_t item) {
    const int64_t first = item * kItem;
    convert(from + first, to + first, std::min(kItem, count - first));
  });
}

}  // namespace pintle::kernels
