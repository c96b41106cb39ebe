#include "evaluate/sampling.h"

#include <doctest/doctest.h>

#include "evaluate/fake_model.h"
#include "evaluate/trivial.h"

namespace pintle {
namespace {

Task FunctionTask(TaskMode mode) {
  Task task;
  task.id = "t";
  task.mode = mode;
  task.prompt = "/// Braces } in comments do not count {\nfn f(x: &str) -> String {\n";
  task.tests = "x";
  return task;
}

TEST_CASE("an answer ends where the body ends") {
  FakeModel model([](auto, auto, const auto&) { return "    format!(\"{{{x}}}\") // }\n}\n\nfn more() {}\n"; });
  SamplingTimes times;
  const auto main = SampleTask(model, FunctionTask(TaskMode::kMain), {}, times);
  REQUIRE(main.ok());
  CHECK(main->front().completion == "    format!(\"{{{x}}}\") // }\n");
  const auto test = SampleTask(model, FunctionTask(TaskMode::kTest), {}, times);
  REQUIRE(test.ok());
  CHECK(test->front().completion == "    format!(\"{{{x}}}\") // }\n}\n");
  CHECK(times.first_token_ms.size() == 2);
  // The brace itself was the last byte read: what follows it was never made.
  CHECK(times.decoded_tokens == 2 * static_cast<int64_t>(std::string("    format!(\"{{{x}}}\") // }\n}").size()));
}

TEST_CASE("a stop text of the task ends it too, and so does the limit") {
  FakeModel model([](auto, auto, const auto&) { return "    let a = 1;\n// stop here\n    a\n}\n"; });
  Task task = FunctionTask(TaskMode::kMain);
  task.stop = {"\n// stop"};
  SamplingTimes times;
  CHECK(SampleTask(model, task, {}, times)->front().completion == "    let a = 1;");
  SamplingOptions options;
  options.max_tokens = 5;
  CHECK(SampleTask(model, task, options, times)->front().completion == "    l");
}

TEST_CASE("samples differ by their number, seeds by task") {
  FakeModel model([](auto, auto, const SampleOptions& options) {
    return std::to_string(options.seed) + "/" + std::to_string(options.choice) + "}";
  });
  SamplingOptions options;
  options.samples = 3;
  options.temperature = 0.6;
  SamplingTimes times;
  Task task = FunctionTask(TaskMode::kMain);
  const auto first = *SampleTask(model, task, options, times);
  CHECK(first.size() == 3);
  CHECK(first[0].completion != first[1].completion);
  CHECK(first[1].completion == std::to_string(TaskSeed(0, "t")) + "/1");
  CHECK(TaskSeed(0, "t") != TaskSeed(0, "u"));
  CHECK(TaskSeed(0, "t") != TaskSeed(1, "t"));
}

TEST_CASE("a stub is filled hole by hole, with the answers so far in the prompt") {
  Task task;
  task.id = "stub";
  task.mode = TaskMode::kCrate;
  task.instructions = "Two functions.";
  task.prompt =
      "pub fn one() -> u32 {\n    todo!(\"say (one)\")\n}\n\npub fn two() -> u32 {\n    unimplemented!();\n}\n";
  std::vector<std::string> prompts;
  FakeModel model([&prompts](std::string_view prompt, auto, const auto&) {
    prompts.emplace_back(prompt);
    return prompts.size() == 1 ? "1\n}\nrest" : "one() + 1\n}\nrest";
  });
  SamplingTimes times;
  const auto samples = SampleTask(model, task, {}, times);
  REQUIRE(samples.ok());
  CHECK(samples->front().completion ==
        "pub fn one() -> u32 {\n    1\n\n}\n\npub fn two() -> u32 {\n    one() + 1\n\n}\n");
  REQUIRE(prompts.size() == 2);
  CHECK(prompts[0] == "//! Two functions.\n\npub fn one() -> u32 {\n    ");
  CHECK(prompts[1].find("    1\n") != std::string::npos);
}

TEST_CASE("a prompt beyond the context loses its beginning and says so") {
  Task task = FunctionTask(TaskMode::kMain);
  task.prompt = std::string(40, '/') + "\n" + std::string(40, '/') + "\n" + std::string(40, '/') + "\nfn f() {\n";
  FakeModel model([](auto, auto, const auto&) { return "    1\n}"; }, 120);
  SamplingOptions options;
  options.max_tokens = 20;
  SamplingTimes times;
  const auto samples = SampleTask(model, task, options, times);
  REQUIRE_MESSAGE(samples.ok(), samples.error().Message());
  CHECK(samples->front().prompt_cut);
  CHECK(samples->front().completion == "    1\n");
}

TEST_CASE("trivial answers are told apart") {
  Task task;
  task.prompt = "/// Adds.\nfn add(a: i32, b: i32) -> i32 {\n";
  const auto kind = [&](const std::string& completion) { return ClassifyCompletion(task, completion); };
  CHECK(kind("    a + b") == Triviality::kNone);
  CHECK(kind("    todo!()") == Triviality::kDiverges);
  CHECK(kind("    0") == Triviality::kConstant);
  CHECK(kind("") == Triviality::kEmpty);
  CHECK(kind("    let x = 1;\n    let y = 2;\n    x * y + x") == Triviality::kIgnoresParameters);
  CHECK(kind("    fn add(a: i32, b: i32) -> i32 {\n        a + b\n    }\n    add(a, b)") == Triviality::kRepeatsPrompt);
  task.mode = TaskMode::kCrate;
  task.prompt = "";
  CHECK(kind("pub fn f(x: u32) -> u32 { todo!() }\n") == Triviality::kDiverges);
  CHECK(kind("pub fn f(x: u32) -> u32 { x + 1 }\npub fn g() {}\n") == Triviality::kNone);
  CHECK(kind("") == Triviality::kEmpty);
}

}  // namespace
}  // namespace pintle
