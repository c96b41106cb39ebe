#include "evaluate/task.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace pintle {
namespace {

const std::string kData = std::string(PINTLE_SOURCE_DIR) + "/src/evaluate/testdata/";

TEST_CASE("a JSONL file of all modes") {
  const Result<TaskSet> set = LoadTasks(kData + "tasks.jsonl");
  REQUIRE_MESSAGE(set.ok(), set.error().Message());
  REQUIRE(set->tasks.size() == 3);
  CHECK(set->name == "tasks");
  CHECK(set->skipped == 1);
  CHECK(set->tasks[0].mode == TaskMode::kMain);
  CHECK(set->tasks[0].stop == std::vector<std::string>{"\n}"});
  CHECK(set->tasks[1].category == "ownership");
  CHECK(set->tasks[2].crate == "counter");
  CHECK(set->tasks[2].prompt.find("todo!()") != std::string::npos);
}

TEST_CASE("a folder of tasks with several source files") {
  const Result<TaskSet> set = LoadTasks(PINTLE_SOURCE_DIR "/benchmarks/tasks/projects");
  REQUIRE_MESSAGE(set.ok(), set.error().Message());
  REQUIRE(set->tasks.size() == 1);
  CHECK(set->tasks[0].id == "stack");
  CHECK(set->tasks[0].files.count("storage.rs") == 1);
  CHECK(set->tasks[0].category == "projects");
}

TEST_CASE("tasks that ask for trouble are refused with a place") {
  const auto refused = [](const std::string& line) {
    bool use = true;
    const Result<Task> task = ParseTask(line, "x.jsonl:1", use);
    return task.ok() ? std::string() : task.error().Message();
  };
  const std::string head = R"({"id":"a","mode":"crate","tests":"t",)";
  CHECK(refused(head + R"("crate":"a b"})").find("identifier") != std::string::npos);
  CHECK(refused(head + R"("crate":"--cfg"})").find("identifier") != std::string::npos);
  CHECK(refused(head + R"("crate":"a","edition":"2021 -o x"})").find("edition") != std::string::npos);
  CHECK(refused(head + R"("crate":"a","files":{"../x.rs":""}})").find("../x.rs") != std::string::npos);
  CHECK(refused(head + R"("crate":"a","files":{"/etc/x":""}})").find("/etc/x") != std::string::npos);
  CHECK(refused(R"({"id":"a","mode":"other","tests":"t"})").find("unknown mode") != std::string::npos);
  CHECK(refused(R"x({"id":"a","mode":"main","prompt":"fn f()","tests":"t"})x").find("function body") !=
        std::string::npos);
  CHECK(refused(R"({"id":"a","mode":"main","prompt":"{","tests":""})").find("no tests") != std::string::npos);
  CHECK(refused("[]").find("x.jsonl:1") != std::string::npos);
  CHECK(refused("{").find("x.jsonl:1") != std::string::npos);
}

TEST_CASE("an id that stands twice, an empty file and a missing one are errors") {
  const TemporaryFolder folder;
  const std::string line = R"({"id":"a","mode":"main","prompt":"{","tests":"t"})";
  CHECK(WriteFileAtomic(folder.path() / "twice.jsonl", line + "\n" + line).ok());
  CHECK(LoadTasks(folder.path() / "twice.jsonl").error().Message().find("twice") != std::string::npos);
  CHECK(WriteFileAtomic(folder.path() / "empty.jsonl", "\n\n").ok());
  CHECK(LoadTasks(folder.path() / "empty.jsonl").error().what == "no tasks");
  CHECK(!LoadTasks(folder.path() / "missing.jsonl").ok());
}

}  // namespace
}  // namespace pintle
