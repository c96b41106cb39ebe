// The families of foreign models that the one forward runs, by `general.architecture` of a GGUF file: what their files
// mean beyond the common part. A further family is a row here, as long as it differs in nothing else.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/gguf.h"
#include "models/decoder/config.h"

namespace pintle {

/// One family.
struct DecoderFamily {
  const char* architecture;
  bool qk_norm;           ///< attn_q_norm, attn_k_norm
  bool qkv_bias;          ///< attn_q.bias, attn_k.bias, attn_v.bias
  bool interleaved_rope;  ///< q and k rows are stored so that neighbours are the partners of RoPE (llama.cpp's
                          ///< converter permutes them); else the halves of a head are
};

/// Null for an unknown architecture.
const DecoderFamily* FindDecoderFamily(std::string_view architecture);

/// The configuration in a file's metadata, every number in its range, the tokens counted. RoPE scaling other than by
/// the tensor rope_freqs.weight is refused. `context` limits the file's own (0: as the file says). dtype is left at
/// fp32 and rope_factors empty: they follow from the tensors.
Result<DecoderConfig> GgufDecoderConfig(const GgufHeader& header, int64_t context, const std::string& where);

}  // namespace pintle
