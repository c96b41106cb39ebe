// The same random model as a GGUF file and as a folder of the hub: everything that is done with either gives the same
// bytes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "formats/gguf_names.h"
#include "formats/hub_folder.h"
#include "formats/safetensors.h"
#include "generate/language_model.h"
#include "models/decoder/synth.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHeadDim = 64;

// GGUF's name of a tensor -> the hub's.
std::map<std::string, std::string> HubNames() {
  std::map<std::string, std::string> names;
  const auto add = [&](const std::string& name) { names[GgufNameOf(name)] = name; };
  for (const char* name : {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}) add(name);
  for (const char* layer : {"model.layers.0.", "model.layers.1."}) {
    for (const char* name : {"input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm",
                             "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                             "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
      for (const char* kind : {".weight", ".bias"}) add(std::string(layer) + name + kind);
    }
  }
  return names;
}

FileDtype DtypeOf(GgufType type) {
  return type == GgufType::kF32 ? FileDtype::kF32 : type == GgufType::kF16 ? FileDtype::kF16 : FileDtype::kBF16;
}

// Rows 2 i and 2 i + 1 of each head become rows i and half + i.
std::string Halves(const std::string& bytes, int64_t rows) {
  const size_t row = bytes.size() / static_cast<size_t>(rows);
  std::string out;
  for (int64_t head = 0; head < rows; head += kHeadDim) {
    for (int64_t odd = 0; odd < 2; ++odd) {
      for (int64_t i = 0; i < kHeadDim / 2; ++i)
        out += bytes.substr(static_cast<size_t>(head + 2 * i + odd) * row, row);
    }
  }
  return out;
}

std::string TokenizerJson(const GgufHeader& header) {
  std::string vocab;
  const auto& tokens = header.Find("tokenizer.ggml.tokens")->strings;
  for (size_t id = 0; id < 256; ++id) vocab += fmt::format("{}{}:{}", id == 0 ? "" : ",", JsonQuote(tokens[id]), id);
  return fmt::format(
      R"json({{"added_tokens":[{{"id":256,"content":"<|im_start|>","special":true}},{{"id":257,"content":"<|im_end|>","special":true}}],
      "normalizer":{{"type":"NFC"}},"pre_tokenizer":{{"type":"Sequence","pretokenizers":[{{"type":"Split","pattern":{{"Regex":{}}},
      "behavior":"Isolated"}},{{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}}]}},
      "model":{{"type":"BPE","vocab":{{{}}},"merges":[]}}}})json",
      JsonQuote(kQwen2Pattern), vocab);
}

void WriteHubFolder(const fs::path& gguf_path, const std::string& model_type, bool sharded, const fs::path& folder) {
  const auto gguf = GgufFile::Open(gguf_path);
  REQUIRE(gguf.ok());
  REQUIRE(MakeFolder(folder).ok());
  const bool tied = gguf->header().FindTensor("output.weight") == nullptr;
  const bool qwen = model_type != "llama";
  REQUIRE(
      WriteFileAtomic(folder / "config.json",
                      fmt::format(R"({{"model_type":"{}","hidden_act":"silu","hidden_size":256,"intermediate_size":512,
              "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,
              "max_position_embeddings":512,"rope_theta":{},"rms_norm_eps":{},"tie_word_embeddings":{},
              "eos_token_id":[257],"torch_dtype":"float32"}})",
                                  model_type, qwen ? "1000000.0" : "10000", qwen ? "1e-6" : "1e-5", tied))
          .ok());
  REQUIRE(WriteFileAtomic(folder / "tokenizer.json", TokenizerJson(gguf->header())).ok());
  const auto names = HubNames();
  std::map<std::string, std::string> bytes;
  std::vector<SafetensorsItem> items[2];
  std::string map;
  for (const GgufTensor& tensor : gguf->header().tensors) {
    const std::string& name = names.at(tensor.name);
    std::string& data = bytes[name] = gguf->ReadTensor(tensor).value();
    const bool permuted = tensor.name.ends_with("attn_q.weight") || tensor.name.ends_with("attn_k.weight");
    if (model_type == "llama" && permuted) data = Halves(data, tensor.shape[0]);
    const int file = sharded && name.find("layers.1") != std::string::npos ? 1 : 0;
    items[file].push_back({name, DtypeOf(tensor.type), tensor.shape, data.data()});
    map += fmt::format("{}\"{}\":\"model-{}.safetensors\"", map.empty() ? "" : ",", name, file);
  }
  if (!sharded) {
    REQUIRE(WriteSafetensors(folder / "model.safetensors", {}, items[0]).ok());
    return;
  }
  for (int file = 0; file < 2; ++file) {
    REQUIRE(WriteSafetensors(folder / fmt::format("model-{}.safetensors", file), {}, items[file]).ok());
  }
  REQUIRE(WriteFileAtomic(folder / "model.safetensors.index.json", "{\"weight_map\":{" + map + "}}").ok());
}

