#include "models/decoder/synth.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "formats/gguf.h"
#include "formats/half.h"
#include "formats/quant_encode.h"
#include "models/decoder/family.h"
#include "models/decoder/quant_mix.h"

namespace pintle {
namespace {

constexpr int64_t kMaxContext = 1 << 20;

struct ModelShape {
  const char* name;
  const char* architecture;
  int64_t layers, width, ffn, heads, kv_heads, head_dim, vocab, context;
  bool tied;
  float theta, epsilon;
};
constexpr ModelShape kShapes[] = {
    {"qwen3-0.6b", "qwen3", 28, 1024, 3072, 16, 8, 128, 151936, 40960, true, 1e6f, 1e-6f},
    {"qwen3-8b", "qwen3", 36, 4096, 12288, 32, 8, 128, 151936, 40960, false, 1e6f, 1e-6f},
    {"llama-1b", "llama", 16, 2048, 8192, 32, 8, 64, 128256, 131072, true, 5e5f, 1e-5f},
    {"llama-8b", "llama", 32, 4096, 14336, 32, 8, 128, 128256, 131072, false, 5e5f, 1e-5f},
    {"mistral-7b", "llama", 32, 4096, 14336, 32, 8, 128, 32768, 32768, false, 1e6f, 1e-5f},
    {"tiny-llama", "llama", 2, 256, 512, 4, 2, 64, 512, 512, true, 1e4f, 1e-5f},
    {"tiny-qwen2", "qwen2", 2, 256, 512, 4, 2, 64, 512, 512, true, 1e6f, 1e-6f},
    {"tiny-qwen3", "qwen3", 2, 256, 512, 4, 2, 64, 512, 512, false, 1e6f, 1e-6f},
};

constexpr float kSpread = 0.02f;

// Random bytes in any order of pieces: eight at a time from a counter.
void RandomBytes(uint64_t seed, size_t tensor, std::string& out, size_t count) {
  const size_t begin = out.size();
  out.resize(begin + count);
  uint64_t state = (seed * 0x9E3779B97F4A7C15u) ^ (static_cast<uint64_t>(tensor) << 40);
  for (size_t at = 0; at < count; at += 8) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    std::memcpy(out.data() + begin + at, &z, std::min<size_t>(8, count - at));
  }
}

void PutHalf(std::string& out, size_t at, float value) {
  const uint16_t half = F16OfFloat(value);
  std::memcpy(out.data() + at, &half, 2);
}

// Random quants with scales that give about the wanted spread around zero.
void RandomMatrix(GgufType type, uint64_t seed, size_t tensor, int64_t elements, std::string& out) {
  struct Scales {
    GgufType type;
    size_t place;  // of d in a block; a minimum follows behind d
    float d, minimum;
  };
  constexpr Scales kScales[] = {
      {GgufType::kQ8_0, 0, kSpread / 74, 0},        {GgufType::kQ4_0, 0, kSpread / 4.6f, 0},
      {GgufType::kQ4_1, 0, kSpread / 4.6f, -7.5f},  {GgufType::kQ5_0, 0, kSpread / 9.2f, 0},
      {GgufType::kQ5_1, 0, kSpread / 9.2f, -15.5f}, {GgufType::kQ4_K, 0, kSpread / 145, 7.5f},
      {GgufType::kQ5_K, 0, kSpread / 290, 15.5f},   {GgufType::kQ6_K, 208, kSpread / 1370, 0},
      {GgufType::kIQ4_NL, 0, kSpread / 68, 0},      {GgufType::kIQ4_XS, 0, kSpread / 1260, 0}};
  const auto bytes = static_cast<size_t>(GgufBytes(type, elements, elements));
  for (const Scales& scales : kScales) {
    if (scales.type != type) continue;
    const bool small = GgufBytes(type, 32, 32) > 0;
    const auto block = static_cast<size_t>(GgufBytes(type, small ? 32 : 256, small ? 32 : 256));
    RandomBytes(seed, tensor, out, bytes);
    for (size_t at = out.size() - bytes; at < out.size(); at += block) {
      PutHalf(out, at + scales.place, scales.d);
      if (scales.minimum != 0) PutHalf(out, at + scales.place + 2, scales.d * scales.minimum);
    }
    return;
  }
  RandomStream random(seed, Purpose::kInit, tensor);
  std::vector<float> values(static_cast<size_t>(elements));
  for (float& value : values) value = (random.NextFloat() - 0.5f) * (kSpread * 3.46f);
  GgufEncode(type, values.data(), elements, out);
}

GgufMetadata Metadata(const ModelShape& shape, const QuantMix& mix, std::string_view chat_template, int64_t context) {
  const std::string prefix = std::string(shape.architecture) + ".";
  GgufMetadata out = {{"general.architecture", GgufValue::String(shape.architecture)},
                      {"general.name", GgufValue::String(std::string("synthetic ") + shape.name)},
                      {"general.file_type", GgufValue::U32(mix.file_type)},
                      {"general.quantization_version", GgufValue::U32(2)}};
  const auto count = [&](const char* key, int64_t value) {
    out.emplace_back(prefix + key, GgufValue::U32(static_cast<uint32_t>(value)));
  };
  count("block_count", shape.layers);
  count("context_length", context);
  count("embedding_length", shape.width);
  count("feed_forward_length", shape.ffn);
  count("attention.head_count", shape.heads);
  count("attention.head_count_kv", shape.kv_heads);
  count("attention.key_length", shape.head_dim);
  count("attention.value_length", shape.head_dim);
  count("rope.dimension_count", shape.head_dim);
  out.emplace_back(prefix + "rope.freq_base", GgufValue::F32(shape.theta));
  out.emplace_back(prefix + "attention.layer_norm_rms_epsilon", GgufValue::F32(shape.epsilon));
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  uint32_t hidden = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    // GPT-2's alphabet: visible bytes are themselves, the others 256 and up.
    const bool visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    const uint32_t codepoint = visible ? byte : hidden++;
    std::string utf8(1, static_cast<char>(codepoint));
    if (codepoint >= 128) utf8 = {static_cast<char>(0xC0 | codepoint >> 6), static_cast<char>(0x80 | (codepoint & 63))};
    tokens.push_back(std::move(utf8));
    types.push_back(1);
  }
  const bool native = chat_template.empty();
  tokens.emplace_back(native ? "<|im_start|>" : "<|turn|>");
  tokens.emplace_back(native ? "<|im_end|>" : "<|end|>");
  types.insert(types.end(), {3, 3});
  for (int64_t id = 258; id < shape.vocab; ++id) {
    tokens.push_back("[unused" + std::to_string(id) + "]");
    types.push_back(5);
  }
  if (!native) out.emplace_back("tokenizer.chat_template", GgufValue::String(std::string(chat_template)));
  out.emplace_back("tokenizer.ggml.model", GgufValue::String("gpt2"));
  out.emplace_back("tokenizer.ggml.pre", GgufValue::String("qwen2"));
  out.emplace_back("tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens)));
  out.emplace_back("tokenizer.ggml.token_type", GgufValue::I32s(std::move(types)));
  out.emplace_back("tokenizer.ggml.merges", GgufValue::Strings({}));
  out.emplace_back("tokenizer.ggml.eos_token_id", GgufValue::U32(257));
  out.emplace_back("tokenizer.ggml.add_bos_token", GgufValue::Bool(false));
  return out;
}

// Written beside the target, then renamed.
Status WriteWhole(const std::filesystem::path& path, const GgufMetadata& metadata, const std::vector<GgufItem>& items) {
  const std::filesystem::path partial = path.string() + ".partial";
  PINTLE_RETURN_IF_ERROR(WriteGguf(partial, metadata, items));
  std::error_code failed;
  std::filesystem::rename(partial, path, failed);
  if (failed) return RuntimeError("it cannot be put in place: " + failed.message(), path.string());
  return SyncFolder(path.has_parent_path() ? path.parent_path() : ".");
}

}  // namespace

