// README.md of a model folder: what it is, from what and how it was made. Written from facts alone, so the same run
// gives the same card.
#pragma once

#include <cstdint>
#include <string>

#include "models/decoder/config.h"

namespace pintle {

/// What a model card says.
struct CardFacts {
  DecoderConfig decoder;
  std::string tokenizer_hash, shards_id, tokenizer_id, config_hash;
  int64_t steps = 0, targets = 0, seed = 0;
  double bits_per_byte = 0;  ///< 0 = not measured
  std::string config_toml;   ///< every setting
};

/// The card that training writes.
std::string TrainingCard(const CardFacts& facts);

}  // namespace pintle
