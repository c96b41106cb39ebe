#include "evaluate/harness.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "evaluate/build_cache.h"
#include "evaluate/soundness.h"

namespace pintle {
namespace {

// Without a compiler on the machine these tests say so and leave; the sandbox has its own.
bool HaveCompiler() {
  const bool found = FindRustc().ok();
  if (!found) MESSAGE("no rustc on this machine: the harness is not tested");
  return found;
}

TEST_CASE("diagnostics give codes in order, each once, and the first message") {
  Verdict verdict;
  ReadDiagnostics(
      "{\"message\":\"unused\",\"code\":null,\"level\":\"warning\"}\n"
      "not json\n"
      "{\"message\":\"mismatched types\\nmore\",\"code\":{\"code\":\"E0308\"},\"level\":\"error\"}\n"
      "{\"message\":\"expected `;`\",\"code\":null,\"level\":\"error\"}\n"
      "{\"message\":\"again\",\"code\":{\"code\":\"E0308\"},\"level\":\"error\"}\n"
      "{\"message\":\"aborting due to 2 previous errors\",\"code\":null,\"level\":\"error\"}\n"
      "{\"message\":\"cut off",
      verdict);
  CHECK(verdict.codes == std::vector<std::string>{"E0308", "none"});
  CHECK(verdict.message == "mismatched types");
}

TEST_CASE("a build cache comes back, a damaged line is passed over") {
  const TemporaryFolder folder;
  BuildCache cache;
  cache[std::string(64, 'a')] = {Stage::kCompile, false, {"E0308"}, "mismatched \"types\""};
  cache[std::string(64, 'b')] = {Stage::kPass, false, {}, ""};
  REQUIRE(SaveBuildCache(folder.path() / "cache" / "x.jsonl", cache).ok());
  std::string text = *ReadFile(folder.path() / "cache" / "x.jsonl");
  CHECK(WriteFileAtomic(folder.path() / "cache" / "x.jsonl", "{\"key\":1}\n" + text + "{\"key\":\"c\"").ok());
  const BuildCache back = LoadBuildCache(folder.path() / "cache" / "x.jsonl");
  REQUIRE(back.size() == 2);
  CHECK(back.at(std::string(64, 'a')).message == "mismatched \"types\"");
  CHECK(back.at(std::string(64, 'a')).codes == std::vector<std::string>{"E0308"});
  CHECK(back.at(std::string(64, 'b')).Passes());
}

TEST_CASE("mutants differ from the original in one token, reproducibly") {
  const std::string body = "    let a = 1 + x; // 2 + 3\n    a == \"4 + 5\".len()\n";
  const std::vector<std::string> mutants = Mutate(body, 7, 10);
  CHECK(mutants.size() == 4);
  for (const std::string& mutant : mutants) CHECK(mutant != body);
  CHECK(mutants == Mutate(body, 7, 10));
  CHECK(Mutate("    x\n", 7, 3).empty());
  CHECK(Mutate("    x\n}\n#[cfg(test)]\nmod test { const A: i32 = 1 + 2; }\n", 7, 3).empty());
}

TEST_CASE("programs of known fate are judged so, for any number of workers and from the cache") {
  if (!HaveCompiler()) return;
  const TemporaryFolder folder;
  HarnessOptions options;
  options.workers = 2;
  options.cache_file = folder.path() / "builds.jsonl";
  Result<Harness> harness = Harness::Create(options);
  REQUIRE_MESSAGE(harness.ok(), harness.error().Message());
  const Result<std::vector<std::string>> findings = RunBuiltinSelfTest(*harness);
  REQUIRE_MESSAGE(findings.ok(), findings.error().Message());
  for (const std::string& finding : *findings) CHECK_MESSAGE(false, finding);
  REQUIRE(harness->SaveCache().ok());
  CHECK(LoadBuildCache(options.cache_file).size() >= 10);
}

TEST_CASE("tasks of all modes: the reference passes, blanks and mutants fail") {
  if (!HaveCompiler()) return;
  Result<Harness> harness = Harness::Create(HarnessOptions());
  REQUIRE_MESSAGE(harness.ok(), harness.error().Message());
  for (const char* path : {"src/evaluate/testdata/tasks.jsonl", "benchmarks/tasks/projects"}) {
    const Result<TaskSet> set = LoadTasks(std::string(PINTLE_SOURCE_DIR "/") + path);
    REQUIRE_MESSAGE(set.ok(), set.error().Message());
    const Result<SelfTestReport> report = RunSelfTest(*harness, *set, 1, 1);
    REQUIRE_MESSAGE(report.ok(), report.error().Message());
    for (const std::string& finding : report->findings) CHECK_MESSAGE(false, finding);
    CHECK(report->references_passed == report->tasks);
    CHECK(report->mutants_refused > 0);
  }
}

}  // namespace
}  // namespace pintle