std::vector<std::string> SynthNames() {
  std::vector<std::string> names;
  for (const ModelShape& shape : kShapes) names.emplace_back(shape.name);
  return names;
}

Status WriteSynthModel(std::string_view name, std::string_view type, uint64_t seed, const std::filesystem::path& path,
                       std::string_view chat_template, int64_t context) {
  const ModelShape* shape = nullptr;
  std::string known;
  for (const ModelShape& row : kShapes) {
    if (name == row.name) shape = &row;
    known += std::string(known.empty() ? "" : ", ") + row.name;
  }
  if (shape == nullptr)
    return UsageError("there is no shape '" + std::string(name) + "'", "--arch", "shapes: " + known);
  if (context < 0 || context > kMaxContext)
    return UsageError("no model knows " + std::to_string(context) + " positions", "--context",
                      "0 to " + std::to_string(kMaxContext));
  PINTLE_ASSIGN(const QuantMix mix, FindQuantMix(type));
  const DecoderFamily* family = FindDecoderFamily(shape->architecture);
  std::vector<GgufItem> items;
  const auto add = [&](const std::string& tensor, const std::vector<int64_t>& extents) {
    const GgufType own = MixedType(mix, tensor, extents, shape->layers, shape->tied);
    const size_t number = items.size();
    items.push_back({tensor, extents, own, [own, number, seed, extents](std::string& out) -> Status {
                       if (extents.size() == 1) {
                         const std::vector<float> ones(static_cast<size_t>(extents[0]), 1.0f);
                         GgufEncode(own, ones.data(), extents[0], out);
                       } else {
                         RandomMatrix(own, seed, number, extents[0] * extents[1], out);
                       }
                       return {};
                     }});
  };
  const int64_t q = shape->heads * shape->head_dim, kv = shape->kv_heads * shape->head_dim;
  add("token_embd.weight", {shape->vocab, shape->width});
  for (int64_t layer = 0; layer < shape->layers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    add(block + "attn_norm.weight", {shape->width});
    add(block + "attn_q.weight", {q, shape->width});
    add(block + "attn_k.weight", {kv, shape->width});
    add(block + "attn_v.weight", {kv, shape->width});
    if (family->qkv_bias) {
      add(block + "attn_q.bias", {q});
      add(block + "attn_k.bias", {kv});
      add(block + "attn_v.bias", {kv});
    }
    if (family->qk_norm) {
      add(block + "attn_q_norm.weight", {shape->head_dim});
      add(block + "attn_k_norm.weight", {shape->head_dim});
    }
    add(block + "attn_output.weight", {shape->width, q});
    add(block + "ffn_norm.weight", {shape->width});
    add(block + "ffn_gate.weight", {shape->ffn, shape->width});
    add(block + "ffn_up.weight", {shape->ffn, shape->width});
    add(block + "ffn_down.weight", {shape->width, shape->ffn});
  }
  add("output_norm.weight", {shape->width});
  if (!shape->tied) add("output.weight", {shape->vocab, shape->width});
  return WriteWhole(path, Metadata(*shape, mix, chat_template, context > 0 ? context : shape->context), items);
}

