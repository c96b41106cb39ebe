// Dataset and trace on the small tree: filter, dataset, a hand-made shard, and back to the file.
#include "corpus/dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "corpus/corpus_test_data.h"
#include "corpus/dataset_report.h"
#include "corpus/filter.h"
#include "corpus/trace.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"
#include "formats/shard.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

void PutFiltered(const fs::path& work) {
  PutSource(work, "mini", MiniTree(), "1.0");
  FilterOptions options;
  options.work = work;
  REQUIRE(RunFilter(options).ok());
}

DatasetOptions Options(const fs::path& work, int threads) {
  DatasetOptions options;
  options.work = work;
  options.threads = threads;
  return options;
}

std::vector<std::string> Lines(const fs::path& path) {
  std::vector<std::string> lines;
  auto reader = JsonlZstReader::Open(path);
  REQUIRE(reader.ok());
  for (std::string line; *reader->Next(line);) lines.push_back(line);
  return lines;
}

TEST_CASE("crates are split by the hash of their name; none moves when others come") {
  std::vector<std::string> few, many;
  for (int i = 0; i < 2000; ++i) many.push_back("crate-" + std::to_string(i));
  few.assign(many.begin(), many.begin() + 1000);
  DatasetConfig config;
  const auto a = SplitCrates(few, config), b = SplitCrates(many, config);
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
  const auto share = std::count(b.begin(), b.end(), Split::kVal);
  CHECK(share > 20);
  CHECK(share < 60);
  // Three crates are enough for three splits, two are not.
  const auto three = SplitCrates({"a", "b", "c"}, config);
  CHECK(std::set<Split>(three.begin(), three.end()).size() == 3);
  CHECK(SplitCrates({"a", "b"}, config) == std::vector<Split>(2, Split::kTrain));
  config.val_per_mille = config.test_per_mille = 0;
  CHECK(SplitCrates({"a", "b", "c"}, config) == std::vector<Split>(3, Split::kTrain));
}

TEST_CASE("entropy in integers") {
  CHECK(Log2Fixed(1) == 0);
  CHECK(Log2Fixed(8) == 3 << 16);
  CHECK(Log2Fixed(3) == 103872);  // 1.58496 * 65536
  CHECK(Log2Fixed(uint64_t{1} << 40) == 40 << 16);
  std::array<int64_t, 256> counts{};
  CHECK(EntropyMilliBits(counts) == 0);
  counts.fill(17);
  CHECK(EntropyMilliBits(counts) == 8000);
  counts.fill(0);
  counts['a'] = counts['b'] = 5;
  CHECK(EntropyMilliBits(counts) == 1000);
}

TEST_CASE("each document lies in the split of its crate, and the report adds up") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutFiltered(work);
  const auto summary = RunDataset(Options(work, 2));
  REQUIRE_MESSAGE(summary.ok(), (summary.ok() ? "" : summary.error().Message()));
  REQUIRE(VerifyFolder(work / "dataset").ok());
  std::map<std::string, std::string> split_of;
  int64_t documents = 0;
  for (const char* split : {"train", "val", "test"}) {
    const auto lines = Lines(work / "dataset" / (std::string(split) + ".jsonl.zst"));
    CHECK(static_cast<int64_t>(lines.size()) == summary->counts.at(std::string(split) + "_documents"));
    CHECK_FALSE(lines.empty());
    documents += static_cast<int64_t>(lines.size());
    for (const auto& line : lines) {
      const auto crate = *JsonString(*ParseJson(line, ""), "crate", "");
      CHECK(split_of.emplace(crate, split).first->second == split);
    }
  }
  const auto report = ParseJson(*ReadFile(work / "dataset" / "report.json"), "report.json");
  REQUIRE(report.ok());
  CHECK(*JsonInt(report->at("all"), "documents", "") == documents);
  CHECK(*JsonInt(report->at("filter"), "kept_files", "") == documents);
  CHECK(*JsonInt(report->at("filter").at("rejected").at("secret"), "files", "") == 1);
  CHECK(report->at("crates").as_array().size() == split_of.size());
  CHECK(report->at("licences").as_object().contains("MIT AND Zlib"));
  const int64_t entropy = *JsonInt(report->at("all"), "entropy_millibits_per_byte", "");
  CHECK(entropy > 4000);
  CHECK(entropy < 5500);
}

