// Which type each tensor of a quantised model gets: plain types, and the mixes Q4_K_M and Q5_K_M that spend more bits
// where they count. Shared by `quantize` and `models synth`. Source: the tensor types of published files of these
// names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"

namespace pintle {

/// A named choice of types.
struct QuantMix {
  const char* name;    ///< as on the command line: "q4_k_m"
  GgufType base;       ///< of most matrices
  bool more_bits;      ///< Q6_K for the head and, in the layers that count, attn_v and ffn_down
  uint32_t file_type;  ///< general.file_type
};

/// f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k_m, q5_k_m, q4_k_s, q5_k_s, q6_k, iq4_nl, iq4_xs; else a usage
/// error that lists them.
Result<QuantMix> FindQuantMix(std::string_view name);

/// The type of one tensor of a model of `layers` layers; `tied`: token_embd is the head. Vectors are F32; matrices
/// whose rows do not divide into blocks of 256 become Q8_0, those of 32 F16.
GgufType MixedType(const QuantMix& mix, std::string_view tensor, const std::vector<int64_t>& shape, int64_t layers,
                   bool tied);

}  // namespace pintle
