#include "models/trm/config.h"

#include <string>

namespace pintle {
namespace {

// What decoding, training and files can bear; far above every use.
constexpr int64_t kMaxPositions = 4096, kMaxWidth = 2048, kMaxVocab = 4096, kMaxCycles = 64;

struct Bound {
  const char* name;
  int64_t value, least, most;
};

}  // namespace

int64_t TrmConfig::Inner(int64_t x) const {
  const int64_t wanted = (8 * x + 1) / 3;  // 4x * 2/3, rounded to nearest: thirds have no ties
  return (wanted + inner_rounding - 1) / inner_rounding * inner_rounding;
}

TrmConfig ReferenceShape(TrmConfig config) {
  config.prefix = 16;
  config.inner_rounding = 256;
  return config;
}

int64_t TrmParameterCount(const TrmConfig& c) {
  const int64_t length = c.positions_count();
  const int64_t mixer = c.mixing == TrmMixing::kMlpT    ? 3 * c.Inner(length) * length
                        : c.mixing == TrmMixing::kLocal ? kTrmNeighbours * c.width * c.width
                                                        : 4 * c.width * c.width;
  return 2 * c.vocab * c.width + 2 * c.width + 2 + c.layers * (mixer + 3 * c.Inner(c.width) * c.width);
}

double TrmFlopsPerEvaluation(const TrmConfig& c) {
  const auto length = static_cast<double>(c.positions_count()), width = static_cast<double>(c.width);
  const double channels = 6 * length * width * static_cast<double>(c.Inner(c.width));
  const double positions =
      c.mixing == TrmMixing::kMlpT    ? 6 * length * width * static_cast<double>(c.Inner(c.positions_count()))
      : c.mixing == TrmMixing::kLocal ? 2 * length * width * width * static_cast<double>(kTrmNeighbours)
                                      : 8 * length * width * width + 4 * length * length * width;
  return static_cast<double>(c.layers) * (channels + positions);
}

Status ValidateTrmConfig(const TrmConfig& c, const std::string& where) {
  const Bound bounds[] = {{"cells", c.cells, 1, kMaxPositions},
                          {"vocab_size", c.vocab, 2, kMaxVocab},
                          {"puzzle_emb_len", c.prefix, 1, kMaxPositions},
                          {"hidden_size", c.width, 16, kMaxWidth},
                          {"L_layers", c.layers, 1, 16},
                          {"num_heads", c.heads, 1, 256},
                          {"H_cycles", c.h_cycles, 1, kMaxCycles},
                          {"L_cycles", c.l_cycles, 1, kMaxCycles},
                          {"inner_rounding", c.inner_rounding, 8, 4096},
                          {"halt_max_steps", c.halt_max_steps, 1, 4096},
                          {"num_puzzle_identifiers", c.puzzle_ids, 1, 10'000'000}};
  for (const Bound& bound : bounds) {
    if (bound.value < bound.least || bound.value > bound.most) {
      return ConfigError(std::string(bound.name) + " = " + std::to_string(bound.value) + " is not between " +
                             std::to_string(bound.least) + " and " + std::to_string(bound.most),
                         where);
    }
  }
  if (c.width % 16 != 0) {
    return ConfigError("hidden_size " + std::to_string(c.width) + " is no multiple of 16", where);
  }
  if (c.inner_rounding % 8 != 0) return ConfigError("inner_rounding is no multiple of 8", where);
  if (c.positions_count() > kMaxPositions) return ConfigError("more than 4096 positions", where);
  const bool grid = c.rows >= 1 && c.columns >= 1 && c.columns <= kMaxPositions && c.rows <= kMaxPositions &&
                    c.rows * c.columns == c.cells;
  if (c.mixing != TrmMixing::kAttention) {
    if (c.positions != TrmPositions::kNone) {
      return ConfigError("mlp_t and local mixing know their positions; pos_encodings must be none", where);
    }
    if (c.mixing == TrmMixing::kLocal && !grid) return ConfigError("local mixing needs rows x columns = cells", where);
  } else {
    const int64_t parts = c.positions == TrmPositions::kRope2d ? 4 : 2;
    if (c.width % (c.heads * parts) != 0) {
      return ConfigError("hidden_size / num_heads must be a multiple of " + std::to_string(parts), where);
    }
    if (c.width / c.heads > 256) return ConfigError("hidden_size / num_heads is above 256", where);
    if (c.positions == TrmPositions::kRope2d && !grid) {
      return ConfigError("rope2d needs rows x columns = cells", where);
    }
  }
  if (c.dtype != DType::kF32 && c.dtype != DType::kBF16) return ConfigError("dtype must be f32 or bf16", where);
  if (const int64_t count = TrmParameterCount(c); count > kTrmMaxParameters) {
    return ConfigError(std::to_string(count) + " parameters; the limit is " + std::to_string(kTrmMaxParameters), where);
  }
  if (c.puzzle_ids * c.width > kTrmMaxParameters) return ConfigError("the puzzle embedding is too large", where);
  return {};
}

}  // namespace pintle
