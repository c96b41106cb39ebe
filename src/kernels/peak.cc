#include "kernels/peak.h"

#include <algorithm>
#include <chrono>

#include "kernels/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace pintle::kernels {
namespace {

// Sixteen independent chains cover a latency of 4 to 8 cycles on two units; where there are sixteen registers in all,
// twelve. They are named: an array would spill. X gets the number of a chain and the words behind.
// clang-format off
#define PINTLE_TWELVE(X, ...) \
  X(0, __VA_ARGS__) X(1, __VA_ARGS__) X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__) X(5, __VA_ARGS__) \
  X(6, __VA_ARGS__) X(7, __VA_ARGS__) X(8, __VA_ARGS__) X(9, __VA_ARGS__) X(10, __VA_ARGS__) X(11, __VA_ARGS__)
#define PINTLE_SIXTEEN(X, ...) \
  PINTLE_TWELVE(X, __VA_ARGS__) X(12, __VA_ARGS__) X(13, __VA_ARGS__) X(14, __VA_ARGS__) X(15, __VA_ARGS__)

// The rounds of a loop of type Loop: each chain is one `instruction` on three registers of the class `in`, its first
// operand the sum. Written in assembly, so that no compiler merges the chains or moves them out.
#define PINTLE_CHAIN(i, in, instruction) auto c##i = a;
#define PINTLE_LINK(i, in, instruction) asm volatile(instruction : "+" in(c##i) : in(a), in(b));
#define PINTLE_ROUNDS(chains, in, instruction)                    \
  asm volatile("" : "+" in(a), "+" in(b));                        \
  chains(PINTLE_CHAIN, in, instruction)                           \
  for (int64_t round = 0; round < rounds; ++round) {              \
    chains(PINTLE_LINK, in, instruction)                          \
  }
// clang-format on

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Runs `rounds` rounds of the loop and returns the floating-point operations of one round.
using Loop = int64_t (*)(int64_t rounds);

#if defined(__x86_64__)
__attribute__((target("avx512f"))) int64_t LoopAvx512(int64_t rounds) {
  __m512 a = _mm512_set1_ps(1.0f);
  __m512 b = _mm512_set1_ps(0.0f);
  PINTLE_ROUNDS(PINTLE_SIXTEEN, "v", "vfmadd231ps %1, %2, %0")
  return 16 * 16 * 2;
}

__attribute__((target("avx512f,avx512bf16"))) int64_t LoopAvx512Bf16(int64_t rounds) {
  __m512 a = _mm512_set1_ps(1.0f);
  __m512 b = _mm512_set1_ps(0.0f);
  PINTLE_ROUNDS(PINTLE_SIXTEEN, "v", "vdpbf16ps %1, %2, %0")
  return 16 * 32 * 2;
}

__attribute__((target("avx2,fma"))) int64_t LoopAvx2(int64_t rounds) {
  __m256 a = _mm256_set1_ps(1.0f);
  __m256 b = _mm256_set1_ps(0.0f);
  PINTLE_ROUNDS(PINTLE_TWELVE, "x", "vfmadd231ps %1, %2, %0")
  return 12 * 8 * 2;
}

__attribute__((target("avx512f"))) uint64_t ReadAvx512(const unsigned char* from, int64_t bytes) {
  __m512i x0 = _mm512_setzero_si512();
  __m512i x1 = x0;
  __m512i x2 = x0;
  __m512i x3 = x0;
  for (int64_t i = 0; i + 256 <= bytes; i += 256) {
    x0 = _mm512_xor_si512(x0, _mm512_load_si512(from + i));
    x1 = _mm512_xor_si512(x1, _mm512_load_si512(from + i + 64));
    x2 = _mm512_xor_si512(x2, _mm512_load_si512(from + i + 128));
    x3 = _mm512_xor_si512(x3, _mm512_load_si512(from + i + 192));
  }
  x0 = _mm512_xor_si512(_mm512_xor_si512(x0, x1), _mm512_xor_si512(x2, x3));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(x0)));
}
#endif

