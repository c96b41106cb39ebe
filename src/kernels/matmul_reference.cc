// The plain definitions of matmul.h: three loops. Slow on purpose; every vector kernel is compared with these bits.
#include <cmath>

#include "kernels/matmul.h"
#include "kernels/matmul_scalar.h"

namespace pintle::kernels {
namespace {

float StartOf(const MatMulShape& s, const float* c, int64_t i, int64_t j) {
  return s.accumulate ? c[i * s.ldc + j] : 0.0f;
}

float Finish(const MatMulShape& s, const Epilogue& epilogue, float sum, int64_t i, int64_t j) {
  if (epilogue.bias != nullptr) sum = sum + epilogue.bias[j];
  if (epilogue.residual != nullptr) sum = sum + epilogue.residual[i * s.ldc + j];
  return sum;
}

int64_t IndexA(const MatMulShape& s, int64_t i, int64_t k) {
  return s.op == MatMulOp::kTN ? k * s.lda + i : i * s.lda + k;
}

int64_t IndexB(const MatMulShape& s, int64_t k, int64_t j) {
  return s.op == MatMulOp::kNT ? j * s.ldb + k : k * s.ldb + j;
}

}  // namespace

void ReferenceMatMulF32(const MatMulShape& s, Profile profile, const float* a, const float* b, float* c,
                        const Epilogue& epilogue) {
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      float sum = StartOf(s, c, i, j);
      for (int64_t k = 0; k < s.k; ++k) {
        const float x = a[IndexA(s, i, k)];
        const float y = b[IndexB(s, k, j)];
        sum = profile == Profile::kFma ? std::fma(x, y, sum) : sum + x * y;
      }
      c[i * s.ldc + j] = Finish(s, epilogue, sum, i, j);
    }
  }
}

void ReferenceMatMulBF16(const MatMulShape& s, const bf16* a, const bf16* b, float* c, const Epilogue& epilogue) {
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      float sum = StartOf(s, c, i, j);
      for (int64_t k = 0; k < s.k; k += 2) {
        const bool pair = k + 1 < s.k;
        sum = StepBF16(pair ? a[IndexA(s, i, k + 1)] : bf16{0}, pair ? b[IndexB(s, k + 1, j)] : bf16{0}, sum);
        sum = StepBF16(a[IndexA(s, i, k)], b[IndexB(s, k, j)], sum);
      }
      c[i * s.ldc + j] = Finish(s, epilogue, sum, i, j);
    }
  }
}

}  // namespace pintle::kernels
