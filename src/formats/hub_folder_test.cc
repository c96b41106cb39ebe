#include "formats/hub_folder.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/file.h"
#include "formats/gguf_names.h"
#include "formats/safetensors.h"

namespace pintle {
namespace {

const std::string kConfig =
    R"({"model_type":"llama","hidden_size":64,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":4,
        "num_key_value_heads":2,"max_position_embeddings":131072,"rope_theta":500000.0,"rms_norm_eps":1e-05,
        "rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
        "original_max_position_embeddings":8192},"bos_token_id":1,"eos_token_id":[2,3],"hidden_act":"silu"})";
// SentencePiece as BPE: "ab" is merged before "bc".
const std::string kTokenizer =
    R"({"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true},
        {"id":2,"content":"</s>","special":true}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
        {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"pre_tokenizer":null,
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
        {"Sequence":{"id":"A","type_id":0}}]},
        "model":{"type":"BPE","byte_fallback":true,"vocab":{"<unk>":0,"<s>":1,"</s>":2,"<0x41>":3,"a":4,"b":5,"c":6,
        "ab":7,"bc":8,"▁":9},"merges":["a b",["b","c"]]}})";

Result<GgufMetadata> Read(const std::string& config, const std::string& tokenizer, const std::string& settings = "") {
  return HubMetadata({config, tokenizer, settings, ""}, "folder");
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("names pair up") {
  CHECK(GgufNameOf("model.layers.12.self_attn.q_norm.weight") == "blk.12.attn_q_norm.weight");
  CHECK(GgufNameOf("model.layers.0.self_attn.k_proj.bias") == "blk.0.attn_k.bias");
  CHECK(GgufNameOf("lm_head.weight") == "output.weight");
  for (const char* other :
       {"", "model", "model.layers..mlp.up_proj.weight", "model.layers.x.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj.scale", "model.layers.0.other.weight", "model.layers.0.weight"}) {
    CHECK(GgufNameOf(other).empty());
  }
}

TEST_CASE("a configuration and a tokenizer become the metadata of a GGUF file") {
  const auto metadata =
      Read(kConfig, kTokenizer, R"({"chat_template":"{{ messages }}","eos_token":{"content":"</s>"}})");
  REQUIRE(metadata.ok());
  const GgufHeader header{*metadata, {}, 32};
  const auto integer = [&](const char* key) { return header.Find(key)->integers.at(0); };
  CHECK(header.Find("general.architecture")->strings[0] == "llama");
  CHECK(integer("llama.attention.key_length") == 16);
  CHECK(integer("llama.attention.head_count_kv") == 2);
  CHECK(header.Find("llama.rope.freq_base")->reals[0] == 500000.0);
  CHECK(header.Find("tokenizer.ggml.model")->strings[0] == "llama");
  CHECK(integer("tokenizer.ggml.add_space_prefix") == 1);
  CHECK(integer("tokenizer.ggml.add_bos_token") == 1);
  CHECK(integer("tokenizer.ggml.bos_token_id") == 1);
  CHECK(integer("tokenizer.ggml.eos_token_id") == 2);
  CHECK(header.Find("tokenizer.ggml.token_type")->integers == std::vector<int64_t>{2, 3, 3, 6, 1, 1, 1, 1, 1, 1});
  const auto& scores = header.Find("tokenizer.ggml.scores")->reals;
  CHECK(scores[7] > scores[8]);
  CHECK(scores[8] > scores[4]);
  CHECK(header.Find("tokenizer.chat_template")->strings[0] == "{{ messages }}");
}

TEST_CASE("what would not be computed rightly is refused by name") {
  const struct {
    const char *from, *to, *reason;
  } configs[] = {{"llama\"", "mixtral\"", "mixtral"},
                 {"llama3", "yarn", "yarn"},
                 {"silu", "gelu", "hidden_act"},
                 {"\"hidden_act\"", "\"mlp_bias\":true,\"hidden_act\"", "mlp_bias"},
                 {"\"hidden_act\"", "\"attention_bias\":true,\"hidden_act\"", "attention_bias"},
                 {"\"hidden_act\"", "\"quantization_config\":{},\"hidden_act\"", "quantised"},
                 {"\"num_hidden_layers\":1", "\"num_hidden_layers\":-1", "num_hidden_layers"},
                 {"\"num_hidden_layers\":1", "\"num_hidden_layers\":\"1\"", "num_hidden_layers"},
                 {"500000.0", "\"x\"", "rope_theta"}};
  for (const auto& [from, to, reason] : configs) {
    CAPTURE(to);
    const auto metadata = Read(With(kConfig, from, to), kTokenizer);
    REQUIRE_FALSE(metadata.ok());
    CHECK(metadata.error().Message().find(reason) != std::string::npos);
  }
  const struct {
    const char *from, *to, *reason;
  } tokenizers[] = {{"\"type\":\"BPE\"", "\"type\":\"Unigram\"", "not BPE"},
                    {"\"Prepend\"", "\"Strip\"", "SentencePiece"},
                    {"\"byte_fallback\":true", "\"byte_fallback\":false", "pre_tokenizer"},
                    {"\"a b\"", "\"ab\"", "merge 0"},
                    {"\"c\":6", "\"c\":5", "two tokens"},
                    {"\"c\":6", "\"c\":-6", "no valid id"},
                    {"\"vocab\"", "\"vocabulary\"", "vocab"}};
  for (const auto& [from, to, reason] : tokenizers) {
    CAPTURE(to);
    const auto metadata = Read(kConfig, With(kTokenizer, from, to));
    REQUIRE_FALSE(metadata.ok());
    CHECK(metadata.error().Message().find(reason) != std::string::npos);
  }
}

TEST_CASE("Llama 3's divisors: short waves stay, long ones are stretched") {
  const TemporaryFolder folder;
  REQUIRE(
      WriteFileAtomic(folder.path() / "config.json",
                      With(kConfig, "\"hidden_act\"", "\"head_dim\":64,\"tie_word_embeddings\":true,\"hidden_act\""))
          .ok());
  REQUIRE(WriteFileAtomic(folder.path() / "tokenizer.json", kTokenizer).ok());
  const float value = 1;
  REQUIRE(
      WriteSafetensors(folder.path() / "model.safetensors", {}, {{"model.norm.weight", FileDtype::kF32, {1}, &value}})
          .ok());
  const auto file = GgufFile::Open(folder.path());
  REQUIRE(file.ok());
  const GgufTensor* tensor = file->header().FindTensor("rope_freqs.weight");
  REQUIRE(tensor != nullptr);
  const auto divisors = GgufDecode(tensor->type, file->ReadTensor(*tensor).value()).value();
  REQUIRE(divisors.size() == 32);
  for (size_t i = 0; i < 32; ++i) {
    const double wave = 2 * M_PI * std::pow(500000.0, 2.0 * static_cast<double>(i) / 64);
    const double share = (8192 / wave - 1) / 3;
    const double expected = wave < 2048 ? 1 : wave > 8192 ? 8 : 1 / ((1 - share) / 8 + share);
    CHECK(static_cast<double>(divisors[i]) == doctest::Approx(expected).epsilon(1e-6));
  }
  CHECK(divisors.front() == 1);
  CHECK(divisors.back() == 8);
}

}  // namespace pintle
