#include "train/gguf_export.h"

#include <utility>

#include "formats/gguf_names.h"

namespace pintle {
namespace {

// Token types of llama.cpp.
constexpr int64_t kNormal = 1;
constexpr int64_t kControl = 3;
constexpr int64_t kUnused = 5;

uint32_t FileType(GgufType type) {
  switch (type) {
    case GgufType::kF16:
      return 1;
    case GgufType::kQ8_0:
      return 7;
    case GgufType::kBF16:
      return 32;
    default:
      return 0;
  }
}

void AppendTokenizer(const DecoderConfig& config, const Tokenizer& tokenizer, GgufMetadata& out) {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const bool control = tokenizer.IsSpecial(id);
    tokens.push_back(control ? tokenizer.TokenBytes(id) : tokenizer.PrintableToken(id));
    types.push_back(control ? kControl : kNormal);
  }
  for (int64_t id = tokenizer.vocab_size(); id < config.vocab; ++id) {
    tokens.push_back("[PAD" + std::to_string(id) + "]");
    types.push_back(kUnused);
  }
  std::vector<std::string> merges;
  for (const auto& merge : tokenizer.merges()) {
    merges.push_back(tokenizer.PrintableToken(merge.left) + " " + tokenizer.PrintableToken(merge.right));
  }
  out.emplace_back("tokenizer.ggml.model", GgufValue::String("gpt2"));
  out.emplace_back("tokenizer.ggml.pre", GgufValue::String("qwen2"));
  out.emplace_back("tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens)));
  out.emplace_back("tokenizer.ggml.token_type", GgufValue::I32s(std::move(types)));
  out.emplace_back("tokenizer.ggml.merges", GgufValue::Strings(std::move(merges)));
  const auto special = [&](const char* key, std::string_view name) {
    const int32_t id = tokenizer.SpecialId(name);
    if (id >= 0) out.emplace_back(std::string("tokenizer.ggml.") + key, GgufValue::U32(static_cast<uint32_t>(id)));
  };
  special("bos_token_id", special::kEndOfText);
  special("eos_token_id", special::kEndOfText);
  special("padding_token_id", special::kEndOfText);
  special("fim_pre_token_id", special::kFimPrefix);
  special("fim_suf_token_id", special::kFimSuffix);
  special("fim_mid_token_id", special::kFimMiddle);
  special("fim_pad_token_id", special::kFimPad);
  special("fim_rep_token_id", special::kRepoName);
  special("fim_sep_token_id", special::kFileSep);
  out.emplace_back("tokenizer.ggml.add_bos_token", GgufValue::Bool(true));
}

}  // namespace

GgufMetadata GgufMetadataOf(const DecoderConfig& config, const Tokenizer& tokenizer, const std::string& name,
                            GgufType type) {
  GgufMetadata out;
  out.emplace_back("general.architecture", GgufValue::String("qwen3"));
  out.emplace_back("general.type", GgufValue::String("model"));
  out.emplace_back("general.name", GgufValue::String(name));
  out.emplace_back("general.file_type", GgufValue::U32(FileType(type)));
  out.emplace_back("general.quantization_version", GgufValue::U32(2));
  out.emplace_back(kGgufOrigin, GgufValue::String(config.origin));
  out.emplace_back(kGgufSuffixFirst, GgufValue::Bool(true));
  const auto count = [&](const char* key, int64_t value) {
    out.emplace_back(std::string("qwen3.") + key, GgufValue::U32(static_cast<uint32_t>(value)));
  };
  count("block_count", config.layers);
  count("context_length", config.context);
  count("embedding_length", config.width);
  count("feed_forward_length", config.ffn);
  count("attention.head_count", config.heads);
  count("attention.head_count_kv", config.kv_heads);
  count("attention.key_length", config.head_dim);
  count("attention.value_length", config.head_dim);
  count("vocab_size", config.vocab);
  out.emplace_back("qwen3.rope.freq_base", GgufValue::F32(static_cast<float>(config.rope_theta)));
  out.emplace_back("qwen3.attention.layer_norm_rms_epsilon", GgufValue::F32(static_cast<float>(config.norm_epsilon)));
  AppendTokenizer(config, tokenizer, out);
  return out;
}

Status WriteGgufModel(const std::filesystem::path& path, const DecoderConfig& config, const Tokenizer& tokenizer,
                      const SafetensorsFile& weights, const std::string& name, GgufType type) {
  std::vector<GgufItem> items;
  for (const auto& entry : weights.tensors()) {
    const std::string theirs = GgufNameOf(entry.name);
    if (theirs.empty() || entry.shape.empty()) {
      return ValidationError("the tensor '" + entry.name + "' has no place in a qwen3 GGUF file",
                             weights.path().string());
    }
    GgufType kind = entry.shape.size() < 2 ? GgufType::kF32 : type;
    if (GgufBytes(kind, entry.elements(), entry.shape.back()) < 0) kind = GgufType::kF16;
    items.push_back({theirs, entry.shape, kind, [&weights, &entry, kind](std::string& out) -> Status {
                       PINTLE_ASSIGN(const std::vector<float> values, weights.ReadFloats(entry.name));
                       GgufEncode(kind, values.data(), static_cast<int64_t>(values.size()), out);
                       return {};
                     }});
  }
  return WriteGguf(path, GgufMetadataOf(config, tokenizer, name, type), items);
}

}  // namespace pintle
