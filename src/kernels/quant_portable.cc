// Products with quantised weights in plain C++: the definition, and what runs where no vector kernel exists.
#include <algorithm>

#include "kernels/quant_layout.h"

namespace pintle::kernels {
namespace {

// Round to nearest even for |x| < 2^22, by the default rounding of an addition.
int32_t RoundEven(float x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23
  return static_cast<int32_t>((x + kMagic) - kMagic);
}

void QuantizeRow(const float* x, int64_t token, const QuantActivations& out) {
  const int64_t blocks = out.columns / 32;
  for (int64_t b = 0; b < blocks; ++b) {
    const float* from = x + b * 32;
    float largest = 0;
    bool finite = true;
    for (int k = 0; k < 32; ++k) {
      const float magnitude = from[k] < 0 ? -from[k] : from[k];
      finite = finite && magnitude <= 3.40282347e38f;
      largest = std::max(largest, magnitude);
    }
    const int64_t at = token * blocks + b;
    const bool zero = !finite || largest < 0x1p-100f;
    const float inverse = zero ? 0.0f : 127.0f / largest;
    const float scale = !finite ? __builtin_nanf("") : zero ? 0.0f : largest / 127.0f;
    int32_t sums[2] = {0, 0};
    for (int k = 0; k < 32; ++k) {
      const int32_t q = zero ? 0 : RoundEven(from[k] * inverse);
      out.q[token * out.columns + b * 32 + k] = static_cast<int8_t>(q);
      sums[k / 16] += q;
    }
    out.scale[at] = scale;
    out.sum[at] = scale * static_cast<float>(sums[0] + sums[1]);
    out.negative_sums[2 * at] = -sums[0];
    out.negative_sums[2 * at + 1] = -sums[1];
  }
}

template <QuantType kType>
void Tile(const QuantTile& tile) {
  constexpr const QuantFormat& kFormat = FormatOf(kType);
  const QuantActivations& x = *tile.x;
  const int64_t blocks = x.columns / 32;
  QuantBlockValues w{};
  for (int64_t row = 0; row < tile.rows; ++row) {
    for (int64_t token = 0; token < tile.count; ++token) {
      float* c = tile.c + token * tile.ldc + row;
      const float before = tile.residual != nullptr ? tile.residual[token * tile.ldc + row] : 0.0f;
      float acc = 0;
      for (int64_t b = 0; b < blocks; ++b) {
        UnpackQuantBlock(kType, tile.panel, b, row, w);
        const int8_t* q = x.q + token * x.columns + b * 32;
        int32_t halves[2] = {0, 0};
        for (int k = 0; k < 32; ++k) halves[k / 16] += w.q[k] * q[k];
        const int32_t sum = w.half[0] * halves[0] + w.half[1] * halves[1];
        const int64_t at = token * blocks + b;
        acc = acc + static_cast<float>(sum) * (w.scale * x.scale[at]);
        if (kFormat.minimum) acc = acc + w.minimum * x.sum[at];
      }
      if (tile.bias != nullptr) acc = acc + tile.bias[row];
      if (tile.residual != nullptr) acc = acc + before;
      *c = acc;
    }
  }
}

}  // namespace

const QuantKernel kQuantPortable = {
    {Tile<QuantType::kQ8_0>, Tile<QuantType::kQ4_0>, Tile<QuantType::kQ4_1>, Tile<QuantType::kQ5_0>,
     Tile<QuantType::kQ5_1>, Tile<QuantType::kQ4_K>, Tile<QuantType::kQ5_K>, Tile<QuantType::kQ6_K>,
     Tile<QuantType::kIQ4_NL>, Tile<QuantType::kIQ4_XS>},
    QuantizeRow};

}  // namespace pintle::kernels
