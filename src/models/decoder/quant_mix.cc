#include "models/decoder/quant_mix.h"

#include <cstdlib>

namespace pintle {
namespace {

constexpr QuantMix kMixes[] = {
    {"f32", GgufType::kF32, false, 0},        {"f16", GgufType::kF16, false, 1},
    {"bf16", GgufType::kBF16, false, 32},     {"q8_0", GgufType::kQ8_0, false, 7},
    {"q4_0", GgufType::kQ4_0, false, 2},      {"q4_1", GgufType::kQ4_1, false, 3},
    {"q5_0", GgufType::kQ5_0, false, 8},      {"q5_1", GgufType::kQ5_1, false, 9},
    {"q4_k_s", GgufType::kQ4_K, false, 14},   {"q4_k_m", GgufType::kQ4_K, true, 15},
    {"q5_k_s", GgufType::kQ5_K, false, 16},   {"q5_k_m", GgufType::kQ5_K, true, 17},
    {"q6_k", GgufType::kQ6_K, false, 18},     {"iq4_nl", GgufType::kIQ4_NL, false, 25},
    {"iq4_xs", GgufType::kIQ4_XS, false, 30},
};

// "blk.12.attn_v.weight" is layer 12; -1 without one.
int64_t LayerOf(std::string_view tensor) {
  if (!tensor.starts_with("blk.")) return -1;
  int64_t layer = 0;
  for (size_t i = 4; i < tensor.size() && tensor[i] >= '0' && tensor[i] <= '9' && layer < 100000; ++i) {
    layer = 10 * layer + (tensor[i] - '0');
  }
  return layer;
}

}  // namespace

Result<QuantMix> FindQuantMix(std::string_view name) {
  std::string known;
  for (const QuantMix& mix : kMixes) {
    if (name == mix.name) return mix;
    known += std::string(known.empty() ? "" : ", ") + mix.name;
  }
  return UsageError("there is no type '" + std::string(name) + "'", "--type", "types: " + known);
}

GgufType MixedType(const QuantMix& mix, std::string_view tensor, const std::vector<int64_t>& shape, int64_t layers,
                   bool tied) {
  if (shape.size() < 2) return GgufType::kF32;
  GgufType type = mix.base;
  if (mix.more_bits) {
    const int64_t layer = LayerOf(tensor);
    const bool head = tensor == "output.weight" || (tied && tensor == "token_embd.weight");
    const bool sensitive = tensor.find(".attn_v.") != tensor.npos || tensor.find(".ffn_down.") != tensor.npos;
    const bool counts = layer >= 0 && (layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2);
    if (head || (sensitive && counts)) type = GgufType::kQ6_K;
  }
  if (shape.back() % 32 != 0 && GgufBytes(type, shape.back(), shape.back()) < 0) return GgufType::kF16;
  if (GgufBytes(type, shape.back(), shape.back()) < 0) return GgufType::kQ8_0;
  return type;
}

}  // namespace pintle
