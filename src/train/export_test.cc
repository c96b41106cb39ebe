#include "train/export.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "base/log.h"
#include "formats/gguf.h"
#include "formats/gguf_names.h"
#include "formats/manifest.h"
#include "formats/safetensors.h"
#include "generate/generate.h"
#include "train/gguf_export.h"
#include "train/test_work.h"
#include "train/train.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

// A trained model, made once.
const fs::path& Model() {
  static const TemporaryFolder folder;
  static const fs::path model = [] {
    SetLogLevel(LogLevel::kError);
    WriteTestWork(folder.path());
    TrainOptions options;
    options.work = folder.path();
    options.config = TestTrainConfig();
    options.config.dtype = "bf16";
    options.config.steps = 4;
    options.threads = 1;
    REQUIRE(Train(options).ok());
    return folder.path() / "run/model";
  }();
  return model;
}

std::string Text(const fs::path& folder) {
  const auto model = TextModel::Load(folder.string(), 1);
  REQUIRE(model.ok());
  SampleOptions options;
  options.max_tokens = 16;
  return (*model)->Complete("fn f", options).value().text;
}

TEST_CASE("export: tensor names of llama.cpp") {
  CHECK(GgufNameOf("model.embed_tokens.weight") == "token_embd.weight");
  CHECK(GgufNameOf("model.layers.12.self_attn.q_norm.weight") == "blk.12.attn_q_norm.weight");
  CHECK(GgufNameOf("model.layers.0.post_attention_layernorm.weight") == "blk.0.ffn_norm.weight");
  CHECK(GgufNameOf("lm_head.weight") == "output.weight");
  CHECK(GgufNameOf("model.layers.0.other").empty());
  CHECK(GgufNameOf("other").empty());
}

TEST_CASE("export: a GGUF file holds every tensor with its shape and the whole vocabulary") {
  const TemporaryFolder out;
  for (const char* type : {"f32", "f16", "bf16", "q8_0"}) {
    const ExportOptions options{Model(), out.path() / type, {}, "gguf", type};
    const auto summary = ExportModel(options);
    if (!summary.ok()) MESSAGE(summary.error().Message());
    REQUIRE(summary.ok());
    CHECK(summary->weights == std::string("m31r-1m-") + type + ".gguf");
    CHECK(VerifyFolder(options.out).ok());
    const auto file = GgufFile::Open(options.out / summary->weights);
    REQUIRE(file.ok());
    const GgufHeader& header = file->header();
    CHECK(header.Find("general.architecture")->strings[0] == "qwen3");
    CHECK(header.Find("qwen3.attention.head_count_kv")->integers[0] == 1);
    CHECK(header.Find("qwen3.attention.key_length")->integers[0] == 16);
    CHECK(header.Find("tokenizer.ggml.pre")->strings[0] == "qwen2");
    CHECK(header.Find("tokenizer.ggml.tokens")->strings.size() == 256 + 10 + 32);
    CHECK(header.Find("tokenizer.ggml.merges")->strings[0] == "f n");
    const auto& types = header.Find("tokenizer.ggml.token_type")->integers;
    CHECK(types[0] == 1);
    CHECK(types.back() == 3);
    const auto weights = SafetensorsFile::Open(Model() / "model.safetensors");
    REQUIRE(weights.ok());
    CHECK(header.tensors.size() == weights->tensors().size());
    for (const auto& entry : weights->tensors()) {
      const GgufTensor* tensor = header.FindTensor(GgufNameOf(entry.name));
      REQUIRE(tensor != nullptr);
      CHECK(tensor->shape == entry.shape);
      const auto ours = weights->ReadFloats(entry.name).value();
      const auto theirs = GgufDecode(tensor->type, file->ReadTensor(*tensor).value()).value();
      REQUIRE(theirs.size() == ours.size());
      float largest = 0;
      float worst = 0;
      for (size_t i = 0; i < ours.size(); ++i) {
        largest = std::max(largest, std::abs(ours[i]));
        worst = std::max(worst, std::abs(ours[i] - theirs[i]));
      }
      // The weights are bf16 already, so only q8_0 and f16 (below its normal range) may lose anything.
      const bool exact = std::string(type) == "f32" || std::string(type) == "bf16" || entry.shape.size() < 2;
      CHECK(worst <= (exact ? 0.0f : largest / 240));
    }
  }
}

TEST_CASE("export: safetensors loads back and completes the same text; the same input gives the same bytes") {
  const TemporaryFolder out;
  const auto bf16 = ExportModel({Model(), out.path() / "a", {}, "safetensors", "bf16"});
  REQUIRE(bf16.ok());
  CHECK(Text(out.path() / "a") == Text(Model()));
  const auto f32 = ExportModel({Model(), out.path() / "b", {}, "safetensors", "f32"});
  REQUIRE(f32.ok());
  CHECK(Text(out.path() / "b") == Text(Model()));
  const auto again = ExportModel({Model(), out.path() / "c", {}, "safetensors", "bf16"});
  REQUIRE(again.ok());
  CHECK(again->id == bf16->id);
  CHECK(f32->sha256 != bf16->sha256);
  const std::string checksums = ReadFile(out.path() / "a/checksums.txt").value();
  CHECK(checksums.find(bf16->sha256 + "  model.safetensors\n") != std::string::npos);
}

TEST_CASE("export: the card carries measured figures; wrong requests are refused") {
  const TemporaryFolder out;
  REQUIRE(WriteFileAtomic(out.path() / "metrics.json", R"({"pass_at":{"1":0.25},"name":"x"})").ok());
  REQUIRE(ExportModel({Model(), out.path() / "a", out.path() / "metrics.json", "gguf", "f16"}).ok());
  const std::string card = ReadFile(out.path() / "a/README.md").value();
  CHECK(card.find("| pass_at.1 | 0.25 |") != std::string::npos);
  CHECK(card.find("trained from random initialisation") != std::string::npos);
  CHECK(ExportModel({Model(), out.path() / "b", {}, "gguf", "q4"}).error().code == Code::kUsage);
  CHECK(ExportModel({Model(), out.path() / "b", {}, "safetensors", "q8_0"}).error().code == Code::kUsage);
  CHECK(ExportModel({Model(), out.path() / "b", {}, "onnx", "f32"}).error().code == Code::kUsage);
  CHECK(ExportModel({out.path() / "none", out.path() / "b", {}, "gguf", "f32"}).error().code == Code::kRuntime);
  const fs::path foreign = out.path() / "foreign";
  fs::copy(Model(), foreign);
  fs::remove(foreign / "manifest.json");
  std::string config = ReadFile(foreign / "config.json").value();
  const size_t at = config.find("internal");
  REQUIRE(at != std::string::npos);
  config.replace(at, 8, "external");
  REQUIRE(WriteFileAtomic(foreign / "config.json", config).ok());
  const auto refused = ExportModel({foreign, out.path() / "b", {}, "gguf", "f32"});
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kValidation);
  CHECK(!fs::exists(out.path() / "b"));
}

}  // namespace
}  // namespace pintle
