// Matrix multiplication on aarch64 NEON: the 14x8 micro-kernel (28 accumulators), for fp32 in both profiles. bf16 is
// emulated with one FMA a step and the flush of vdpbf16ps by integer compares: the processor's own flush decides before
// rounding.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/matmul_kernel.h"
#include "kernels/matmul_pack.h"

namespace pintle::kernels {
namespace {

#define PINTLE_MATMUL_ATTR
#define PINTLE_INLINE inline __attribute__((always_inline))

using V = float32x4_t;
constexpr int kLanes = 4;
constexpr int kMr = 14;
constexpr int kNr = 8;

PINTLE_INLINE V Zero() { return vdupq_n_f32(0.0f); }
PINTLE_INLINE V Load(const float* from) { return vld1q_f32(from); }
PINTLE_INLINE V LoadWords(const uint32_t* from) { return vreinterpretq_f32_u32(vld1q_u32(from)); }
PINTLE_INLINE void Store(float* to, V value) { vst1q_f32(to, value); }
PINTLE_INLINE V Broadcast(const uint32_t* from) { return vreinterpretq_f32_u32(vld1q_dup_u32(from)); }
PINTLE_INLINE V Add(V a, V b) { return vaddq_f32(a, b); }

struct FmaStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return vfmaq_f32(c, a, b); }
};
struct MuladdStep {
  PINTLE_INLINE static V Do(V a, V b, V c) { return vaddq_f32(c, vmulq_f32(a, b)); }
};
struct BF16Step {
  static V Corner(V a, V b, V c) {
    float x[4];
    float y[4];
    float z[4];
    vst1q_f32(x, a);
    vst1q_f32(y, b);
    vst1q_f32(z, c);
    for (int i = 0; i < 4; ++i) z[i] = StepBF16(x[i], y[i], z[i]);
    return vld1q_f32(z);
  }
  /// Results above the smallest normal number are plain; at or below it (rare) the scalar step decides.
  PINTLE_INLINE static V Do(V a, V b, V c) {
    const V sum = vfmaq_f32(c, a, b);
    const uint32x4_t small = vcaleq_f32(sum, vdupq_n_f32(0x1p-126f));
    const uint32x4_t nonzero = vtstq_u32(vreinterpretq_u32_f32(sum), vdupq_n_u32(0x7fffffffu));
    const uint32x4_t odd = vcltq_f32(vabsq_f32(c), vdupq_n_f32(0x1p-126f));
    const uint32x4_t odd_nonzero = vandq_u32(odd, vtstq_u32(vreinterpretq_u32_f32(c), vdupq_n_u32(0x7fffffffu)));
    if (__builtin_expect(vmaxvq_u32(vorrq_u32(vandq_u32(small, nonzero), odd_nonzero)) != 0, 0)) return Corner(a, b, c);
    return sum;
  }
};

#include "kernels/matmul_micro-inl.h"

template <class Step, Words kWords>
constexpr MatMulKernel Make() {
  return {kMr,
          kNr,
          kElementBytes<kWords>,
          false,
          true,
          PackScalar<kMr, kWords, true>,
          PackScalar<kMr, kWords, false>,
          PackScalar<kNr, kWords, true>,
          PackScalar<kNr, kWords, false>,
          {nullptr, Micro<Step, 1>, Micro<Step, 2>, Micro<Step, 3>, Micro<Step, 4>, Micro<Step, 5>, Micro<Step, 6>,
           Micro<Step, 7>, Micro<Step, 8>, Micro<Step, 9>, Micro<Step, 10>, Micro<Step, 11>, Micro<Step, 12>,
           Micro<Step, 13>, Micro<Step, 14>}};
}

}  // namespace

const MatMulKernel kMatMulNeonFma = Make<FmaStep, Words::kF32>();
const MatMulKernel kMatMulNeonMuladd = Make<MuladdStep, Words::kF32>();
const MatMulKernel kMatMulNeonBf16 = Make<BF16Step, Words::kBF16Steps>();

}  // namespace pintle::kernels
#endif  // __aarch64__
