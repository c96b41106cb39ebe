// The stages from the dataset to the shards, on a small dataset written here.
#include "corpus/shard_stage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "corpus/tokenizer_stage.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"
#include "formats/shard.h"

namespace pintle {
namespace {

std::string Record(const std::string& crate, const std::string& path, const std::string& text) {
  return DumpJson(boost::json::object{{"source", "s"},
                                      {"crate", crate},
                                      {"version", "1.0.0"},
                                      {"path", path},
                                      {"sha256", ""},
                                      {"licence", "MIT"},
                                      {"size", text.size()},
                                      {"text", text}});
}

std::vector<std::string> TrainLines() {
  std::vector<std::string> lines;
  lines.push_back(Record("alpha", "vendor/alpha/src/lib.rs", "mod shape;\nmod table;\npub use shape::Shape;\n"));
  lines.push_back(Record("alpha", "vendor/alpha/src/shape.rs", "use crate::table::Table;\npub struct Shape(Table);\n"));
  lines.push_back(Record("beta", "vendor/beta/src/lib.rs", "pub fn add(a: i32, b: i32) -> i32 { a + b }\n"));
  lines.push_back(Record("alpha", "vendor/alpha/src/table.rs", "pub struct Table { rows: Vec<Vec<i32>> }\n"));
  for (int i = 0; i < 200; ++i) {
    std::string text = "// \u00E9 number " + std::to_string(i) + "\n";
    for (int n = 0; n < i % 17; ++n) text += "pub fn f" + std::to_string(n) + "(x: u32) -> u32 {\n    x * 3 + 1\n}\n";
    lines.push_back(Record("gamma", "vendor/gamma/src/f" + std::to_string(1000 + i) + ".rs", text));
  }
  return lines;
}

void WriteDataset(const std::filesystem::path& work, const std::vector<std::string>& train) {
  auto output = StageOutput::Create(work / "dataset");
  REQUIRE(output.ok());
  const auto write = [&](const char* name, const std::vector<std::string>& lines) {
    auto writer = JsonlZstWriter::Create(output->folder() / name);
    REQUIRE(writer.ok());
    for (const std::string& line : lines) REQUIRE(writer->Write(line).ok());
    REQUIRE(writer->Finish().ok());
  };
  write("train.jsonl.zst", train);
  write("val.jsonl.zst", {Record("delta", "vendor/delta/src/main.rs", "fn main() {}\n")});
  write("test.jsonl.zst", {});
  Manifest manifest;
  manifest.stage = "dataset";
  REQUIRE(output->Commit(manifest).ok());
}

TokenizerSummary TrainTokenizer(const std::filesystem::path& work, int threads) {
  ThreadPool pool(threads);
  const auto summary = TrainTokenizerStage(work, {.vocab_size = 400}, pool);
  REQUIRE_MESSAGE(summary.ok(), summary.error().Message());
  return *summary;
}

ShardSummary MakeShards(const std::filesystem::path& work, const ShardConfig& config, int threads) {
  ThreadPool pool(threads);
  const auto summary = ShardStage(work, config, pool);
  REQUIRE_MESSAGE(summary.ok(), summary.error().Message());
  return *summary;
}

// Texts with their paths as the shards hold them; a chained file is marked by '+'.
std::vector<std::string> Contents(const std::filesystem::path& work, const std::string& split, size_t limit) {
  const auto tokenizer = Tokenizer::Load(work / "tokenizer");
  REQUIRE(tokenizer.ok());
  std::vector<std::string> contents;
  for (const auto& path : ShardPaths(work / "shards", split)) {
    const auto shard = ShardReader::Open(path);
    REQUIRE(shard.ok());
    for (const ShardDocument& document : shard->documents()) {
      if (contents.size() == limit) break;
      std::vector<int32_t> ids;
      shard->Read(document.token_begin, document.token_count, ids);
      contents.push_back((document.flags == kShardContinues ? "+" : "") + tokenizer->Decode(ids));
    }
  }
  return contents;
}

TEST_CASE("tokenizer and shards have the same bytes for one, two and three threads; a second run does nothing") {
  std::string tokenizer_id, shards_id;
  for (const int threads : {1, 2, 3}) {
    const TemporaryFolder work;
    WriteDataset(work.path(), TrainLines());
    const TokenizerSummary tokenizer = TrainTokenizer(work.path(), threads);
    const ShardSummary shards = MakeShards(work.path(), {}, threads);
    CHECK(tokenizer.vocab_size <= 400);
    CHECK(tokenizer.documents == 204);
    CHECK_FALSE(shards.up_to_date);
    if (threads == 1) {
      tokenizer_id = tokenizer.id;
      shards_id = shards.id;
    }
    CHECK(tokenizer.id == tokenizer_id);
    CHECK(shards.id == shards_id);
    const TokenizerSummary again = TrainTokenizer(work.path(), threads);
    CHECK((again.up_to_date && again.id == tokenizer_id && again.tokenizer_hash == tokenizer.tokenizer_hash));
    const ShardSummary shards_again = MakeShards(work.path(), {}, threads);
    CHECK((shards_again.up_to_date && shards_again.id == shards_id));
    CHECK(shards_again.splits.at("train").tokens == shards.splits.at("train").tokens);
    CHECK(VerifyFolder(work.path() / "tokenizer").ok());
    CHECK(VerifyFolder(work.path() / "shards").ok());
    CHECK_FALSE(std::filesystem::exists(work.path() / "shards" / "spool.tmp"));
  }
}

TEST_CASE("a crate's files stand together, used modules first, chained as far as they fit") {
  const TemporaryFolder work;
  WriteDataset(work.path(), TrainLines());
  TrainTokenizer(work.path(), 2);
  const ShardSummary summary = MakeShards(work.path(), {}, 2);
  CHECK(Contents(work.path(), "train", 4) ==
        std::vector<std::string>{"pub struct Table { rows: Vec<Vec<i32>> }\n",
                                 "+shape.rs\nuse crate::table::Table;\npub struct Shape(Table);\n",
                                 "+lib.rs\nmod shape;\nmod table;\npub use shape::Shape;\n",
                                 "pub fn add(a: i32, b: i32) -> i32 { a + b }\n"});
  CHECK(Contents(work.path(), "val", 4) == std::vector<std::string>{"fn main() {}\n"});
  const ShardSplit& train = summary.splits.at("train");
  CHECK(train.documents == 204);
  CHECK(train.crates == 3);
  CHECK(train.segments > 3);
  CHECK(train.segments < 204);
  CHECK(summary.splits.at("test").shards == 0);

  MakeShards(work.path(), {.repository_context = "none"}, 2);
  CHECK(Contents(work.path(), "train", 2) ==
        std::vector<std::string>{"mod shape;\nmod table;\npub use shape::Shape;\n",
                                 "use crate::table::Table;\npub struct Shape(Table);\n"});
}

TEST_CASE("every document leads back to its line, with its size") {
  const TemporaryFolder work;
  const std::vector<std::string> lines = TrainLines();
  WriteDataset(work.path(), lines);
  const TokenizerSummary trained = TrainTokenizer(work.path(), 2);
  MakeShards(work.path(), {}, 2);
  const auto tokenizer = Tokenizer::Load(work.path() / "tokenizer");
  const auto shard = ShardReader::Open(ShardPaths(work.path() / "shards", "train").at(0));
  REQUIRE((tokenizer.ok() && shard.ok()));
  CHECK(shard->tokenizer_hash() == trained.tokenizer_hash);
  std::vector<bool> seen(lines.size(), false);
  for (const ShardDocument& document : shard->documents()) {
    const auto record = ParseJson(lines.at(document.dataset_line), "line");
    const std::string text(record->at("text").as_string());
    std::vector<int32_t> ids;
    shard->Read(document.token_begin + document.path_tokens, document.token_count - document.path_tokens, ids);
    CHECK(tokenizer->Decode(ids) == text);
    CHECK(document.bytes == text.size());
    CHECK_FALSE(seen[document.dataset_line]);
    seen[document.dataset_line] = true;
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == static_cast<std::ptrdiff_t>(lines.size()));
}

TEST_CASE("missing, empty and damaged inputs are named, and leave no folder") {
  const TemporaryFolder work;
  ThreadPool pool(2);
  const auto missing = TrainTokenizerStage(work.path(), {}, pool);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Code::kRuntime);
  WriteDataset(work.path(), {});
  CHECK(TrainTokenizerStage(work.path(), {}, pool).error().what == "the training split holds no document");
  CHECK(ShardStage(work.path(), {}, pool).error().code == Code::kRuntime);
  WriteDataset(work.path(), {Record("a", "a.rs", "fn a() {}\n"), R"({"text": 3})"});
  const auto damaged = TrainTokenizerStage(work.path(), {}, pool);
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().code == Code::kValidation);
  CHECK(damaged.error().where.find("train.jsonl.zst:2") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work.path() / "tokenizer"));
  CHECK_FALSE(std::filesystem::exists(work.path() / "shards"));
  WriteDataset(work.path(), TrainLines());
  TrainTokenizer(work.path(), 2);
  REQUIRE(WriteFileAtomic(work.path() / "tokenizer" / "tokenizer.json", "{}").ok());
  CHECK_FALSE(ShardStage(work.path(), {}, pool).ok());
  CHECK_FALSE(std::filesystem::exists(work.path() / "shards"));
}

TEST_CASE("measures of a text") {
  const TemporaryFolder work;
  WriteDataset(work.path(), TrainLines());
  TrainTokenizer(work.path(), 2);
  const auto tokenizer = Tokenizer::Load(work.path() / "tokenizer");
  REQUIRE(tokenizer.ok());
  const TokenizerMeasures m = MeasureTokenizer(*tokenizer, "pub fn f0\nzzyzx");
  CHECK(m.bytes == 15);
  CHECK(m.lines == 2);
  CHECK(m.round_trip);
  CHECK(m.pieces == 6);       // pub, fn, f, 0, \n, zzyzx
  CHECK(m.identifiers == 4);  // pub, fn, f, zzyzx
  CHECK(m.whole_identifiers == 3);
  CHECK(m.tokens == 10);
}

}  // namespace
}  // namespace pintle
