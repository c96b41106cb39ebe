// Benchmark tasks: what the model is asked and how its answer is judged. Read from JSONL files or from folders, both
// written by people and by other projects: everything is checked, nothing is trusted. Never training data.
//
// JSONL, one task a line (see benchmarks/README.md): id, mode, prompt, tests, and as the mode needs stop, stub,
// canonical, crate, edition, category, files. Folder: ID/prompt.rs, ID/solution.rs, ID/tests.rs, ID/metadata.toml
// (mode, crate, edition, category, difficulty, tags), further sources under ID/files/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// How prompt, completion and tests become a program.
enum class TaskMode {
  kMain,   ///< prompt + completion + tests is one program; tests close the function; exit status 0 passes
  kTest,   ///< prompt + completion + tests is one crate built with --test
  kCrate,  ///< the completion is a whole lib.rs; tests are a second crate that uses it
};

/// One problem.
struct Task {
  std::string id;
  std::string category;  ///< "functions" if the file says nothing
  TaskMode mode = TaskMode::kMain;
  std::string prompt;        ///< mode crate: the stub with todo!() holes, or empty
  std::string instructions;  ///< mode crate: what is asked, in a sentence or two ("blurb"); may be empty
  std::string tests;
  std::string canonical;          ///< reference completion; empty = none known
  std::vector<std::string> stop;  ///< further texts that end a completion
  std::string crate;              ///< mode crate: its name
  std::string edition = "2021";
  std::map<std::string, std::string> files;  ///< further sources beside the main one, by relative path
};

/// A set of tasks in the order of the file.
struct TaskSet {
  std::string name;    ///< file or folder name without its ending
  std::string sha256;  ///< of the file; of a folder: of its paths and contents in path order
  std::vector<Task> tasks;
  int64_t skipped = 0;  ///< marked "use": false
};

/// One line of a JSONL file; `where` names it in errors. `use` becomes false for a task marked so.
Result<Task> ParseTask(std::string_view line, const std::string& where, bool& use);
/// A JSONL file (at most 64 MiB), or a folder of task folders.
Result<TaskSet> LoadTasks(const std::filesystem::path& path);

}  // namespace pintle
