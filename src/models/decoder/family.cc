#include "models/decoder/family.h"

#include <algorithm>

#include "formats/gguf_metadata.h"
#include "formats/gguf_names.h"

namespace pintle {
namespace {

constexpr DecoderFamily kFamilies[] = {
    {"llama", false, false, true},  // Llama 3.x, Mistral
    {"qwen3", true, false, false},  // and M31R's own exports
    {"qwen2", false, true, false},
};

}  // namespace

const DecoderFamily* FindDecoderFamily(std::string_view architecture) {
  for (const DecoderFamily& family : kFamilies) {
    if (architecture == family.architecture) return &family;
  }
  return nullptr;
}

Result<DecoderConfig> GgufDecoderConfig(const GgufHeader& header, int64_t context, const std::string& where) {
  const GgufKeys keys(header, where);
  PINTLE_ASSIGN(const std::string architecture, keys.Text("general.architecture", ""));
  const DecoderFamily* family = FindDecoderFamily(architecture);
  if (family == nullptr) {
    return ValidationError("the architecture '" + architecture + "' is not known", where,
                           "known: llama (Llama 3.x, Mistral), qwen2, qwen3");
  }
  const auto key = [&](const char* name) { return architecture + "." + name; };
  DecoderConfig c;
  PINTLE_ASSIGN(c.origin, keys.Text(kGgufOrigin, "external"));
  if (c.origin != "internal" && c.origin != "external")
    return keys.Bad(kGgufOrigin, "is neither internal nor external");
  c.dtype = DType::kF32;
  c.qk_norm = family->qk_norm;
  c.qkv_bias = family->qkv_bias;
  PINTLE_ASSIGN(c.name, keys.Text("general.name", ""));
  PINTLE_ASSIGN(c.layers, keys.Integer(key("block_count"), 1, 1 << 10));
  PINTLE_ASSIGN(c.width, keys.Integer(key("embedding_length"), 1, 1 << 16));
  PINTLE_ASSIGN(c.ffn, keys.Integer(key("feed_forward_length"), 1, 1 << 18));
  PINTLE_ASSIGN(c.heads, keys.Integer(key("attention.head_count"), 1, 1 << 10));
  PINTLE_ASSIGN(c.kv_heads, keys.Integer(key("attention.head_count_kv"), 1, 1 << 10, c.heads));
  PINTLE_ASSIGN(c.head_dim, keys.Integer(key("attention.key_length"), 1, 256, std::max<int64_t>(c.width / c.heads, 1)));
  PINTLE_ASSIGN(const int64_t value_length, keys.Integer(key("attention.value_length"), 1, 256, c.head_dim));
  PINTLE_ASSIGN(const int64_t rotated, keys.Integer(key("rope.dimension_count"), 1, 256, c.head_dim));
  if (value_length != c.head_dim || rotated != c.head_dim) {
    return ValidationError("heads of " + std::to_string(c.head_dim) + " with values of " +
                               std::to_string(value_length) + " and " + std::to_string(rotated) +
                               " rotated; all three must be equal",
                           where);
  }
  PINTLE_ASSIGN(c.rope_theta, keys.Real(key("rope.freq_base"), 1, 1e12, 10000));
  PINTLE_ASSIGN(c.norm_epsilon, keys.Real(key("attention.layer_norm_rms_epsilon"), 0, 0.1, 1e-5));
  PINTLE_ASSIGN(const std::string scaling, keys.Text(key("rope.scaling.type"), "none"));
  PINTLE_ASSIGN(const double factor, keys.Real(key("rope.scaling.factor"), 0, 1e6, 1));
  if (scaling != "none" && !(scaling == "linear" && factor == 1)) {
    return keys.Bad(key("rope.scaling.type"), "is '" + scaling + "', which is not supported");
  }
  PINTLE_ASSIGN(c.context, keys.Integer(key("context_length"), 1, int64_t{1} << 31));
  PINTLE_ASSIGN(const int64_t window, keys.Integer(key("attention.sliding_window"), 0, int64_t{1} << 31, 0));
  c.window = window;
  if (context > 0) c.context = std::min(c.context, context);
  c.context = std::min<int64_t>(c.context, 1 << 20);
  const GgufTensor* table = header.FindTensor("token_embd.weight");
  if (table == nullptr || table->shape.size() != 2) {
    return ValidationError("the tensor token_embd.weight is missing or no matrix", where);
  }
  c.vocab = table->shape[0];
  c.tied = header.FindTensor("output.weight") == nullptr;
  PINTLE_RETURN_IF_ERROR(ValidateForeignConfig(c, where));
  return c;
}

}  // namespace pintle
