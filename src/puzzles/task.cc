// What all tasks share: reading and showing grids, and the table of tasks.
#include "puzzles/task.h"

#include <utility>

#include "base/check.h"
#include "puzzles/tasks.h"

namespace pintle {
namespace {

struct Row {
  const char* name;
  MadeTask (*make)(const std::string& name, const TaskOptions& options);
};

// In the order of the list of tasks. Mazes have any size: maze10 stands for all.
constexpr Row kTasks[] = {
    {"copy", MakePatternTask},    {"reverse", MakePatternTask},  {"sort", MakePatternTask},
    {"parity", MakePatternTask},  {"majority", MakePatternTask}, {"selective_copy", MakePatternTask},
    {"sudoku4", MakeSudokuTask},  {"sudoku6", MakeSudokuTask},   {"sudoku9", MakeSudokuTask},
    {"sudoku16", MakeSudokuTask}, {"maze10", MakeMazeTask},      {"arc", MakeArcTask},
};

}  // namespace

void TaskOptions::Visit(ConfigVisitor& visitor) {
  visitor.Section("task");
  visitor.Int("length", length, 2, 64, "patterns: symbols of the question");
  visitor.Int("alphabet", alphabet, 2, 26, "patterns: different symbols (parity and majority always have two)");
  visitor.Int("givens_low", givens_low, 0, 255, "sudoku: fewest givens, 0 = as the size suggests");
  visitor.Int("givens_high", givens_high, 0, 255, "sudoku: most givens, 0 = as the size suggests");
  visitor.Double("maze_loops", maze_loops, 0, 1, "mazes: share of the walls that the builder tries to open");
  visitor.String("data", data, {}, "arc: the file or folder of problems");
  visitor.String("arc_problem", arc_problem, {}, "arc: only the problem of this name");
  visitor.Int("arc_side", arc_side, 0, 30, "arc: side of the canvas; larger problems are left out; 0 = as needed");
  visitor.Int("arc_augmentations", arc_augmentations, 1, 1000, "arc: views of each problem, the plain one included");
}

Task::Task(TaskInfo info) : info_(std::move(info)) {
  PINTLE_CHECK(info_.rows > 0 && info_.cols > 0 && info_.symbols.size() > 2, info_.name);
}

Sample Task::Generate(uint64_t seed, uint64_t index) const {
  RandomStream random(seed, Purpose::kPuzzle, index);
  return Draw(random);
}

std::vector<Sample> Task::HeldBack() const { return {}; }

void Task::Augment(Sample& /*sample*/, RandomStream& /*random*/) const {}

std::string Task::CanonicalForm(const Tokens& inputs) const { return Line(inputs); }

Token Task::TokenOf(char character) const {
  const size_t token = info_.symbols.find(character, 1);
  return token == std::string::npos ? -1 : static_cast<Token>(token);
}

bool Task::Skipped(char character) const { return character == ' ' || character == '\t' || character == '\r'; }

Result<Tokens> Task::Parse(std::string_view text, const std::string& where, int line, int column) const {
  Tokens tokens;
  int found = 0;
  for (const char character : text) {
    const bool end_of_line = character == '\n';
    if (!end_of_line && !Skipped(character)) {
      const Token token = TokenOf(character);
      if (token < 0) {
        const auto byte = static_cast<unsigned char>(character);
        const std::string shown = byte > 32 && byte < 127 ? "'" + std::string(1, character) + "'"
                                                          : "byte " + std::to_string(static_cast<int>(byte));
        return ValidationError("unknown symbol " + shown,
                               where + ":" + std::to_string(line) + ":" + std::to_string(column),
                               "the symbols of " + info_.name + " are \"" + info_.symbols.substr(1) + "\"");
      }
      if (found++ < cells()) tokens.push_back(token);
    }
    line += end_of_line ? 1 : 0;
    column = end_of_line ? 1 : column + 1;
  }
  if (found != cells()) {
    return ValidationError(std::to_string(cells()) + " cells are needed, " + std::to_string(found) + " found",
                           where + ":" + std::to_string(line) + ":" + std::to_string(column),
                           "a puzzle of " + info_.name + " has " + std::to_string(info_.rows) + " rows of " +
                               std::to_string(info_.cols) + " symbols");
  }
  return tokens;
}

std::string Task::Render(std::span<const Token> tokens) const {
  const std::string line = Line(tokens);
  const auto cols = static_cast<size_t>(info_.cols);
  std::string grid;
  for (size_t begin = 0; begin < line.size(); begin += cols) grid.append(line, begin, cols).push_back('\n');
  return grid;
}

std::string Task::Line(std::span<const Token> tokens) const {
  PINTLE_CHECK(tokens.size() == static_cast<size_t>(cells()), info_.name);
  std::string line;
  for (const Token token : tokens) {
    PINTLE_CHECK(token >= 0 && token < vocabulary(), info_.name);
    line += info_.symbols[static_cast<size_t>(token)];
  }
  return line;
}

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Row& row : kTasks) names.emplace_back(row.name);
  return names;
}

MadeTask MakeTask(const std::string& name, const TaskOptions& options) {
  if (name.starts_with("maze")) return MakeMazeTask(name, options);
  std::string known;
  for (const Row& row : kTasks) {
    if (name == row.name) return row.make(name, options);
    known += std::string(known.empty() ? "" : ", ") + row.name;
  }
  return ConfigError("unknown task '" + name + "'", "", "the tasks are " + known);
}

}  // namespace pintle
