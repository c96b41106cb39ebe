#include <doctest/doctest.h>

#include "base/file.h"
#include "formats/manifest.h"
#include "formats/shard.h"
#include "text/tokenizer.h"
#include "train/test_work.h"

namespace pintle {

void WriteTestWork(const std::filesystem::path& work) {
  const std::vector<std::pair<int32_t, int32_t>> merges = {{'f', 'n'}, {'l', 'e'}, {257, 't'},  {' ', ' '}, {259, 259},
                                                           {'x', ' '}, {'=', ' '}, {';', '\n'}, {'(', ')'}, {' ', '{'}};
  auto tokenizer = Tokenizer::FromMerges(merges, SpecialTokenNames());
  REQUIRE(tokenizer.ok());
  auto tokenizer_out = StageOutput::Create(work / "tokenizer");
  REQUIRE(tokenizer_out.ok());
  REQUIRE(WriteFileAtomic(tokenizer_out->folder() / "tokenizer.json", tokenizer->ToJson()).ok());
  Manifest manifest;
  manifest.stage = "tokenizer";
  REQUIRE(tokenizer_out->Commit(manifest).ok());

  auto shards_out = StageOutput::Create(work / "shards");
  REQUIRE(shards_out.ok());
  const auto write = [&](const char* split, int first, int count) {
    auto shard = ShardWriter::Create(shards_out->folder() / (std::string(split) + "-00000.bin"),
                                     static_cast<uint32_t>(tokenizer->vocab_size()), tokenizer->hash());
    REQUIRE(shard.ok());
    for (int i = first; i < first + count; ++i) {
      std::string text;
      for (int line = 0; line <= i % 3; ++line) {
        text += "fn f" + std::to_string(i % 5) + "() {\n    let x = " + std::to_string(line) + ";\n}\n";
      }
      ShardDocument document;
      document.bytes = static_cast<uint32_t>(text.size());
      document.dataset_line = static_cast<uint32_t>(i);
      document.group = static_cast<uint32_t>(i / 4);
      REQUIRE(shard->Add(tokenizer->Encode(text), document).ok());
    }
    REQUIRE(shard->Finish().ok());
  };
  write("train", 0, 48);
  write("val", 48, 8);
  manifest = Manifest();
  manifest.stage = "shard";
  REQUIRE(shards_out->Commit(manifest).ok());
}

TrainConfig TestTrainConfig() {
  TrainConfig config;
  config.preset = "m31r-1m";
  config.dtype = "fp32";
  config.width = 32;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 16;
  config.ffn = 64;
  config.context = 64;
  config.steps = 20;
  config.batch = 2;
  config.accum = 2;
  config.time = 64;
  config.lr = 0.01;
  config.seed = 3;
  config.checkpoint_interval = 5;
  config.eval_interval = 10;
  config.eval_batches = 2;
  config.sample_interval = 10;
  config.sample_tokens = 8;
  return config;
}

}  // namespace pintle
