#include "models/decoder/config.h"

#include <boost/json.hpp>
#include <cmath>

#include "base/config.h"
#include "base/json.h"

namespace pintle {
namespace {

namespace json = boost::json;

struct Preset {
  const char* name;
  int64_t vocab, width, layers, heads, kv_heads, ffn, context;
};

// m31r-500m has F 3712 and not 4096, which would be 527 million parameters: the limit is 500 million.
constexpr Preset kPresets[] = {
    {"m31r-1m", 4096, 128, 4, 2, 1, 384, 512},         {"m31r-6m", 8192, 256, 6, 4, 2, 768, 1024},
    {"m31r-30m", 16384, 512, 8, 8, 4, 1536, 1024},     {"m31r-60m", 16384, 640, 12, 10, 5, 1920, 2048},
    {"m31r-200m", 24576, 1024, 16, 16, 8, 3072, 2048}, {"m31r-500m", 24576, 1280, 24, 20, 10, 3712, 4096},
};

const char* ProfileName(kernels::Profile profile) { return profile == kernels::Profile::kFma ? "fma" : "muladd"; }

}  // namespace

std::vector<std::string> DecoderPresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

Result<DecoderConfig> DecoderPreset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (name != preset.name) continue;
    DecoderConfig config;
    config.name = preset.name;
    config.vocab = preset.vocab;
    config.width = preset.width;
    config.layers = preset.layers;
    config.heads = preset.heads;
    config.kv_heads = preset.kv_heads;
    config.head_dim = 64;
    config.ffn = preset.ffn;
    config.context = preset.context;
    return config;
  }
  std::string known;
  for (const Preset& preset : kPresets) known += std::string(known.empty() ? "" : ", ") + preset.name;
  return ConfigError("there is no preset '" + std::string(name) + "'", "", "presets: " + known);
}

int64_t ParameterCount(const DecoderConfig& c) {
  const int64_t attention = c.width * c.head_dim * (2 * c.heads + 2 * c.kv_heads) + (c.qk_norm ? 2 * c.head_dim : 0) +
                            (c.qkv_bias ? c.head_dim * (c.heads + 2 * c.kv_heads) : 0);
  const int64_t block = attention + 3 * c.width * c.ffn + 2 * c.width;
  return c.vocab * c.width * (c.tied ? 1 : 2) + c.layers * block + c.width;
}

double TrainingFlopsPerToken(const DecoderConfig& c, int64_t time) {
  const double block =
      static_cast<double>(c.width) * static_cast<double>(c.head_dim * (2 * c.heads + 2 * c.kv_heads) + 3 * c.ffn);
  const double matmul = static_cast<double>(c.layers) * block + static_cast<double>(c.vocab * c.width);
  return 6 * matmul + 12 * static_cast<double>(c.layers * c.heads * c.head_dim * time);
}

Status ValidateForeignConfig(const DecoderConfig& c, const std::string& where) {
  const struct {
    const char* name;
    int64_t value, limit;
  } extents[] = {
      {"vocab_size", c.vocab, 1 << 20},
      {"hidden_size", c.width, 1 << 16},
      {"num_hidden_layers", c.layers, 1 << 10},
      {"num_attention_heads", c.heads, 1 << 10},
      {"num_key_value_heads", c.kv_heads, 1 << 10},
      {"head_dim", c.head_dim, 256},
      {"intermediate_size", c.ffn, 1 << 18},
      {"max_position_embeddings", c.context, 1 << 20},
  };
  for (const auto& extent : extents) {
    if (extent.value < 1 || extent.value > extent.limit) {
      return ConfigError(std::string(extent.name) + " = " + std::to_string(extent.value) + " is not between 1 and " +
                             std::to_string(extent.limit),
                         where);
    }
  }
  if (c.heads % c.kv_heads != 0) {
    return ConfigError("num_attention_heads " + std::to_string(c.heads) + " is no multiple of num_key_value_heads " +
                           std::to_string(c.kv_heads),
                       where);
  }
  if (c.head_dim % 2 != 0) return ConfigError("head_dim " + std::to_string(c.head_dim) + " is odd", where);
  if (!(c.rope_theta > 1) || !std::isfinite(c.rope_theta)) return ConfigError("rope_theta must be above 1", where);
  if (!(c.norm_epsilon > 0) || !(c.norm_epsilon < 1)) return ConfigError("rms_norm_eps must be between 0 and 1", where);
  if (c.dtype != DType::kF32 && c.dtype != DType::kBF16) return ConfigError("dtype must be f32 or bf16", where);
  return {};
}