Status QuantizeGguf(const std::filesystem::path& in, std::string_view type, const std::filesystem::path& out,
                    int threads) {
  PINTLE_ASSIGN(const QuantMix mix, FindQuantMix(type));
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(in));
  PINTLE_ASSIGN(const DecoderConfig config, GgufDecoderConfig(file.header(), 0, file.where()));
  GgufMetadata metadata;
  for (const auto& [key, value] : file.header().metadata) {
    if (key.starts_with("split.") || key == "general.alignment") continue;
    metadata.emplace_back(key, key == "general.file_type" ? GgufValue::U32(mix.file_type) : value);
  }
  ThreadPool pool(threads);
  std::vector<GgufItem> items;
  for (const GgufTensor& tensor : file.header().tensors) {
    const GgufType to = MixedType(mix, tensor.name, tensor.shape, config.layers, config.tied);
    items.push_back({tensor.name, tensor.shape, to, [&file, &tensor, &pool, to](std::string& bytes) -> Status {
                       PINTLE_ASSIGN(bytes, file.ReadTensor(tensor));
                       if (to == tensor.type) return {};
                       PINTLE_ASSIGN(const std::vector<float> values, GgufDecode(tensor.type, bytes));
                       // Pieces of whole rows, encoded side by side and joined in order.
                       const int64_t columns = tensor.shape.back(), rows = tensor.elements() / columns;
                       const int64_t pieces = std::min<int64_t>(rows, 64);
                       std::vector<std::string> encoded(static_cast<size_t>(pieces));
                       pool.ParallelFor(pieces, [&](int64_t i) {
                         const int64_t first = rows * i / pieces, end = rows * (i + 1) / pieces;
                         GgufEncode(to, values.data() + first * columns, (end - first) * columns,
                                    encoded[static_cast<size_t>(i)]);
                       });
                       bytes.clear();
                       for (const std::string& piece : encoded) bytes += piece;
                       return {};
                     }});
  }
  return WriteWhole(out, metadata, items);
}

}  // namespace pintle
