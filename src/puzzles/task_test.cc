// What every task promises, checked for all of them.
#include "puzzles/task.h"

#include <doctest/doctest.h>

#include <set>

#include "puzzles/split.h"

namespace pintle {
namespace {

constexpr uint64_t kSeed = 7;

std::unique_ptr<Task> Make(const std::string& name, const TaskOptions& options = {}) {
  auto task = MakeTask(name, options);
  REQUIRE_MESSAGE(task.ok(), name);
  return std::move(task).value();
}

// Names of the tasks that need no file.
std::vector<std::string> Generated() {
  std::vector<std::string> names = TaskNames();
  std::erase(names, "arc");
  return names;
}

TEST_CASE("a puzzle is a function of seed and index, and its label is right") {
  for (const std::string& name : Generated()) {
    CAPTURE(name);
    const auto task = Make(name);
    std::set<Tokens> different;
    for (uint64_t index = 20; index-- > 0;) {
      const Sample sample = task->Generate(kSeed, index);
      CHECK(sample.inputs == task->Generate(kSeed, index).inputs);
      REQUIRE(sample.inputs.size() == static_cast<size_t>(task->cells()));
      const auto solved = task->Solve(sample.inputs);
      REQUIRE_MESSAGE(solved.ok(), solved.error().what);
      CHECK(*solved == sample.labels);
      const Verdict verdict = task->Check(sample.inputs, sample.labels);
      CHECK_MESSAGE(verdict.right, verdict.reason);
      different.insert(sample.inputs);
    }
    CHECK(different.size() > 15);
    CHECK(task->Generate(kSeed + 1, 0).inputs != task->Generate(kSeed, 0).inputs);
  }
}

TEST_CASE("the checker refuses any wrong cell and says why") {
  for (const std::string& name : Generated()) {
    CAPTURE(name);
    const auto task = Make(name);
    const Sample sample = task->Generate(kSeed, 3);
    RandomStream random(kSeed, Purpose::kTest, 0);
    for (int i = 0; i < 30; ++i) {
      Tokens wrong = sample.labels;
      Token& cell = wrong[random.NextBelow(static_cast<uint32_t>(wrong.size()))];
      const Token before = cell;
      cell = static_cast<Token>(random.NextBelow(static_cast<uint32_t>(task->vocabulary())));
      if (cell == before) continue;
      const Verdict verdict = task->Check(sample.inputs, wrong);
      CHECK_FALSE(verdict.right);
      CHECK_FALSE(verdict.reason.empty());
    }
  }
}

TEST_CASE("text goes there and back, as a line and as a grid") {
  for (const std::string& name : Generated()) {
    CAPTURE(name);
    const auto task = Make(name);
    const Sample sample = task->Generate(kSeed, 5);
    for (const Tokens& tokens : {sample.inputs, sample.labels}) {
      CHECK(task->Parse(task->Line(tokens), "t").value() == tokens);
      CHECK(task->Parse(task->Render(tokens), "t").value() == tokens);
    }
  }
}

TEST_CASE("augmentation keeps the label right, the canonical form and the split") {
  for (const std::string& name : Generated()) {
    CAPTURE(name);
    const auto task = Make(name);
    for (uint64_t index = 0; index < 5; ++index) {
      const Sample sample = task->Generate(kSeed, index);
      const std::string canonical = task->CanonicalForm(sample.inputs);
      RandomStream random(kSeed, Purpose::kAugment, index);
      for (int i = 0; i < 4; ++i) {
        Sample other = sample;
        task->Augment(other, random);
        CHECK(task->Solve(other.inputs).value() == other.labels);
        CHECK(task->CanonicalForm(other.inputs) == canonical);
      }
    }
  }
}

TEST_CASE("the baseline gives valid cells and does not solve every puzzle") {
  for (const std::string& name : Generated()) {
    CAPTURE(name);
    const auto task = Make(name);
    int right = 0;
    for (uint64_t index = 0; index < 20; ++index) {
      const Sample sample = task->Generate(kSeed, index);
      const Tokens answer = task->Baseline(sample.inputs);
      REQUIRE(answer.size() == sample.inputs.size());
      right += task->Check(sample.inputs, answer).right ? 1 : 0;
    }
    CHECK(right < 18);
  }
}

TEST_CASE("the splits are apart and one puzzle in ten is for tests") {
  const auto task = Make("sort");
  int test = 0;
  for (uint64_t index = 0; index < 1000; ++index) {
    test += InSplit(*task, task->Generate(kSeed, index).inputs, Split::kTest) ? 1 : 0;
  }
  CHECK(test > 70);
  CHECK(test < 130);
  for (uint64_t index = 0; index < 30; ++index) {
    const Sample sample = GenerateInSplit(*task, kSeed, index, Split::kTest).value();
    CHECK_FALSE(InSplit(*task, sample.inputs, Split::kTrain));
    CHECK(GenerateInSplit(*task, kSeed, index, Split::kAll)->inputs == task->Generate(kSeed, index).inputs);
  }
}

TEST_CASE("patterns: the six rules") {
  TaskOptions options;
  options.length = 4;
  const auto answer = [&](const char* name, const std::string& question) {
    const auto task = Make(name, options);
    const auto solved = task->Solve(task->Parse(question + "....", "t").value());
    return solved.ok() ? task->Line(*solved).substr(4) : solved.error().what;
  };
  CHECK(answer("copy", "cabc") == "cabc");
  CHECK(answer("reverse", "cabb") == "bbac");
  CHECK(answer("sort", "cabb") == "abbc");
  CHECK(answer("parity", "1011") == "1101");
  CHECK(answer("majority", "1011") == "1111");
  CHECK(answer("majority", "0011") == "no answer: both symbols are equally frequent");
  CHECK(answer("selective_copy", ".a.b") == "ab..");
  CHECK(answer("sort", ".a.b") == "the question has a gap");
}

TEST_CASE("errors name the place and the way out") {
  const auto task = Make("sort");
  const auto symbol = task->Parse("abcdefghab\n..x.......", "file.txt");
  REQUIRE_FALSE(symbol.ok());
  CHECK(symbol.error().code == Code::kValidation);
  CHECK(symbol.error().Message() == "file.txt:2:3: unknown symbol 'x'");
  CHECK(symbol.error().hint == "the symbols of sort are \".abcdefgh\"");
  const auto size = task->Parse("abc", "file.txt");
  REQUIRE_FALSE(size.ok());
  CHECK(size.error().Message() == "file.txt:1:4: 20 cells are needed, 3 found");
  const auto name = MakeTask("soduku");
  REQUIRE_FALSE(name.ok());
  CHECK(name.error().code == Code::kConfig);
  TaskOptions options;
  options.length = 1;
  CHECK_FALSE(MakeTask("copy", options).ok());
}

}  // namespace
}  // namespace pintle
