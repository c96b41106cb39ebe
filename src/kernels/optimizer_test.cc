#include "kernels/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/test_support.h"

namespace pintle::kernels {

TEST_CASE("AdamW equals its definition and the textbook") {
  const int64_t count = 40001;
  const auto w0 = RandomFloats(count, 1), m0 = RandomFloats(count, 2, 0.1f);
  auto v0 = RandomFloats(count, 3, 0.01f);
  for (float& v : v0) v = std::fabs(v);
  const auto g = RandomFloats(count, 4);
  AdamWStep step{.learning_rate = 1e-2, .weight_decay = 0.1, .step = 7, .gradient_scale = 0.5f};
  std::vector<float> w = w0, m = m0, v = v0;
  std::vector<bf16> half(w.size());
  ReferenceAdamW(step, w.data(), g.data(), m.data(), v.data(), half.data(), count);
  for (size_t i = 0; i < w.size(); i += 97) {
    const double gi = g[i] * 0.5, mi = 0.9 * m0[i] + 0.1 * gi, vi = 0.95 * v0[i] + 0.05 * gi * gi;
    const double expected =
        w0[i] * (1 - 1e-3) - 1e-2 * (mi / (1 - std::pow(0.9, 7))) / (std::sqrt(vi / (1 - std::pow(0.95, 7))) + 1e-8);
    CHECK(std::fabs(w[i] - expected) < 1e-6);
  }
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    ThreadPool pool(2);
    std::vector<float> w2 = w0, m2 = m0, v2 = v0;
    std::vector<bf16> half2(w.size());
    AdamW(step, w2.data(), g.data(), m2.data(), v2.data(), half2.data(), count, pool);
    CHECK(SameBits(w2, w));
    CHECK(SameBits(m2, m));
    CHECK(SameBits(v2, v));
    CHECK(SameBits(half2, half));
  });
}

TEST_CASE("Muon equals its definition and makes the update nearly orthogonal") {
  struct Case {
    int64_t rows, cols;
    bool bf16_products;
  };
  for (const auto& [rows, cols, bf16_products] :
       {Case{24, 40, false}, Case{40, 24, false}, Case{32, 32, false}, Case{24, 41, true}, Case{41, 24, true}}) {
    const int64_t count = rows * cols;
    const auto w0 = RandomFloats(count, 5), m0 = RandomFloats(count, 6), g = RandomFloats(count, 7);
    const MuonStep step{
        .learning_rate = 0.02, .weight_decay = 0.1, .gradient_scale = 0.25f, .bf16_products = bf16_products};
    std::vector<float> w = w0, m = m0, scratch(static_cast<size_t>(MuonScratch(rows, cols)));
    std::vector<bf16> half(w.size());
    ReferenceMuon(step, w.data(), g.data(), m.data(), half.data(), rows, cols, scratch.data());
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      ThreadPool pool(2);
      std::vector<float> w2 = w0, m2 = m0;
      std::vector<bf16> half2(w.size());
      Muon(step, w2.data(), g.data(), m2.data(), half2.data(), rows, cols, scratch.data(), pool);
      CHECK(SameBits(w2, w));
      CHECK(SameBits(m2, m));
      CHECK(SameBits(half2, half));
    });
    // The update has singular values near 1, so its squared norm is near min(rows, cols).
    double norm = 0;
    const double factor = 0.02 * std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(cols)));
    for (size_t i = 0; i < w.size(); ++i) norm += std::pow((w0[i] * (1 - 0.002) - w[i]) / factor, 2);
    const auto rank = static_cast<double>(std::min(rows, cols));
    CHECK(norm > 0.5 * rank);
    CHECK(norm < 1.5 * rank);
  }
}

TEST_CASE("the moving average equals its definition") {
  const auto w = RandomFloats(1000, 8);
  auto average = RandomFloats(1000, 9), expected = average;
  ThreadPool pool(1);
  Ema(0.99, w.data(), average.data(), 1000, pool);
  ReferenceEma(0.99, w.data(), expected.data(), 1000);
  CHECK(SameBits(average, expected));
}

}  // namespace pintle::kernels