std::vector<float> LogitsOf(const fs::path& path) {
  auto model = GgufModel::Load(path.string(), 64, 2);
  if (!model.ok()) MESSAGE(model.error().Message());
  REQUIRE(model.ok());
  return (*model)->Logits({72, 101, 256, 10, 257, 300, 9}).value();
}

}  // namespace

TEST_CASE("a folder of the hub gives the bytes of the GGUF file with the same weights") {
  const TemporaryFolder folder;
  const struct {
    const char *arch, *model_type, *type;
    bool sharded;
  } rows[] = {{"tiny-llama", "llama", "f32", false},
              {"tiny-llama", "mistral", "bf16", true},
              {"tiny-qwen2", "qwen2", "f16", false},
              {"tiny-qwen3", "qwen3", "bf16", true}};
  for (const auto& [arch, model_type, type, sharded] : rows) {
    CAPTURE(model_type);
    const fs::path file = folder.path() / (std::string(model_type) + ".gguf"), hub = folder.path() / model_type;
    REQUIRE(WriteSynthModel(arch, type, 7, file).ok());
    // A Mistral folder has Llama's rows.
    WriteHubFolder(file, std::string(model_type) == "mistral" ? "llama" : model_type, sharded, hub);
    CHECK(LogitsOf(file) == LogitsOf(hub));

    const auto model = LanguageModel::Load(hub.string(), 64, 1);
    REQUIRE(model.ok());
    CHECK((*model)->info().name == model_type);
    CHECK((*model)->info().origin == "external");
    CHECK((*model)->info().weights_sha256.size() == 64);
    std::vector<int32_t> ids;
    (*model)->Encode("Hi <|im_end|>", ids);
    CHECK(ids.size() == 13);
    const auto description = DescribeGguf(hub.string(), 0);
    REQUIRE(description.ok());
    CHECK(description->chat == ChatFormat::kChatMl);

    // Quantised, both are the same file but for the name.
    const fs::path a = folder.path() / "a.gguf", b = folder.path() / "b.gguf";
    REQUIRE(QuantizeGguf(file, "q4_k_m", a, 1).ok());
    REQUIRE(QuantizeGguf(hub, "q4_k_m", b, 2).ok());
    const auto first = GgufFile::Open(a), second = GgufFile::Open(b);
    REQUIRE((first.ok() && second.ok()));
    REQUIRE(first->header().tensors.size() == second->header().tensors.size());
    for (const GgufTensor& tensor : first->header().tensors) {
      const GgufTensor* other = second->header().FindTensor(tensor.name);
      REQUIRE(other != nullptr);
      CHECK(first->ReadTensor(tensor).value() == second->ReadTensor(*other).value());
    }
    CHECK(LogitsOf(a) == LogitsOf(b));
  }
}

TEST_CASE("a folder whose parts do not fit together is refused by name") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "x.gguf", hub = folder.path() / "hub";
  REQUIRE(WriteSynthModel("tiny-qwen3", "bf16", 7, file).ok());
  WriteHubFolder(file, "qwen3", true, hub);
  const auto refused = [&](const char* name, const std::string& from, const std::string& to,
                           const std::string& reason) {
    CAPTURE(reason);
    const std::string before = *ReadFile(hub / name);
    REQUIRE(before.find(from) != std::string::npos);
    std::string after = before;
    after.replace(after.find(from), from.size(), to);
    REQUIRE(WriteFileAtomic(hub / name, after).ok());
    const auto model = DescribeGguf(hub.string(), 0);
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().Message().find(reason) != std::string::npos);
    REQUIRE(WriteFileAtomic(hub / name, before).ok());
  };
  const char *index = "model.safetensors.index.json", *config = "config.json";
  refused(index, "model-1.", "../model-1.", "outside of the folder");
  refused(index, "model-1.", "model-0.", "not where the index says");
  refused(index, "\"lm_head.weight\"", "\"lm_head.weight2\"", "not where the index says");
  refused(config, "\"hidden_size\":256", "\"hidden_size\":128", "has the shape");
  refused(config, "\"num_hidden_layers\":2", "\"num_hidden_layers\":3", "is missing");
  refused(config, "\"num_hidden_layers\":2", "\"num_hidden_layers\":1", "has no place");
  refused(config, "qwen3", "gemma", "'gemma' is not known");
  refused("tokenizer.json", "\"id\":257", "\"id\":600", "the vocabulary has 601 tokens");
}

}  // namespace pintle
