#include "models/decoder/init.h"

#include <algorithm>
#include <array>

#include "base/rng.h"
#include "kernels/elementwise.h"
#include "kernels/math.h"

namespace pintle {
namespace {

constexpr double kTwoPi = 6.28318530717958647692;
constexpr double kDeviation = 0.02;
constexpr double kCut = 3.0;

double Normal(uint32_t radius_bits, uint32_t angle_bits) {
  const double u = (static_cast<double>(radius_bits) + 0.5) * 0x1p-32;  // in (0, 1)
  const double angle = kTwoPi * (static_cast<double>(angle_bits) * 0x1p-32);
  return kernels::Sqrt(-2 * kernels::Log(u)) * kernels::Cos(angle);
}

}  // namespace

double TruncatedNormal(uint64_t seed, uint64_t tensor, uint32_t element) {
  const std::array<uint32_t, 4> words = RandomBlock(seed, Purpose::kInit, tensor, element);
  const double first = Normal(words[0], words[1]);
  if (first >= -kCut && first <= kCut) return first;
  return std::clamp(Normal(words[2], words[3]), -kCut, kCut);  // a second miss has a chance of 7 in a million
}

void InitDecoder(uint64_t seed, const DecoderWeights& weights, ParameterRegistry& registry, ThreadPool& pool) {
  const double residual = kernels::Sqrt(2 * static_cast<double>(weights.layers.size()));
  const auto is_residual = [&](const Parameter* p) {
    return std::any_of(weights.layers.begin(), weights.layers.end(),
                       [&](const DecoderBlock& layer) { return p == layer.o_proj || p == layer.down_proj; });
  };
  uint64_t tensor = 0;
  for (Parameter& p : registry.all()) {
    float* w = p.weight.f32();
    const int64_t count = p.shape.Count();
    if (p.shape.rank() == 1) {
      kernels::Fill(w, 1.0f, count, pool);
    } else {
      const double scale = kDeviation / (is_residual(&p) ? residual : 1);
      constexpr int64_t kPiece = 4096;
      pool.ParallelFor((count + kPiece - 1) / kPiece, [&](int64_t piece) {
        for (int64_t i = piece * kPiece; i < std::min(count, (piece + 1) * kPiece); ++i) {
          w[i] = static_cast<float>(scale * TruncatedNormal(seed, tensor, static_cast<uint32_t>(i)));
        }
      });
    }
    ++tensor;
  }
}

}  // namespace pintle
