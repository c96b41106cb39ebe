// The decoder's configuration: Qwen3-shaped (RMSNorm, RoPE, QK-norm, GQA, SwiGLU, no biases), the presets of M31R, and
// the config.json that Hugging Face and llama.cpp read. Shape letters: B batch, T time, C width, H heads, G kv heads, D
// head dim, F ffn, V vocab, L layers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernels/kv_page.h"
#include "kernels/matmul.h"
#include "tensor/dtype.h"

namespace pintle {

/// Everything that determines the network and its arithmetic.
struct DecoderConfig {
  std::string name;      ///< preset name, or "" for a free shape
  int64_t vocab = 0;     ///< V, special tokens included
  int64_t width = 0;     ///< C
  int64_t layers = 0;    ///< L
  int64_t heads = 0;     ///< H
  int64_t kv_heads = 0;  ///< G, divides H
  int64_t head_dim = 0;  ///< D, a multiple of 16
  int64_t ffn = 0;       ///< F
  bool tied = true;      ///< the head is the embedding table
  int64_t context = 0;   ///< longest sequence
  double rope_theta = 1e6;
  double norm_epsilon = 1e-6;
  kernels::Profile profile = kernels::Profile::kFma;
  DType dtype = DType::kBF16;  ///< of matmul inputs: kBF16 or kF32
  std::string origin = "internal";
  bool qk_norm = true;              ///< RMSNorm of each head of q and k before RoPE
  bool qkv_bias = false;            ///< q, k and v have biases
  std::vector<float> rope_factors;  ///< empty, or head_dim / 2 divisors of the frequencies
  int64_t window = 0;               ///< sliding window: positions that a position sees, its own included; 0 = all
  kernels::KvType kv = kernels::KvType::kF32;  ///< of cached keys and values: a matter of use, in no file
};

/// More parameters than this are refused everywhere.
inline constexpr int64_t kMaxParameters = 500'000'000;

/// m31r-1m, m31r-6m, m31r-30m, m31r-60m, m31r-200m, m31r-500m; anything else is a config error with a did-you-mean.
Result<DecoderConfig> DecoderPreset(std::string_view name);
std::vector<std::string> DecoderPresetNames();

/// Exact number of weights, a tied table once.
int64_t ParameterCount(const DecoderConfig& config);
/// Floating-point operations of training on one token (forward and backward): 6 per matmul weight (the head included,
/// the embedding gather not) plus 12 L H D T for attention over the whole rectangle, as utilisation figures are usually
/// counted.
double TrainingFlopsPerToken(const DecoderConfig& config, int64_t time);
/// Every extent within its bounds, heads a multiple of kv_heads, head_dim a multiple of 16, at most kMaxParameters.
Status ValidateDecoderConfig(const DecoderConfig& config, const std::string& where);
/// The same for a foreign model that is only used: any even head_dim, any number of parameters.
Status ValidateForeignConfig(const DecoderConfig& config, const std::string& where);

/// config.json: the keys of Hugging Face's Qwen3 and an object "pintle" {name, profile, dtype, origin}. Same bytes for
/// the same config. `token_ids` of end: eos (also bos and pad), or -1 to leave them out.
std::string DecoderConfigJson(const DecoderConfig& config, int64_t end_token);
/// Reads it back, validated. Without the "pintle" object: profile fma, dtype from torch_dtype, origin "external".
Result<DecoderConfig> ParseDecoderConfig(std::string_view json, const std::string& where);

}  // namespace pintle
