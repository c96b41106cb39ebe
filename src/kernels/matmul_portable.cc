// Matrix multiplication without an instruction set of our own: the compiler's vector extension, four lanes, as SSE2 and
// WASM SIMD have them, and a 4x8 micro-kernel. The muladd profile is fast; the fma profile and bf16 go lane by lane
// through the exact scalar steps.
#include "kernels/matmul_kernel.h"
#include "kernels/matmul_pack.h"

namespace pintle::kernels {
namespace {

#define PINTLE_MATMUL_ATTR

using V = float __attribute__((vector_size(16)));
constexpr int kLanes = 4;
constexpr int kMr = 4;
constexpr int kNr = 8;

inline V Zero() { return V{0, 0, 0, 0}; }
inline V Load(const float* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline V LoadWords(const uint32_t* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline void Store(float* to, V value) { __builtin_memcpy(to, &value, sizeof value); }
inline V Broadcast(const uint32_t* from) {
  const float value = FloatFromBits(*from);
  return V{value, value, value, value};
}
inline V Add(V a, V b) { return a + b; }

struct FmaStep {
  static V Do(V a, V b, V c) {
    return V{FmaExact(a[0], b[0], c[0]), FmaExact(a[1], b[1], c[1]), FmaExact(a[2], b[2], c[2]),
             FmaExact(a[3], b[3], c[3])};
  }
};
struct MuladdStep {
  static V Do(V a, V b, V c) { return c + a * b; }
};
struct BF16Step {
  static V Do(V a, V b, V c) {
    return V{StepBF16(a[0], b[0], c[0]), StepBF16(a[1], b[1], c[1]), StepBF16(a[2], b[2], c[2]),
             StepBF16(a[3], b[3], c[3])};
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
          {nullptr, Micro<Step, 1>, Micro<Step, 2>, Micro<Step, 3>, Micro<Step, 4>}};
}

}  // namespace

const MatMulKernel kMatMulPortableFma = Make<FmaStep, Words::kF32>();
const MatMulKernel kMatMulPortableMuladd = Make<MuladdStep, Words::kF32>();
const MatMulKernel kMatMulPortableBf16 = Make<BF16Step, Words::kBF16Steps>();

}  // namespace pintle::kernels
