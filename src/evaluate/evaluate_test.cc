#include "evaluate/evaluate.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "evaluate/fake_model.h"
#include "evaluate/rustc.h"
#include "evaluate/suite.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"

namespace pintle {
namespace {
namespace json = boost::json;

const std::string kData = std::string(PINTLE_SOURCE_DIR) + "/src/evaluate/testdata/";

// Answers `double` well in the first of two samples, does not compile in the second; `first_word` with a constant.
std::string Answer(std::string_view prompt, std::string_view, const SampleOptions& options) {
  if (prompt.find("fn double") != prompt.npos)
    return options.choice % 2 == 0 ? "    x + x\n}\n" : "    let y: &str = x;\n    y.len()\n}\n";
  if (prompt.find("fn first_word") != prompt.npos) return "    None\n}\n";
  return "bytes.iter().filter(|b| **b == needle).count()\n}\n";
}

void WriteHeldOut(const std::filesystem::path& path) {
  Result<JsonlZstWriter> writer = JsonlZstWriter::Create(path);
  REQUIRE(writer.ok());
  for (int i = 0; i < 3; ++i) {
    std::string text;
    for (int line = 0; line < 60; ++line)
      text += "fn f" + std::to_string(line) + "() {\n    let value = compute();\n    use_it(value);\n}\n";
    const json::object document{{"source", "s"}, {"crate", "c"},     {"version", "1"}, {"path", std::to_string(i)},
                                {"sha256", "x"}, {"licence", "MIT"}, {"size", 1},      {"text", text}};
    REQUIRE(writer->Write(DumpJson(document)).ok());
  }
  REQUIRE(writer->Finish().ok());
}

EvaluateOptions Options(const std::filesystem::path& folder) {
  EvaluateOptions options;
  options.config.k = "1,2";
  options.config.samples = 2;
  options.config.fim_cases = 5;
  options.tasks = {kData + "tasks.jsonl"};
  options.held_out = (folder / "test.jsonl.zst").string();
  options.out = (folder / "eval").string();
  return options;
}

TEST_CASE("an evaluation end to end, the same for any number of workers, and not twice") {
  const TemporaryFolder folder;
  WriteHeldOut(folder.path() / "test.jsonl.zst");
  FakeModel model(Answer);
  EvaluateOptions options = Options(folder.path());
  const Result<Evaluation> result = Evaluate(model, options);
  REQUIRE_MESSAGE(result.ok(), result.error().Message());
  const json::value metrics = *ParseJson(result->metrics, "metrics");
  CHECK(*JsonInt(metrics, "problems", "") == 3);
  CHECK(*JsonInt(metrics, "samples", "") == 6);
  CHECK(metrics.at("trivial_rate").to_number<double>() == doctest::Approx(2.0 / 6));
  CHECK(metrics.at("bits_per_byte").at("model").to_number<double>() == doctest::Approx(2));
  CHECK(metrics.at("bits_per_byte").at("perplexity").to_number<double>() == doctest::Approx(64).epsilon(0.02));
  CHECK(metrics.at("fim").at("single_line").at("exact_match").to_number<double>() == 0);
  if (FindRustc().ok()) {
    // Of six samples: double 1 of 2 builds, first_word builds but is trivial, counter builds twice.
    CHECK(metrics.at("compile_rate").to_number<double>() == doctest::Approx(3.0 / 6));
    CHECK(metrics.at("build_rate").to_number<double>() == doctest::Approx(5.0 / 6));
    CHECK(metrics.at("pass_at").at("1").to_number<double>() == doctest::Approx((0.5 + 0 + 1) / 3));
    CHECK(metrics.at("pass_at").at("2").to_number<double>() == doctest::Approx((1.0 + 0 + 1) / 3));
    CHECK(metrics.at("error_codes").at("E0308").as_int64() == 1);
    CHECK(metrics.at("system").at("compile_rate").to_number<double>() == doctest::Approx(2.0 / 3));
  } else {
    CHECK(metrics.at("compile_rate").is_null());
  }
  CHECK(VerifyFolder(options.out).ok());
  const std::string lines = *ReadFile(folder.path() / "eval" / "results.jsonl");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 6 + 15);

  const int64_t calls = model.calls;
  const Result<Evaluation> again = Evaluate(model, options);
  REQUIRE(again.ok());
  CHECK(again->up_to_date);
  CHECK(again->id == result->id);
  CHECK(model.calls == calls);

  options.threads = 1;
  options.out = (folder.path() / "other").string();
  const Result<Evaluation> other = Evaluate(model, options);
  REQUIRE(other.ok());
  CHECK(other->metrics == result->metrics);
  CHECK(other->id == result->id);
}

TEST_CASE("wrong wishes are errors with their reason") {
  const TemporaryFolder folder;
  FakeModel model(Answer);
  EvaluateOptions options = Options(folder.path());
  const auto message = [&] {
    const Result<Evaluation> result = Evaluate(model, options);
    return result.ok() ? std::string() : result.error().Message();
  };
  CHECK(message().find("no held-out documents") != std::string::npos);
  options.held_out.clear();
  options.config.k = "1,5";
  CHECK(message().find("pass@5 needs at least that many samples") != std::string::npos);
  options.config.k = "x";
  CHECK(message().find("'x' is no k") != std::string::npos);
  options.config.k = "1";
  model.origin = "external";
  CHECK(message().find("external origin") != std::string::npos);
  model.origin = "internal";
  options.tasks.clear();
  CHECK(message().find("nothing to evaluate") != std::string::npos);
}

TEST_CASE("scores without a compiler are null, not zero") {
  Task task;
  task.prompt = "fn f(x: u32) -> u32 {\n";
  std::vector<SampleRecord> records(1);
  records[0].task = &task;
  const json::object score = ScoreRecords(records, {1}, false);
  CHECK(score.at("compile_rate").is_null());
  CHECK(score.at("pass_at").is_null());
  CHECK(score.at("problems").as_int64() == 1);
}

}  // namespace
}  // namespace pintle
