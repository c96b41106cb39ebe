// ARC files, and the task that trains on them. Apart from arc.cc because files and JSON are not compiled to WASM.
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <iterator>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "puzzles/arc.h"
#include "puzzles/tasks.h"

namespace pintle {
namespace {

// ":line:column" of the first byte that is not JSON.
std::string PlaceOfSyntaxError(std::string_view json) {
  boost::json::stream_parser parser;
  boost::json::error_code code;
  const std::string_view read = json.substr(0, parser.write_some({json.data(), json.size()}, code));
  const auto line = std::count(read.begin(), read.end(), '\n') + 1;
  const size_t begin = read.rfind('\n');
  const size_t column = begin == std::string_view::npos ? read.size() + 1 : read.size() - begin;
  return ":" + std::to_string(line) + ":" + std::to_string(column);
}

Result<Rectangle> GridOf(const boost::json::value* value, const std::string& where) {
  const boost::json::array* rows = value == nullptr ? nullptr : value->if_array();
  if (rows == nullptr) return ValidationError("a list of rows is needed", where);
  const auto fits = [](size_t size) { return size >= 1 && size <= kArcSide; };
  Rectangle grid;
  grid.rows = static_cast<int>(rows->size());
  for (size_t row = 0; row < rows->size(); ++row) {
    const std::string place = where + ", row " + std::to_string(row + 1);
    const boost::json::array* cells = (*rows)[row].if_array();
    if (cells == nullptr) return ValidationError("a list of colours is needed", place);
    if (row == 0) grid.cols = static_cast<int>(cells->size());
    if (!fits(rows->size()) || !fits(cells->size())) {
      return ValidationError("a grid has 1 to 30 rows and columns", place);
    }
    if (cells->size() != static_cast<size_t>(grid.cols)) {
      return ValidationError("the rows have different lengths", place);
    }
    for (size_t col = 0; col < cells->size(); ++col) {
      const int64_t* colour = (*cells)[col].if_int64();
      if (colour == nullptr || *colour < 0 || *colour >= kArcColours) {
        return ValidationError("a colour is a number from 0 to 9", place + ", column " + std::to_string(col + 1));
      }
      grid.values.push_back(static_cast<Token>(*colour));
    }
  }
  if (grid.rows == 0) return ValidationError("a grid has 1 to 30 rows and columns", where);
  return grid;
}

Result<std::vector<ArcPair>> PairsOf(const boost::json::object& problem, const char* key, const std::string& where) {
  const boost::json::value* value = problem.if_contains(key);
  const boost::json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->empty()) {
    return ValidationError("\"" + std::string(key) + "\" must be a list of examples", where);
  }
  const bool is_test = std::string_view(key) == "test";
  std::vector<ArcPair> pairs;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string place = where + ", " + key + " " + std::to_string(i + 1);
    const boost::json::object* example = (*list)[i].if_object();
    if (example == nullptr) return ValidationError("an example has \"input\" and \"output\"", place);
    ArcPair pair;
    PINTLE_ASSIGN(pair.input, GridOf(example->if_contains("input"), place + ", input"));
    if (!is_test || example->contains("output")) {
      PINTLE_ASSIGN(pair.output, GridOf(example->if_contains("output"), place + ", output"));
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

class ArcTask final : public Task {
 public:
  ArcTask(TaskInfo info, ArcSet set) : Task(std::move(info)), set_(std::move(set)) {}

  [[nodiscard]] Sample Draw(RandomStream& random) const override { return set_.Draw(random); }
  // Every view of every test input whose output is known.
  [[nodiscard]] std::vector<Sample> HeldBack() const override {
    std::vector<Sample> samples;
    for (size_t problem = 0; problem < set_.problems().size(); ++problem) {
      for (ArcQuery& query : set_.Queries(problem)) {
        const bool known = set_.problems()[problem].test[query.test].output.rows > 0;
        if (known) samples.push_back(std::move(query.sample));
      }
    }
    return samples;
  }
  [[nodiscard]] Result<Tokens> Solve(const Tokens& /*inputs*/) const override {
    return ValidationError("the rule of an ARC task is not known");
  }
  [[nodiscard]] Verdict Check(const Tokens& /*inputs*/, const Tokens& /*answer*/) const override {
    return {false, "the rule of an ARC task is not known"};
  }
  [[nodiscard]] Tokens Baseline(const Tokens& inputs) const override { return inputs; }

 protected:
  [[nodiscard]] Token TokenOf(char character) const override {
    return character == info().symbols[0] ? kPad : Task::TokenOf(character);
  }

 private:
  ArcSet set_;
};

// All problems of a file, or of all files of a folder.
Result<std::vector<ArcProblem>> ReadProblems(const std::string& data) {
  namespace fs = std::filesystem;
  constexpr uint64_t kLimit = uint64_t{1} << 28;
  std::error_code code;
  std::vector<fs::path> files;
  if (fs::is_directory(data, code)) {
    for (const auto& entry : fs::directory_iterator(data, code)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    if (files.empty()) return ValidationError("no file of problems (*.json) in this folder", data);
    std::sort(files.begin(), files.end());
  } else {
    files.emplace_back(data);
  }
  std::vector<ArcProblem> problems;
  for (const fs::path& file : files) {
    PINTLE_ASSIGN(const std::string json, ReadFile(file, kLimit));
    PINTLE_ASSIGN(std::vector<ArcProblem> some, ParseArc(json, file.string(), file.stem().string()));
    std::move(some.begin(), some.end(), std::back_inserter(problems));
  }
  return problems;
}

// Rows or columns of the largest grid.
int SideOf(const ArcProblem& problem) {
  int side = 0;
  for (const auto* pairs : {&problem.train, &problem.test}) {
    for (const ArcPair& pair : *pairs) {
      side = std::max({side, pair.input.rows, pair.input.cols, pair.output.rows, pair.output.cols});
    }
  }
  return side;
}

}  // namespace

Result<std::vector<ArcProblem>> ParseArc(std::string_view json, const std::string& where, const std::string& alone) {
  auto parsed = ParseJson(json, where);
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    error.where += PlaceOfSyntaxError(json);
    return error;
  }
  const boost::json::value value = std::move(parsed).value();
  const boost::json::object* object = value.if_object();
  if (object == nullptr || object->empty()) return ValidationError("an object of ARC tasks is needed", where);
  std::vector<ArcProblem> problems;
  const auto add = [&](const std::string& id, const boost::json::value& from, const std::string& place) -> Status {
    const boost::json::object* problem = from.if_object();
    if (problem == nullptr) return ValidationError("a task has \"train\" and \"test\"", place);
    // The id goes into submission.json as it stands.
    for (const char c : id) {
      if (static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\') {
        return ValidationError("a task's name has no quotes, backslashes or control characters", where);
      }
    }
    PINTLE_ASSIGN(auto train, PairsOf(*problem, "train", place));
    PINTLE_ASSIGN(auto test, PairsOf(*problem, "test", place));
    problems.push_back({id, std::move(train), std::move(test)});
    return {};
  };
  const boost::json::value* train = object->if_contains("train");
  if (train != nullptr && train->is_array()) {
    PINTLE_RETURN_IF_ERROR(add(alone, value, where));
  } else {
    for (const auto& [id, from] : *object) {
      PINTLE_RETURN_IF_ERROR(add(std::string(id), from, where + ": task " + std::string(id)));
    }
  }
  return problems;
}

Result<ArcSet> OpenArcSet(const TaskOptions& options) {
  PINTLE_ASSIGN(std::vector<ArcProblem> problems, ReadProblems(options.data));
  if (!options.arc_problem.empty()) {
    std::erase_if(problems, [&](const ArcProblem& problem) { return problem.id != options.arc_problem; });
    if (problems.empty()) return ConfigError("no problem '" + options.arc_problem + "' there", options.data);
  }
  auto side = static_cast<int>(options.arc_side);
  if (side > 0) {
    std::erase_if(problems, [&](const ArcProblem& problem) { return SideOf(problem) > side; });
    if (problems.empty()) return ConfigError("no problem is small enough for task.arc_side", options.data);
  } else {
    // One more, so that every grid shows its border.
    for (const ArcProblem& problem : problems) side = std::max(side, std::min(SideOf(problem) + 1, kArcSide));
  }
  return ArcSet(std::move(problems), side, options.arc_augmentations, 0);
}

MadeTask MakeArcTask(const std::string& name, const TaskOptions& options) {
  if (options.data.empty()) {
    return ConfigError("the task arc needs a file of problems", "task.data", "--set task.data=FILE.json");
  }
  constexpr int64_t kMostViews = 1000;
  if (options.arc_augmentations < 1 || options.arc_augmentations > kMostViews) {
    return ConfigError("arc_augmentations must lie in 1 to 1000", "task");
  }
  if (options.arc_side < 0 || options.arc_side > kArcSide) return ConfigError("arc_side must lie in 0 to 30", "task");
  PINTLE_ASSIGN(ArcSet set, OpenArcSet(options));
  TaskInfo info;
  info.name = name;
  info.help = std::to_string(set.problems().size()) + " problems, " + std::to_string(set.puzzle_ids() - 1) + " views";
  info.baseline = "the input as it stands";
  info.rows = info.cols = set.side();
  info.symbols = "~|0123456789";
  info.puzzle_ids = set.puzzle_ids();
  info.colours = {0xFFFFFF, 0xE4E7EB, 0x111111, 0x1E93FF, 0xF93C31, 0x4FCC30,
                  0xFFDC00, 0x999999, 0xE53AA3, 0xFF851B, 0x87D8F1, 0x921231};
  info.data_sha256 = Sha256Hex(set.Text());
  return std::unique_ptr<Task>(std::make_unique<ArcTask>(std::move(info), std::move(set)));
}

}  // namespace pintle
