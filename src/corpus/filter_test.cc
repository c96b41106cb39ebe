// The whole stage on the small tree of testdata/mini: one file for each reason to leave a file out.
#include "corpus/filter.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "corpus/corpus_test_data.h"
#include "corpus/ledger.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

FilterOptions Options(const fs::path& work, int threads) {
  FilterOptions options;
  options.work = work;
  options.benchmarks = CorpusTestData() / "tasks";
  options.threads = threads;
  return options;
}

std::string RuleOf(const LedgerReader& ledger, const std::string& path) {
  const auto rows = ledger.Find(path, 10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  return RuleId(rows->front().rule);
}

TEST_CASE("every file of the small tree gets the fate it was written for") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutSource(work, "mini", MiniTree(), "1.0");
  const auto summary = RunFilter(Options(work, 2));
  REQUIRE_MESSAGE(summary.ok(), (summary.ok() ? "" : summary.error().Message()));
  const auto ledger = LedgerReader::Open(work / "filtered" / "ledger.sqlite");
  REQUIRE(ledger.ok());

  const std::pair<const char*, const char*> fates[] = {
      {"shapes/src/lib.rs", "kept"},
      {"shapes/src/circle.rs", "kept"},
      {"textkit/src/wrap.rs", "kept"},
      {"textkit/tests/wrap.rs", "kept"},
      {"queue/src/lib.rs", "kept"},
      {"vendor/ringbuf/src/lib.rs", "kept"},
      {"oddities/src/crlf.rs", "kept"},
      {"oddities/src/mail.rs", "kept"},
      {"README.md", "not-rust"},
      {"shapes/src/generated/table.rs", "excluded-folder"},
      {"windows-sys/src/lib.rs", "binding-crate"},
      {"vendor/nolicence/src/lib.rs", "licence-unknown"},
      {"vendor/copyleft/src/lib.rs", "licence-not-permissive"},
      {"oddities/src/gpl_header.rs", "licence-not-permissive"},
      {"oddities/src/tiny.rs", "too-small"},
      {"oddities/src/latin1.rs", "not-utf8"},
      {"oddities/src/long_line.rs", "long-line"},
      {"oddities/src/letters.rs", "few-letters"},
      {"oddities/src/numbers.rs", "few-letters"},
      {"oddities/src/hex.rs", "number-table"},
      {"oddities/src/generated_note.rs", "generated"},
      {"oddities/src/minified.rs", "minified"},
      {"oddities/tests/ui/mismatch.rs", "expects-errors"},
      {"oddities/src/broken.rs", "syntax-errors"},
      {"oddities/src/secret.rs", "secret"},
      {"oddities/src/solution.rs", "benchmark"},
      {"oddities/src/copy.rs", "duplicate"},
      {"oddities/src/near.rs", "near-duplicate"},
      {"vendor/textkit-0.1.0/src/wrap.rs", "older-version"},
  };
  for (const auto& [path, rule] : fates) {
    CHECK(path + (" is " + RuleOf(*ledger, path)) == path + std::string(" is ") + rule);
  }
  // The one that stays in the place of a duplicate.
  const auto near = ledger->Find("oddities/src/near.rs", 1);
  CHECK((*ledger->Row(near->front().keeper))->path == "textkit/src/wrap.rs");
  CHECK(near->front().value >= 70);
  CHECK(ledger->Find("vendor/ringbuf/src/lib.rs", 1)->front().licence == "MIT AND Zlib");
  CHECK(ledger->Find("queue/src/lib.rs", 1)->front().licence_from == "LICENSE");
  CHECK(ledger->Find("mini/queue/src/lib.rs", 1)->size() == 1);
  CHECK(ledger->Find("no/such/file.rs", 1)->empty());
  CHECK(ledger->Suggest("quue/src/lib.rs", 1)->front() == "queue/src/lib.rs");
  CHECK(ledger->Suggest("wrp.rs", 1)->front() == "wrap.rs");
}

TEST_CASE("a source that repeats an earlier one is left out as a whole") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutSource(work, "mini", MiniTree(), "1.0");
  PutSource(work, "mirror", MiniTree(), "1.0");
  PutSource(work, "other", MiniTree() / "shapes", "1.0");  // too few files to judge
  const auto summary = RunFilter(Options(work, 2));
  REQUIRE(summary.ok());
  const auto ledger = LedgerReader::Open(work / "filtered" / "ledger.sqlite");
  REQUIRE(ledger.ok());
  CHECK(RuleOf(*ledger, "mini/shapes/src/lib.rs") == "kept");
  CHECK(RuleOf(*ledger, "mirror/shapes/src/lib.rs") == "fork");
  CHECK(ledger->Find("mirror/shapes/src/lib.rs", 1)->front().value == 100);
  CHECK(RuleOf(*ledger, "other/src/lib.rs") != "fork");
  CHECK(summary->counts.at("rejected/fork/files") >= 10);
}

