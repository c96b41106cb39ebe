#include "corpus/tokenizer_stage.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "corpus/line_batches.h"
#include "formats/manifest.h"
#include "text/bpe_trainer.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

constexpr char kStage[] = "tokenizer";

// Counts the pieces of all texts. Each thread has its own table; sums do not depend on who counted what.
Status CountPieces(const std::filesystem::path& dataset, ThreadPool& pool, PieceCounter& total,
                   TokenizerSummary& summary) {
  std::vector<PieceCounter> counters(static_cast<size_t>(pool.threads()));
  PINTLE_ASSIGN(LineBatches batches, LineBatches::Open(dataset));
  Progress progress("counting", "bytes", 0);
  while (true) {
    PINTLE_ASSIGN(const bool more, batches.Next());
    if (!more) break;
    std::vector<Status> errors(batches.lines().size());
    std::vector<int64_t> sizes(batches.lines().size());
    pool.ParallelForWithThread(static_cast<int64_t>(batches.lines().size()), [&](int64_t i, int thread) {
      const auto index = static_cast<size_t>(i);
      const std::string where = batches.Where(index);
      const auto record = ParseJson(batches.lines()[index], where);
      const auto text = record.ok() ? JsonString(*record, "text", where) : Result<std::string>(record.error());
      if (!text.ok()) {
        errors[index] = text.error();
        return;
      }
      counters[static_cast<size_t>(thread)].AddText(*text);
      sizes[index] = static_cast<int64_t>(text->size());
    });
    for (const Status& error : errors) PINTLE_RETURN_IF_ERROR(error);
    summary.documents += static_cast<int64_t>(sizes.size());
    for (const int64_t size : sizes) summary.bytes += size;
    progress.Update(static_cast<double>(summary.bytes));
    if (Interrupted()) return RuntimeError("interrupted");
  }
  for (const PieceCounter& counter : counters) total.Merge(counter);
  return {};
}

}  // namespace

void TokenizerConfig::Visit(ConfigVisitor& v) {
  v.Section("tokenizer");
  v.Int("vocab_size", vocab_size, 256 + special::kCount, 65536, "ids in all: 256 bytes, merges, 32 special tokens");
  v.Int("min_count", min_count, 1, 1000000, "a pair that occurs less often is not merged");
  v.Int("max_token_bytes", max_token_bytes, 2, 1024, "no token becomes longer");
}

Result<TokenizerSummary> TrainTokenizerStage(const std::filesystem::path& work, const TokenizerConfig& config,
                                             ThreadPool& pool) {
  TokenizerConfig settings = config;
  const std::string config_hash = ConfigHash([&](ConfigVisitor& v) { settings.Visit(v); });
  PINTLE_ASSIGN(const Manifest dataset, ReadManifest(work / "dataset"));
  const std::map<std::string, std::string> inputs{{"dataset", dataset.Id()}};
  const std::filesystem::path target = work / "tokenizer";
  TokenizerSummary summary;
  if (UpToDate(target, kStage, config_hash, inputs)) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(target));
    PINTLE_ASSIGN(const Tokenizer tokenizer, Tokenizer::Load(target));
    summary.up_to_date = true;
    summary.id = manifest.Id();
    summary.tokenizer_hash = tokenizer.hash();
    summary.vocab_size = tokenizer.vocab_size();
    return summary;
  }

  double start = MonotonicSeconds();
  PieceCounter pieces;
  PINTLE_RETURN_IF_ERROR(CountPieces(work / "dataset" / "train.jsonl.zst", pool, pieces, summary));
  if (summary.documents == 0) {
    return ValidationError("the training split holds no document", (work / "dataset").string(),
                           "look at m31r report; the filter may have kept nothing");
  }
  summary.distinct_pieces = static_cast<int64_t>(pieces.distinct());
  summary.count_seconds = MonotonicSeconds() - start;
  start = MonotonicSeconds();
  const auto merges =
      TrainBpe(pieces, {config.vocab_size - 256 - special::kCount, config.min_count, config.max_token_bytes});
  summary.merge_seconds = MonotonicSeconds() - start;
  PINTLE_ASSIGN(const Tokenizer tokenizer, Tokenizer::FromMerges(merges, SpecialTokenNames()));
  summary.vocab_size = tokenizer.vocab_size();
  summary.tokenizer_hash = tokenizer.hash();
  if (summary.vocab_size < config.vocab_size) {
    LogWarning(kStage, fmt::format("the corpus has pairs for {} ids only, {} were asked for", summary.vocab_size,
                                   config.vocab_size));
  }

  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  std::string vocab_lines, merge_lines = "#version: 0.2\n";
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) vocab_lines += tokenizer.PrintableToken(id) + "\n";
  for (const MergeRule& merge : tokenizer.merges()) {
    merge_lines += tokenizer.PrintableToken(merge.left) + " " + tokenizer.PrintableToken(merge.right) + "\n";
  }
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "tokenizer.json", tokenizer.ToJson()));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "vocab.txt", vocab_lines));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "merges.txt", merge_lines));
  Manifest manifest;
  manifest.stage = kStage;
  manifest.config_hash = config_hash;
  manifest.inputs = inputs;
  manifest.counts = {{"vocab_size", summary.vocab_size},
                     {"merges", static_cast<int64_t>(merges.size())},
                     {"documents", summary.documents},
                     {"bytes", summary.bytes},
                     {"distinct_pieces", summary.distinct_pieces}};
  manifest.notes = {{"tokenizer_hash", summary.tokenizer_hash}};
  PINTLE_ASSIGN(summary.id, output.Commit(manifest));
  return summary;
}

TokenizerMeasures MeasureTokenizer(const Tokenizer& tokenizer, std::string_view text) {
  TokenizerMeasures measures;
  Encoder encoder(tokenizer);
  std::vector<int32_t> ids;
  for (int pass = 0; pass < 2; ++pass) {
    ids.clear();
    const double start = MonotonicSeconds();
    encoder.Encode(text, ids);
    measures.encode_seconds = MonotonicSeconds() - start;
  }
  measures.bytes = static_cast<int64_t>(text.size());
  measures.tokens = static_cast<int64_t>(ids.size());
  measures.round_trip = tokenizer.Decode(ids) == text;
  for (const char c : text) measures.lines += c == '\n' ? 1 : 0;
  if (!text.empty() && text.back() != '\n') ++measures.lines;
  ForEachPiece(text, [&](size_t begin, size_t end) {
    ++measures.pieces;
    const auto last = static_cast<unsigned char>(text[end - 1]);
    if ((last | 0x20) < 'a' || (last | 0x20) > 'z') return;
    ++measures.identifiers;
    ids.clear();
    encoder.Encode(text.substr(begin, end - begin), ids);
    measures.whole_identifiers += ids.size() == 1 ? 1 : 0;
  });
  return measures;
}

}  // namespace pintle