int64_t LoopPortable(int64_t rounds) {
#if defined(__aarch64__)
  float32x4_t a = vdupq_n_f32(1.0f);
  float32x4_t b = vdupq_n_f32(0.0f);
  PINTLE_ROUNDS(PINTLE_SIXTEEN, "w", "fmla %0.4s, %1.4s, %2.4s")
  return 16 * 4 * 2;
#else
  using Lanes = float __attribute__((vector_size(16)));
  volatile float seed = 0.0f;
  const Lanes a{seed, seed, seed, seed};
  const Lanes b = a + 1.0f;
#define PINTLE_MULTIPLY_ADD(i, in) c##i = c##i * b + a;
#define PINTLE_ADD(i, in) sum += c##i;
  PINTLE_SIXTEEN(PINTLE_CHAIN, "", "")
  for (int64_t round = 0; round < rounds; ++round) {
    PINTLE_SIXTEEN(PINTLE_MULTIPLY_ADD, "")
  }
  Lanes sum = a;
  PINTLE_SIXTEEN(PINTLE_ADD, "")
  seed = sum[0];
  return 16 * 4 * 2;
#endif
}

uint64_t ReadPlain(const unsigned char* from, int64_t bytes) {
  using Lanes = uint64_t __attribute__((vector_size(16)));
  Lanes x0{};
  Lanes x1{};
  const auto* lanes = reinterpret_cast<const Lanes*>(from);
  for (int64_t i = 0; i + 1 < bytes / 16; i += 2) {
    x0 ^= lanes[i];
    x1 ^= lanes[i + 1];
  }
  return x0[0] ^ x1[1];
}

/// About 1.1 million cycles at two instructions a cycle.
constexpr int64_t kRounds = 140'000;

double BestRate(ThreadPool& pool, int samples, Loop loop) {
  double best = 0;
  for (int sample = 0; sample < samples; ++sample) {
    int64_t operations = 0;
    const double start = Now();
    pool.ParallelFor(pool.threads(), [&](int64_t item) {
      const int64_t each = loop(kRounds);
      if (item == 0) operations = each;
    });
    const double seconds = Now() - start;
    best = std::max(best, static_cast<double>(operations * kRounds * pool.threads()) / seconds * 1e-9);
  }
  return best;
}

}  // namespace

double PeakF32Gflops(ThreadPool& pool, int samples) {
  Loop loop = LoopPortable;
#if defined(__x86_64__)
  if (ActiveTarget() >= Target::kAvx2) loop = LoopAvx2;
  if (ActiveTarget() >= Target::kAvx512) loop = LoopAvx512;
#endif
  return BestRate(pool, samples, loop);
}

double PeakBF16Gflops(ThreadPool& pool, int samples) {
  Loop loop = LoopPortable;
#if defined(__x86_64__)
  if (ActiveTarget() >= Target::kAvx2) loop = LoopAvx2;
  if (ActiveTarget() == Target::kAvx512Bf16) loop = LoopAvx512Bf16;
#endif
  return BestRate(pool, samples, loop);
}

double PeakReadGbPerSecond(ThreadPool& pool, const void* memory, int64_t bytes, int samples) {
  auto* read = &ReadPlain;
#if defined(__x86_64__)
  if (ActiveTarget() >= Target::kAvx512) read = &ReadAvx512;
#endif
  const auto* from = static_cast<const unsigned char*>(memory);
  // 1 MiB pieces taken in turn: a thread that is held up does not hold up the sample.
  constexpr int64_t kPiece = int64_t{1} << 20;
  const int64_t pieces = bytes / kPiece;
  double best = 0;
  for (int sample = 0; sample < samples; ++sample) {
    const double start = Now();
    pool.ParallelFor(pieces, [&](int64_t piece) {
      uint64_t bits = read(from + piece * kPiece, kPiece);
      asm volatile("" : "+r"(bits));
    });
    const double seconds = Now() - start;
    best = std::max(best, static_cast<double>(pieces * kPiece) / seconds * 1e-9);
  }
  return best;
}

}  // namespace pintle::kernels
