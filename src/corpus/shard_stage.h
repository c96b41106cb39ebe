// Stage 5, `m31r shard`: WORK/dataset and WORK/tokenizer in, WORK/shards out (train-00000.bin, .., val-.., test-..,
// manifest.json; formats/shard.h). With repository context the files of a crate follow each other, used modules first,
// and neighbours that fit are chained to one segment. Packing, fill-in-the-middle and shuffling are the loader's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/config.h"
#include "base/thread_pool.h"

namespace pintle {

/// Section [shard].
struct ShardConfig {
  std::string repository_context = "dependency";
  int64_t segment_tokens = 2048;
  int64_t shard_megabytes = 64;

  void Visit(ConfigVisitor& v);
};

/// What became of one split.
struct ShardSplit {
  int64_t documents = 0, tokens = 0, bytes = 0, crates = 0, segments = 0, shards = 0;
};

/// What the stage did. `up_to_date`: the folder already held this output and was left alone (splits from its manifest).
struct ShardSummary {
  bool up_to_date = false;
  std::string id, tokenizer_hash;
  std::map<std::string, ShardSplit> splits;
};

/// Runs the stage. The bytes depend on dataset, tokenizer and config alone. Memory: one record a document; the tokens
/// wait in a temporary file.
Result<ShardSummary> ShardStage(const std::filesystem::path& work, const ShardConfig& config, ThreadPool& pool);

}  // namespace pintle
