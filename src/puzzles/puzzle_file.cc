#include "puzzles/puzzle_file.h"

#include <optional>
#include <utility>

namespace pintle {
namespace {

struct Field {
  std::string_view text;
  int column = 1;
};

std::vector<Field> Fields(std::string_view line) {
  std::vector<Field> fields;
  for (size_t begin = 0;;) {
    const size_t comma = line.find(',', begin);
    fields.push_back({line.substr(begin, comma - begin), static_cast<int>(begin) + 1});
    if (comma == std::string_view::npos) return fields;
    begin = comma + 1;
  }
}

// Takes the next line off the text, without its end.
std::string_view NextLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

class Reader {
 public:
  Reader(const Task& task, const std::string& where) : task_(task), where_(where) {}

  Result<std::vector<Sample>> Csv(std::string_view text) {
    size_t puzzle = SIZE_MAX, solution = SIZE_MAX;
    const auto header = Fields(NextLine(text));
    for (size_t i = 0; i < header.size(); ++i) {
      if (header[i].text == "puzzle") puzzle = i;
      if (header[i].text == "solution") solution = i;
    }
    for (int line = 2; !text.empty(); ++line) {
      const std::string_view row = NextLine(text);
      if (row.empty()) continue;
      const auto fields = Fields(row);
      if (fields.size() != header.size()) {
        return ValidationError(
            std::to_string(header.size()) + " columns are needed, " + std::to_string(fields.size()) + " found",
            Place(line, 1));
      }
      std::optional<Field> given;
      if (solution != SIZE_MAX) given = fields[solution];
      PINTLE_RETURN_IF_ERROR(Add(fields[puzzle], given, line));
    }
    return std::move(samples_);
  }

  Result<std::vector<Sample>> Lines(std::string_view text) {
    for (int line = 1; !text.empty(); ++line) {
      const std::string_view row = NextLine(text);
      if (!row.empty()) PINTLE_RETURN_IF_ERROR(Add({row}, {}, line));
    }
    return std::move(samples_);
  }

  Result<std::vector<Sample>> Grids(std::string_view text) {
    for (int line = 1; !text.empty();) {
      const std::string_view begin = text;
      const int first = line;
      for (bool inside = true; inside && !text.empty(); ++line) inside = !NextLine(text).empty();
      const std::string_view grid = begin.substr(0, begin.size() - text.size());
      if (grid.find_first_not_of("\r\n") != std::string_view::npos) PINTLE_RETURN_IF_ERROR(Add({grid}, {}, first));
    }
    return std::move(samples_);
  }

 private:
  [[nodiscard]] std::string Place(int line, int column) const {
    return where_ + ":" + std::to_string(line) + ":" + std::to_string(column);
  }

  Status Add(const Field& puzzle, const std::optional<Field>& solution, int line) {
    PINTLE_ASSIGN(Tokens inputs, task_.Parse(puzzle.text, where_, line, puzzle.column));
    auto labels = task_.Solve(inputs);
    if (!labels.ok()) {
      Error error = std::move(labels).error();
      error.where = Place(line, puzzle.column) + (error.where.empty() ? "" : ": " + error.where);
      return error;
    }
    if (solution) {
      PINTLE_ASSIGN(const Tokens given, task_.Parse(solution->text, where_, line, solution->column));
      if (given != *labels) {
        const Verdict verdict = task_.Check(inputs, given);
        return ValidationError("the solution is wrong: " + verdict.reason, Place(line, solution->column));
      }
    }
    samples_.push_back({std::move(inputs), std::move(labels).value()});
    return {};
  }

  const Task& task_;
  const std::string& where_;
  std::vector<Sample> samples_;
};

}  // namespace

Result<std::vector<Sample>> ReadPuzzles(const Task& task, std::string_view text, const std::string& where) {
  std::string_view rest = text;
  const std::string_view first = NextLine(rest);
  Reader reader(task, where);
  Result<std::vector<Sample>> samples = std::vector<Sample>{};
  if (first == "puzzle" || first.starts_with("puzzle,")) {
    samples = reader.Csv(text);
  } else if (first.size() >= static_cast<size_t>(task.cells())) {
    samples = reader.Lines(text);
  } else {
    samples = reader.Grids(text);
  }
  if (samples.ok() && samples->empty()) return ValidationError("no puzzle found", where);
  return samples;
}

std::string PuzzleHeader() { return "puzzle,solution"; }

std::string PuzzleLine(const Task& task, const Sample& sample) {
  return task.Line(sample.inputs) + "," + task.Line(sample.labels);
}

}  // namespace pintle