TEST_CASE("documents hold the normal form, in order, and the manifest adds up") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutSource(work, "mini", MiniTree(), "1.0");
  const auto summary = RunFilter(Options(work, 1));
  REQUIRE(summary.ok());
  auto reader = JsonlZstReader::Open(work / "filtered" / "documents.jsonl.zst");
  REQUIRE(reader.ok());
  std::string line, previous;
  int64_t count = 0, bytes = 0;
  while (*reader->Next(line)) {
    const auto record = ParseJson(line, "documents");
    REQUIRE(record.ok());
    const std::string path = *JsonString(*record, "path", ""), text = *JsonString(*record, "text", "");
    CHECK(previous < path);
    previous = path;
    CHECK(*JsonString(*record, "sha256", "") == Sha256Hex(text));
    CHECK(*JsonInt(*record, "size", "") == static_cast<int64_t>(text.size()));
    if (path == "oddities/src/crlf.rs") {
      CHECK(text ==
            "/// Kept, with the line ends of another system.\npub fn halve(value: u64) -> u64 {\n"
            "    let text = \"two  \nlines\";\n    value / text.lines().count() as u64\n}\n");
    }
    if (path == "oddities/src/mail.rs") CHECK(text.find("jane.roe") == std::string::npos);
    if (path == "shapes/src/lib.rs") CHECK(*JsonString(*record, "version", "") == "0.3.0");
    ++count;
    bytes += static_cast<int64_t>(text.size());
  }
  CHECK(count == summary->counts.at("kept_files"));
  CHECK(bytes == summary->counts.at("kept_bytes"));
  CHECK(summary->counts.at("mails_redacted") == 2);
  int64_t files = summary->counts.at("kept_files");
  for (const auto& [name, value] : summary->counts) {
    if (name.starts_with("rejected/") && name.ends_with("/files")) files += value;
  }
  CHECK(files == summary->counts.at("files"));
}

TEST_CASE("the same bytes for any number of threads; up to date the second time") {
  TemporaryFolder first, second;
  PutSource(first.path(), "mini", MiniTree(), "1.0");
  PutSource(second.path(), "mini", MiniTree(), "1.0");
  const auto one = RunFilter(Options(first.path(), 1)), three = RunFilter(Options(second.path(), 3));
  REQUIRE(one.ok());
  REQUIRE(three.ok());
  CHECK(one->id == three->id);  // holds the SHA-256 of documents and ledger
  CHECK_FALSE(one->up_to_date);
  const auto again = RunFilter(Options(first.path(), 2));
  CHECK(again->up_to_date);
  CHECK(again->id == one->id);
  FilterOptions other = Options(first.path(), 2);
  other.config.near_percent = 100;
  CHECK(RunFilter(other)->id != one->id);
}

TEST_CASE("the source of lower rank, and the newer version of a source, wins") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  PutSource(work, "zz-first", MiniTree(), "2.0");
  PutSource(work, "aa-second", MiniTree(), "1.0");
  REQUIRE(WriteFileAtomic(work / "raw" / "sources.json",
                          R"({"sources":[{"name":"aa-second","rank":1},{"name":"zz-first","rank":0}]})")
              .ok());
  const auto summary = RunFilter(Options(work, 2));
  REQUIRE(summary.ok());
  auto reader = JsonlZstReader::Open(work / "filtered" / "documents.jsonl.zst");
  std::string line;
  while (*reader->Next(line)) CHECK(line.find("\"source\":\"zz-first\"") != std::string::npos);
}

TEST_CASE("failures: no raw folder, a damaged source, an interrupt") {
  TemporaryFolder folder;
  const fs::path& work = folder.path();
  const auto nothing = RunFilter(Options(work, 1));
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().code == Code::kRuntime);
  CHECK(nothing.error().hint.find("crawl") != std::string::npos);

  PutSource(work, "mini", MiniTree(), "1.0");
  FilterOptions bad = Options(work, 1);
  bad.benchmarks = work / "missing";
  CHECK(RunFilter(bad).error().code == Code::kUsage);

  SetInterrupted(true);
  const auto stopped = RunFilter(Options(work, 1));
  SetInterrupted(false);
  REQUIRE_FALSE(stopped.ok());
  CHECK_FALSE(fs::exists(work / "filtered"));

  fs::resize_file(work / "raw" / "mini" / "files.pack", 100);
  CHECK_FALSE(RunFilter(Options(work, 1)).ok());
  REQUIRE(WriteFileAtomic(work / "raw" / "sources.json", R"({"sources":[{"name":"../x","rank":0}]})").ok());
  CHECK(RunFilter(Options(work, 1)).error().code == Code::kValidation);
}

TEST_CASE("a config file sets the rules; a misspelt key is named") {
  FilterConfig config;
  const ConfigFields fields = [&](ConfigVisitor& v) { config.Visit(v); };
  CHECK(LoadConfigFile(fs::path(PINTLE_SOURCE_DIR) / "configs/m31r/filter.toml", fields).ok());
  CHECK(config.Hash() == FilterConfig().Hash());
  // The recipes of the shipped models rest on this identity.
  CHECK(FilterConfig().Hash() == "b8d72b3ec2590647909b2515a7d25ec56049314009e048263115776444014f63");
  CHECK(config.comments == "keep");
  config.comments = "docs";
  CHECK(config.Hash() != FilterConfig().Hash());
  const Status status = LoadConfig("[filter.text]\nmax_line = 3\n", "f.toml", fields);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kConfig);
  CHECK(status.error().hint.find("max_lines") != std::string::npos);
  CHECK(WildcardMatch("windows_*", "windows_x86_64_msvc"));
  CHECK(WildcardMatch("a*b*c", "axxbyybc"));
  CHECK_FALSE(WildcardMatch("windows", "windows-core"));
}

}  // namespace
}  // namespace pintle
