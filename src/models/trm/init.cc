#include "models/trm/init.h"

#include <algorithm>
#include <array>

#include "base/rng.h"
#include "kernels/math.h"

namespace pintle {
namespace {

constexpr double kTwoPi = 6.28318530717958647692;
// Deviation of a standard normal number that is cut at two.
constexpr double kCutDeviation = 0.87962566103423978;

double Normal(uint32_t radius_bits, uint32_t angle_bits) {
  const double u = (static_cast<double>(radius_bits) + 0.5) * 0x1p-32;  // in (0, 1)
  const double angle = kTwoPi * (static_cast<double>(angle_bits) * 0x1p-32);
  return kernels::Sqrt(-2 * kernels::Log(u)) * kernels::Cos(angle);
}

void Fill(uint64_t seed, uint64_t tensor, double deviation, float* to, int64_t count, ThreadPool& pool) {
  constexpr int64_t kPiece = 4096;
  pool.ParallelFor((count + kPiece - 1) / kPiece, [&](int64_t piece) {
    for (int64_t i = piece * kPiece; i < std::min(count, (piece + 1) * kPiece); ++i) {
      to[i] = static_cast<float>(deviation * TrmTruncatedNormal(seed, tensor, static_cast<uint32_t>(i)));
    }
  });
}

}  // namespace

double TrmTruncatedNormal(uint64_t seed, uint64_t tensor, uint32_t element) {
  // One draw in 22 lies outside and is drawn again, so the distribution is exact.
  for (uint64_t attempt = 0;; ++attempt) {
    const std::array<uint32_t, 4> words = RandomBlock(seed, Purpose::kInit, tensor | attempt << 32, element);
    for (const double x : {Normal(words[0], words[1]), Normal(words[2], words[3])}) {
      if (x >= -2 && x <= 2) return x / kCutDeviation;
    }
  }
}

void InitTrm(uint64_t seed, TrmWeights& weights, ParameterRegistry& registry, ThreadPool& pool) {
  uint64_t tensor = 0;
  for (Parameter& p : registry.all()) {
    const int64_t count = p.shape.Count();
    if (&p == weights.q_head_weight) {
      std::fill_n(p.weight.f32(), count, 0.0f);
    } else if (&p == weights.q_head_bias) {
      std::fill_n(p.weight.f32(), count, -5.0f);
    } else {
      Fill(seed, tensor, 1.0 / kernels::Sqrt(static_cast<double>(p.shape.Columns())), p.weight.f32(), count, pool);
    }
    ++tensor;
  }
  for (std::vector<float>* state : {&weights.h_init, &weights.l_init}) {
    Fill(seed, tensor++, 1.0, state->data(), static_cast<int64_t>(state->size()), pool);
  }
  std::fill(weights.puzzle_emb.begin(), weights.puzzle_emb.end(), 0.0f);
}

}  // namespace pintle
