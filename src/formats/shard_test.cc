#include "formats/shard.h"

#include <doctest/doctest.h>

#include <string>

namespace pintle {
namespace {

const std::string kHash(64, 'a');

std::vector<int32_t> Ids(int32_t first, int32_t count) {
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < count; ++i) ids.push_back(first + i);
  return ids;
}

std::filesystem::path Write(const TemporaryFolder& folder, uint32_t vocabulary, int32_t first) {
  const std::filesystem::path path = folder.path() / "train-00000.bin";
  auto writer = ShardWriter::Create(path, vocabulary, kHash);
  REQUIRE(writer.ok());
  REQUIRE(writer->Add(Ids(first, 5), {.bytes = 20, .dataset_line = 3, .group = 1}).ok());
  REQUIRE(writer->Add({}, {.dataset_line = 4}).ok());
  REQUIRE(writer->Add(Ids(first + 10, 4), {.bytes = 9, .dataset_line = 2, .path_tokens = 2, .flags = kShardContinues})
              .ok());
  REQUIRE(writer->Finish().ok());
  return path;
}

TEST_CASE("a shard gives back tokens and documents, in both widths") {
  for (const uint32_t vocabulary : {1000u, 65536u, 65537u}) {
    const TemporaryFolder folder;
    const auto first = static_cast<int32_t>(vocabulary - 20);
    const auto shard = ShardReader::Open(Write(folder, vocabulary, first));
    REQUIRE_MESSAGE(shard.ok(), shard.error().Message());
    CHECK(shard->Verify().ok());
    CHECK(shard->tokens() == 9);
    CHECK(shard->vocabulary() == vocabulary);
    CHECK(shard->tokenizer_hash() == kHash);
    REQUIRE(shard->documents().size() == 3);
    CHECK(shard->documents()[2] == ShardDocument{5, 4, 9, 2, 0, 2, kShardContinues});
    std::vector<int32_t> ids;
    shard->Read(3, 4, ids);
    CHECK(ids == std::vector<int32_t>{first + 3, first + 4, first + 10, first + 11});
    CHECK(shard->DocumentOf(4) == 0);
    CHECK(shard->DocumentOf(5) == 2);
    CHECK(shard->DocumentOf(9) == -1);
  }
}

TEST_CASE("an id beyond the vocabulary is not written") {
  const TemporaryFolder folder;
  auto writer = ShardWriter::Create(folder.path() / "x.bin", 10, kHash);
  REQUIRE(writer.ok());
  CHECK(writer->Add(Ids(8, 3), {}).error().what == "token id 10 is not in the vocabulary of 10");
  CHECK_FALSE(ShardWriter::Create(folder.path() / "x.bin", 10, "hash").ok());
}

TEST_CASE("every damaged byte is found, and every truncation") {
  const TemporaryFolder folder;
  const auto path = Write(folder, 1000, 0);
  const auto bytes = ReadFile(path);
  REQUIRE(bytes.ok());
  for (size_t i = 0; i < bytes->size(); ++i) {
    std::string damaged = *bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    REQUIRE(WriteFileAtomic(path, damaged).ok());
    const auto shard = ShardReader::Open(path);
    const bool in_padding = i >= 256 + 18 && i < 280;  // zeros before the index, which nothing reads
    CHECK_MESSAGE((in_padding || !shard.ok() || !shard->Verify().ok()), "byte ", i);
    REQUIRE(WriteFileAtomic(path, bytes->substr(0, i)).ok());
    CHECK_FALSE(ShardReader::Open(path).ok());
  }
}

TEST_CASE("the shards of a split are listed in order up to the first gap") {
  const TemporaryFolder folder;
  for (const char* name : {"val-00000.bin", "val-00001.bin", "val-00003.bin", "train-00000.bin"}) {
    REQUIRE(WriteFileAtomic(folder.path() / name, "").ok());
  }
  const auto paths = ShardPaths(folder.path(), "val");
  REQUIRE(paths.size() == 2);
  CHECK(paths[1].filename() == "val-00001.bin");
  CHECK(ShardPaths(folder.path(), "test").empty());
}

}  // namespace
}  // namespace pintle
