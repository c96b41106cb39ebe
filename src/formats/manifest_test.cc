// Manifests, stage folders and compressed lines: round trips, damage, kills.
#include <doctest/doctest.h>

#include "base/file.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

Manifest Example() {
  Manifest manifest;
  manifest.stage = "filter";
  manifest.config_hash = "c0ffee";
  manifest.inputs = {{"raw/a", "1"}};
  manifest.counts = {{"kept", 2}};
  manifest.notes = {{"licence", "MIT"}};
  return manifest;
}

TEST_CASE("a stage folder commits, verifies, is up to date, and notices damage") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "out";
  for (const char* content : {"first", "other"}) {
    auto output = StageOutput::Create(target);
    REQUIRE(output.ok());
    REQUIRE(MakeFolder(output->folder() / "sub").ok());
    REQUIRE(WriteFileAtomic(output->folder() / "sub" / "x", content).ok());
    const auto id = output->Commit(Example());
    REQUIRE(id.ok());
    CHECK(ReadManifest(target)->Id() == *id);
    CHECK(*ReadFile(target / "sub" / "x") == content);
    CHECK_FALSE(fs::exists(target.string() + ".partial"));
  }
  CHECK(VerifyFolder(target).ok());
  CHECK(UpToDate(target, "filter", "c0ffee", {{"raw/a", "1"}}));
  CHECK_FALSE(UpToDate(target, "filter", "c0ffee", {{"raw/a", "2"}}));
  CHECK_FALSE(UpToDate(target, "filter", "decaf", {{"raw/a", "1"}}));
  REQUIRE(WriteFileAtomic(target / "sub" / "x", "otheR").ok());
  const Status damaged = VerifyFolder(target);
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().code == Code::kValidation);
  REQUIRE(RemoveAll(target / "sub" / "x").ok());
  CHECK_FALSE(VerifyFolder(target).ok());
  CHECK_FALSE(UpToDate(target, "filter", "c0ffee", {{"raw/a", "1"}}));
}

TEST_CASE("a folder that another version of the program made is not up to date, and keeps its id") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "out";
  Manifest older = Example();
  older.tool = "pintle 0.0";
  const auto id = StageOutput::Create(target)->Commit(older);
  REQUIRE(id.ok());
  CHECK(ReadManifest(target)->Id() == *id);
  CHECK(VerifyFolder(target).ok());
  CHECK_FALSE(UpToDate(target, "filter", "c0ffee", {{"raw/a", "1"}}));
}

TEST_CASE("an output that is not committed leaves the old folder and nothing else") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "out";
  REQUIRE(StageOutput::Create(target)->Commit(Example()).ok());
  {
    auto output = StageOutput::Create(target);
    REQUIRE(output.ok());
    REQUIRE(WriteFileAtomic(output->folder() / "half", "x").ok());
  }
  CHECK_FALSE(fs::exists(target / "half"));
  CHECK_FALSE(fs::exists(target.string() + ".partial"));
  CHECK(VerifyFolder(target).ok());
}

TEST_CASE("a manifest changed by hand, cut short, or pointing outside is refused") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "out";
  REQUIRE(StageOutput::Create(target)->Commit(Example()).ok());
  const fs::path path = target / "manifest.json";
  const std::string good = *ReadFile(path);
  std::string changed = good;
  changed.replace(changed.find("\"kept\": 2"), 9, "\"kept\": 3");
  for (const std::string& bad : {changed, good.substr(0, good.size() / 2), std::string("{}"), std::string("[]")}) {
    REQUIRE(WriteFileAtomic(path, bad).ok());
    const auto manifest = ReadManifest(target);
    REQUIRE_FALSE(manifest.ok());
    CHECK(manifest.error().code == Code::kValidation);
  }
  REQUIRE(WriteFileAtomic(path, good).ok());
  CHECK(ReadManifest(target).ok());
  CHECK(ReadManifest(folder.path() / "none").error().code == Code::kRuntime);
}

TEST_CASE("lines go through zstd unchanged; truncation and damage are errors") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lines.jsonl.zst";
  std::vector<std::string> lines{"", "a", std::string(300000, 'b'), "{\"x\":1}"};
  for (int i = 0; i < 5000; ++i) lines.push_back("line " + std::to_string(i * 7919));
  {
    auto writer = JsonlZstWriter::Create(path);
    REQUIRE(writer.ok());
    for (const auto& line : lines) REQUIRE(writer->Write(line).ok());
    REQUIRE(writer->Finish().ok());
  }
  const auto read_all = [&](size_t max_line) -> Result<std::vector<std::string>> {
    PINTLE_ASSIGN(JsonlZstReader reader, JsonlZstReader::Open(path, max_line));
    std::vector<std::string> all;
    std::string line;
    while (true) {
      PINTLE_ASSIGN(const bool more, reader.Next(line));
      if (!more) return all;
      all.push_back(line);
    }
  };
  CHECK(*read_all(1 << 20) == lines);
  CHECK_FALSE(read_all(1000).ok());
  const std::string good = *ReadFile(path);
  for (const size_t cut : {size_t{5}, good.size() / 2, good.size() - 1}) {
    REQUIRE(WriteFileAtomic(path, good.substr(0, cut)).ok());
    CHECK_FALSE(read_all(1 << 20).ok());
  }
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x40);
  REQUIRE(WriteFileAtomic(path, flipped).ok());
  CHECK_FALSE(read_all(1 << 20).ok());
}

}  // namespace
}  // namespace pintle
