#include "kernels/matmul_hash.h"

#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "base/rng.h"

namespace pintle::kernels {

void FillUniform(uint64_t seed, int64_t count, float* values) {
  RandomStream random(seed, Purpose::kTest, 0);
  for (int64_t i = 0; i < count; ++i) values[i] = random.NextFloat() * 2.0f - 1.0f;
}

uint64_t MatMulHash(const char* dtype, Profile profile, const MatMulShape& shape, int threads) {
  ThreadPool pool(threads);
  const int64_t rows_a = shape.op == MatMulOp::kTN ? shape.k : shape.m;
  const int64_t rows_b = shape.op == MatMulOp::kNT ? shape.n : shape.k;
  std::vector<float> a(static_cast<size_t>(rows_a * shape.lda));
  std::vector<float> b(static_cast<size_t>(rows_b * shape.ldb));
  std::vector<float> c(static_cast<size_t>(shape.m * shape.ldc));
  FillUniform(1, static_cast<int64_t>(a.size()), a.data());
  FillUniform(2, static_cast<int64_t>(b.size()), b.data());
  FillUniform(3, static_cast<int64_t>(c.size()), c.data());
  std::vector<float> bias(static_cast<size_t>(shape.n));
  FillUniform(4, shape.n, bias.data());
  const Epilogue epilogue{.bias = bias.data(), .residual = nullptr};
  if (std::strcmp(dtype, "bf16") == 0) {
    std::vector<bf16> a16(a.size());
    std::vector<bf16> b16(b.size());
    ConvertF32ToBF16(a.data(), a16.data(), static_cast<int64_t>(a.size()), pool);
    ConvertF32ToBF16(b.data(), b16.data(), static_cast<int64_t>(b.size()), pool);
    MatMulBF16(shape, a16.data(), b16.data(), c.data(), epilogue, pool);
  } else {
    MatMulF32(shape, profile, a.data(), b.data(), c.data(), epilogue, pool);
  }
  return Fnv1a({reinterpret_cast<const char*>(c.data()), c.size() * sizeof(float)});
}

std::vector<std::pair<std::string, uint64_t>> MatMulHashes() {
  struct Extents {
    int64_t m, n, k;
    int threads;
  };
  constexpr Extents kExtents[] = {{1, 70, 300, 1}, {97, 131, 1031, 2}, {230, 96, 600, 3}};
  constexpr const char* kOps[] = {"nn", "nt", "tn"};
  std::vector<std::pair<std::string, uint64_t>> rows;
  for (const std::string type : {"f32-fma", "f32-muladd", "bf16"}) {
    for (int op = 0; op < 3; ++op) {
      for (const Extents& e : kExtents) {
        MatMulShape shape{static_cast<MatMulOp>(op), e.m, e.n, e.k, 0, 0, e.n + 2, e.m > 100};
        shape.lda = (shape.op == MatMulOp::kTN ? e.m : e.k) + 3;
        shape.ldb = (shape.op == MatMulOp::kNT ? e.k : e.n) + 1;
        const Profile profile = type == "f32-muladd" ? Profile::kMuladd : Profile::kFma;
        const std::string name = "matmul-" + type + "-" + kOps[op] + "-" + std::to_string(e.m) + "x" +
                                 std::to_string(e.n) + "x" + std::to_string(e.k);
        rows.emplace_back(name, MatMulHash(type.c_str(), profile, shape, e.threads));
      }
    }
  }
  return rows;
}

}  // namespace pintle::kernels