Status ValidateDecoderConfig(const DecoderConfig& c, const std::string& where) {
  PINTLE_RETURN_IF_ERROR(ValidateForeignConfig(c, where));
  if (c.head_dim % 16 != 0) {
    return ConfigError("head_dim " + std::to_string(c.head_dim) + " is no multiple of 16", where);
  }
  if (const int64_t count = ParameterCount(c); count > kMaxParameters) {
    return ConfigError(std::to_string(count) + " parameters; the limit is " + std::to_string(kMaxParameters), where,
                       "choose a smaller preset");
  }
  return {};
}

std::string DecoderConfigJson(const DecoderConfig& c, int64_t end_token) {
  json::object root = {{"architectures", json::array{"Qwen3ForCausalLM"}},
                       {"model_type", "qwen3"},
                       {"attention_bias", false},
                       {"hidden_act", "silu"},
                       {"vocab_size", c.vocab},
                       {"hidden_size", c.width},
                       {"intermediate_size", c.ffn},
                       {"num_hidden_layers", c.layers},
                       {"num_attention_heads", c.heads},
                       {"num_key_value_heads", c.kv_heads},
                       {"head_dim", c.head_dim},
                       {"max_position_embeddings", c.context},
                       {"rms_norm_eps", c.norm_epsilon},
                       {"rope_theta", c.rope_theta},
                       {"tie_word_embeddings", c.tied},
                       {"torch_dtype", c.dtype == DType::kBF16 ? "bfloat16" : "float32"}};
  if (end_token >= 0) {
    for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) root[key] = end_token;
  }
  root["pintle"] = json::object{
      {"name", c.name}, {"profile", ProfileName(c.profile)}, {"dtype", DTypeName(c.dtype)}, {"origin", c.origin}};
  return DumpJson(root, 2) + "\n";
}

Result<DecoderConfig> ParseDecoderConfig(std::string_view text, const std::string& where) {
  PINTLE_ASSIGN(const json::value root, ParseJson(text, where));
  DecoderConfig c;
  PINTLE_ASSIGN(const std::string type, JsonString(root, "model_type", where));
  if (type != "qwen3") return ConfigError("model_type is '" + type + "'; this program knows 'qwen3'", where);
  PINTLE_ASSIGN(c.vocab, JsonInt(root, "vocab_size", where));
  PINTLE_ASSIGN(c.width, JsonInt(root, "hidden_size", where));
  PINTLE_ASSIGN(c.ffn, JsonInt(root, "intermediate_size", where));
  PINTLE_ASSIGN(c.layers, JsonInt(root, "num_hidden_layers", where));
  PINTLE_ASSIGN(c.heads, JsonInt(root, "num_attention_heads", where));
  PINTLE_ASSIGN(c.kv_heads, JsonInt(root, "num_key_value_heads", where));
  PINTLE_ASSIGN(c.head_dim, JsonInt(root, "head_dim", where));
  PINTLE_ASSIGN(c.context, JsonInt(root, "max_position_embeddings", where));
  PINTLE_ASSIGN(c.norm_epsilon, JsonDouble(root, "rms_norm_eps", where));
  PINTLE_ASSIGN(c.rope_theta, JsonDouble(root, "rope_theta", where));
  PINTLE_ASSIGN(c.tied, JsonBool(root, "tie_word_embeddings", where));
  const json::object& object = root.as_object();
  if (const json::value* own = object.if_contains("pintle"); own != nullptr) {
    const std::string place = where + ": pintle";
    PINTLE_ASSIGN(c.name, JsonString(*own, "name", place));
    PINTLE_ASSIGN(c.origin, JsonString(*own, "origin", place));
    PINTLE_ASSIGN(const std::string profile, JsonString(*own, "profile", place));
    PINTLE_ASSIGN(const std::string dtype, JsonString(*own, "dtype", place));
    if (profile != "fma" && profile != "muladd")
      return ConfigError("profile '" + profile + "' is not fma or muladd", place);
    if (dtype != "f32" && dtype != "bf16") return ConfigError("dtype '" + dtype + "' is not f32 or bf16", place);
    if (c.origin != "internal" && c.origin != "external") {
      return ConfigError("origin '" + c.origin + "' is not internal or external", place);
    }
    c.profile = profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
    c.dtype = dtype == "bf16" ? DType::kBF16 : DType::kF32;
  } else {
    c.origin = "external";
    const json::value* torch = object.if_contains("torch_dtype");
    c.dtype = torch != nullptr && torch->is_string() && torch->get_string() == "bfloat16" ? DType::kBF16 : DType::kF32;
  }
  PINTLE_RETURN_IF_ERROR(ValidateDecoderConfig(c, where));
  return c;
}

}  // namespace pintle