TEST_CASE("the same dataset for any number of threads; up to date the second time") {
  TemporaryFolder first, second;
  PutFiltered(first.path());
  PutFiltered(second.path());
  const auto one = RunDataset(Options(first.path(), 1)), three = RunDataset(Options(second.path(), 3));
  REQUIRE(one.ok());
  CHECK(one->id == three->id);
  const auto again = RunDataset(Options(first.path(), 1));
  CHECK(again->up_to_date);
  CHECK(again->id == one->id);
}

TEST_CASE("training documents that resemble held-out ones are left out") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutSource(work, "mini", MiniTree(), "1.0");
  FilterOptions filter;
  filter.work = work;
  filter.config.near_percent = 100;  // lets the near copy through, in another crate
  filter.config.version_percent = 100;
  REQUIRE(RunFilter(filter).ok());
  DatasetOptions options = Options(work, 2);
  // The hashes of these names modulo 1000 are 135 (textkit) and 492 (oddities): one is held out, the other is not.
  options.config.val_per_mille = 200;
  options.config.test_per_mille = 0;
  const auto summary = RunDataset(options);
  REQUIRE(summary.ok());
  int64_t left_out = 0;
  for (const char* split : {"train", "val", "test"}) left_out += summary->counts.at(std::string(split) + "_left_out");
  CHECK(static_cast<int64_t>(Lines(work / "dataset" / "left_out.jsonl.zst").size()) == left_out);
  CHECK(left_out >= 1);
}

TEST_CASE("a token leads back to its file, crate and licence") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutFiltered(work);
  REQUIRE(RunDataset(Options(work, 1)).ok());
  REQUIRE(MakeFolder(work / "shards").ok());
  auto shard = ShardWriter::Create(work / "shards" / "train-00000.bin", 300, std::string(64, 'a'));
  REQUIRE(shard.ok());
  const auto lines = Lines(work / "dataset" / "train.jsonl.zst");
  REQUIRE(lines.size() >= 3);
  for (uint32_t line : {2u, 0u, 1u}) {
    ShardDocument document;
    document.dataset_line = line;
    REQUIRE(shard->Add(std::vector<int32_t>(10 + line, 7), document).ok());
  }
  REQUIRE(shard->Finish().ok());

  const auto trace = TraceToken(work, "train-00000", 12 + 3);  // the second document of the shard: line 0
  REQUIRE_MESSAGE(trace.ok(), (trace.ok() ? "" : trace.error().Message()));
  CHECK(trace->document == 0);
  CHECK(trace->token_in_document == 3);
  const auto record = *ParseJson(lines[0], "");
  CHECK(trace->row.path == *JsonString(record, "path", ""));
  CHECK(trace->row.licence == *JsonString(record, "licence", ""));
  CHECK(trace->text_sha256 == *JsonString(record, "sha256", ""));
  CHECK(trace->origin == "version 1.0");
  CHECK(TraceToken(work, "train-00000.bin", 1000).error().code == Code::kUsage);
  CHECK(TraceToken(work, "train-00000.bin", -1).error().code == Code::kUsage);
  CHECK(TraceToken(work, "../x", 0).error().code == Code::kUsage);
  CHECK(TraceDocument(work, "train", 100000).error().hint.find("counted from 0") != std::string::npos);
  CHECK(TraceDocument(work, "dev", 0).error().code == Code::kUsage);
}

TEST_CASE("nothing to work on is said, with the next command") {
  TemporaryFolder folder;
  const auto missing = RunDataset(Options(folder.path(), 1));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Code::kRuntime);
  PutFiltered(folder.path());
  // A truncated document file is found, and nothing is left behind.
  const fs::path documents = folder.path() / "filtered" / "documents.jsonl.zst";
  fs::resize_file(documents, fs::file_size(documents) / 2);
  CHECK(RunDataset(Options(folder.path(), 1)).error().code == Code::kValidation);
  CHECK_FALSE(fs::exists(folder.path() / "dataset"));
  CHECK_FALSE(fs::exists(folder.path() / "dataset.partial"));
}

}  // namespace
}  // namespace pintle
