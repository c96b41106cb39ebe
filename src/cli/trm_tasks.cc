// `pintle trm tasks`: every kind of puzzle, one of them closer, fresh puzzles of it as a file, or those of other files
// as one.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "puzzles/puzzle_file.h"
#include "puzzles/split.h"

namespace pintle {
namespace {

struct Options {
  std::string name, split = "all";
  std::vector<std::string> data;
  int64_t generate = 0;
  bool grids = false;
};

boost::json::object PuzzleJson(const Task& task, const Sample& sample) {
  return {{"puzzle", task.Line(sample.inputs)}, {"solution", task.Line(sample.labels)}};
}

boost::json::object TaskJson(const Task& task, uint64_t seed) {
  const TaskInfo& info = task.info();
  return {{"name", info.name},         {"rows", info.rows},
          {"cols", info.cols},         {"vocabulary", task.vocabulary()},
          {"symbols", info.symbols},   {"help", info.help},
          {"baseline", info.baseline}, {"example", PuzzleJson(task, task.Generate(seed, 0))}};
}

Status List(const Global& global, const TaskOptions& task_options) {
  constexpr size_t kShown = 40;
  boost::json::array list;
  if (!global.json)
    fmt::print("{:<15} {:>7} {:>8}  {:<40}  {}\n", "task", "grid", "symbols", "example", "what is asked");
  for (const std::string& name : TaskNames()) {
    if (name == "arc" && task_options.data.empty()) {
      if (!global.json)
        fmt::print("{:<15} {:>7} {:>8}  {:<40}  {}\n", name, "30x30", 12, "from a file",
                   "ARC: --set task.data=FILE.json");
      continue;
    }
    PINTLE_ASSIGN(const auto task, MakeTask(name, task_options));
    if (global.json) {
      list.push_back(TaskJson(*task, global.seed));
      continue;
    }
    const TaskInfo& info = task->info();
    std::string example = task->Line(task->Generate(global.seed, 0).inputs);
    if (example.size() > kShown) example = example.substr(0, kShown - 3) + "...";
    fmt::print("{:<15} {:>7} {:>8}  {:<40}  {}\n", name, fmt::format("{}x{}", info.rows, info.cols), task->vocabulary(),
               example, info.help);
  }
  if (global.json) fmt::print("{}\n", DumpJson(list));
  return {};
}

void Show(const Task& task, uint64_t seed) {
  const TaskInfo& info = task.info();
  const Sample sample = task.Generate(seed, 0);
  fmt::print("{}: {}\n{} rows, {} columns, symbols \"{}\"\nbaseline: {}\n\npuzzle\n{}\nsolution\n{}", info.name,
             info.help, info.rows, info.cols, info.symbols.substr(1), info.baseline, task.Render(sample.inputs),
             task.Render(sample.labels));
}

// Puzzles as they are printed: CSV, grids without solutions, or one JSON array.
class Puzzles {
 public:
  Puzzles(const Task& task, bool grids, bool json) : task_(task), grids_(grids), json_(json) {
    if (!json && !grids) fmt::print("{}\n", PuzzleHeader());
  }
  void Add(const Sample& sample) {
    if (json_) {
      list_.push_back(PuzzleJson(task_, sample));
    } else {
      fmt::print("{}\n", grids_ ? task_.Render(sample.inputs) : PuzzleLine(task_, sample));
    }
  }
  void End() const {
    if (json_) fmt::print("{}\n", DumpJson(list_));
  }

 private:
  const Task& task_;
  bool grids_, json_;
  boost::json::array list_;
};

Status Generate(const Task& task, const Options& options, const Global& global) {
  PINTLE_ASSIGN(const Split split, SplitOf(options.split));
  Puzzles printed(task, options.grids, global.json);
  for (int64_t index = 0; index < options.generate; ++index) {
    PINTLE_ASSIGN(const Sample sample, GenerateInSplit(task, global.seed, static_cast<uint64_t>(index), split));
    printed.Add(sample);
  }
  printed.End();
  return {};
}

// Puzzles of files in their order, each once: a twin by symmetry is the same puzzle.
Result<std::vector<Sample>> Merged(const Task& task, const std::vector<std::string>& files, Split split) {
  std::set<std::string> seen;
  std::vector<Sample> merged;
  for (const std::string& file : files) {
    PINTLE_ASSIGN(const std::string text, ReadFile(file, uint64_t{1} << 30));
    PINTLE_ASSIGN(std::vector<Sample> samples, ReadPuzzles(task, text, file));
    size_t kept = 0;
    for (Sample& sample : samples) {
      if (!InSplit(task, sample.inputs, split) || !seen.insert(task.CanonicalForm(sample.inputs)).second) continue;
      merged.push_back(std::move(sample));
      ++kept;
    }
    LogInfo("tasks", fmt::format("{}: {} of {} puzzles", file, kept, samples.size()));
  }
  return merged;
}

Status Merge(const Task& task, const Options& options, const Global& global) {
  PINTLE_ASSIGN(const Split split, SplitOf(options.split));
  PINTLE_ASSIGN(const std::vector<Sample> samples, Merged(task, options.data, split));
  Puzzles printed(task, options.grids, global.json);
  for (const Sample& sample : samples) printed.Add(sample);
  printed.End();
  return {};
}

}  // namespace

void RegisterTrmTasks(Command& trm) {
  Command& verb = trm.Add("tasks", "the kinds of puzzles, and fresh puzzles of each");
  auto options = std::make_shared<Options>();
  verb.Option("name", options->name, "one task, shown with a puzzle and its solution");
  verb.Option("--generate", options->generate, "print so many puzzles as CSV, the same ones for the same --seed");
  verb.Option("--data", options->data,
              "print the puzzles of this file instead; may be given several times: each puzzle and its twins once");
  verb.Flag("--grids", options->grids, "print them as grids, without solutions");
  verb.Option("--split", options->split, "all, train or test: puzzles and their symmetric twins lie in one split");
  verb.Run([options](const Global& global) -> Status {
    TaskOptions task_options;
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, [&](ConfigVisitor& visitor) { task_options.Visit(visitor); }));
    if (options->generate < 0) return UsageError("--generate must not be negative");
    if (options->generate > 0 && !options->data.empty()) return UsageError("give --generate or --data, not both");
    if (options->name.empty()) {
      if (options->generate > 0 || !options->data.empty())
        return UsageError("--generate and --data need a task", "", "pintle trm tasks sudoku9 --generate 10");
      return List(global, task_options);
    }
    PINTLE_ASSIGN(const auto task, MakeTask(options->name, task_options));
    if (options->generate > 0) return Generate(*task, *options, global);
    if (!options->data.empty()) return Merge(*task, *options, global);
    if (global.json) {
      fmt::print("{}\n", DumpJson(TaskJson(*task, global.seed)));
    } else {
      Show(*task, global.seed);
    }
    return {};
  });
}

}  // namespace pintle
