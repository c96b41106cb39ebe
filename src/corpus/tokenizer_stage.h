// Stage 4, `m31r tokenizer train`: WORK/dataset/train.jsonl.zst in, WORK/tokenizer out (tokenizer.json, vocab.txt,
// merges.txt, manifest.json). Also what `m31r tokenizer info` measures. The vocabulary sees the training split only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/thread_pool.h"
#include "text/tokenizer.h"

namespace pintle {

/// Section [tokenizer].
struct TokenizerConfig {
  int64_t vocab_size = 8192;
  int64_t min_count = 2;
  int64_t max_token_bytes = 64;

  void Visit(ConfigVisitor& v);
};

/// What the stage did. `up_to_date`: the folder already held this output and was left alone.
struct TokenizerSummary {
  bool up_to_date = false;
  std::string id, tokenizer_hash;
  int64_t vocab_size = 0, documents = 0, bytes = 0, distinct_pieces = 0;
  double count_seconds = 0, merge_seconds = 0;
};

/// Runs the stage. The output depends on dataset and config alone. A corpus too small for vocab_size gives a smaller
/// one and a warning.
Result<TokenizerSummary> TrainTokenizerStage(const std::filesystem::path& work, const TokenizerConfig& config,
                                             ThreadPool& pool);

/// How a tokenizer treats a text.
struct TokenizerMeasures {
  int64_t bytes = 0, tokens = 0, lines = 0, pieces = 0;
  int64_t identifiers = 0, whole_identifiers = 0;  ///< pieces of letters; those that are one token
  double encode_seconds = 0;                       ///< of the second of two passes, one thread
  bool round_trip = false;                         ///< decoding gave the same bytes
};
TokenizerMeasures MeasureTokenizer(const Tokenizer& tokenizer, std::string_view text);

}  // namespace pintle
