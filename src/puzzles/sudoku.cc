// Sudoku 4x4, 6x6, 9x9 and 16x16 as tasks: a puzzle is a full grid at random, less as many cells as can go while
// exactly one solution is left. What the rules imply is in sudoku_solver.cc.
#include <algorithm>
#include <numeric>
#include <utility>

#include "puzzles/sudoku_solver.h"
#include "puzzles/tasks.h"

namespace pintle {
namespace {

struct Size {
  const char* name;
  int size;
  int fewest;  // no puzzle with fewer givens has one solution; for 16x16 the fewest worth looking for
  int low, high;
};
constexpr Size kSizes[] = {
    {"sudoku4", 4, 4, 4, 8}, {"sudoku6", 6, 8, 10, 18}, {"sudoku9", 9, 17, 40, 50}, {"sudoku16", 16, 100, 140, 180}};

constexpr int64_t kMaxGuesses = 1000000;

template <typename T>
void Shuffle(std::vector<T>& items, RandomStream& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.NextBelow(static_cast<uint32_t>(i))]);
}

// 0..count-1, with groups of `width` kept together.
std::vector<int> ShuffledLines(int count, int width, RandomStream& random) {
  std::vector<int> groups(static_cast<size_t>(count / width)), lines;
  std::iota(groups.begin(), groups.end(), 0);
  Shuffle(groups, random);
  for (const int group : groups) {
    std::vector<int> inside(static_cast<size_t>(width));
    std::iota(inside.begin(), inside.end(), group * width);
    Shuffle(inside, random);
    lines.insert(lines.end(), inside.begin(), inside.end());
  }
  return lines;
}

class SudokuTask final : public Task {
 public:
  SudokuTask(TaskInfo info, const SudokuShape& shape, int low, int high)
      : Task(std::move(info)), shape_(shape), low_(low), high_(high) {}

  [[nodiscard]] Sample Draw(RandomStream& random) const override {
    // Not every grid can lose so many cells: a few more are tried, then the emptiest puzzle seen is taken.
    constexpr int kGrids = 64;
    const int wanted = low_ + static_cast<int>(random.NextBelow(static_cast<uint32_t>(high_ - low_ + 1)));
    Sample emptiest;
    int fewest = shape_.cells + 1;
    for (int i = 0; i < kGrids && fewest > wanted; ++i) {
      const SudokuGrid full = FullGrid(random);
      SudokuGrid puzzle = full;
      const int givens = Empty(puzzle, wanted, random);
      if (givens >= fewest) continue;
      fewest = givens;
      emptiest = {ToTokens(puzzle), ToTokens(full)};
    }
    Augment(emptiest, random);
    return emptiest;
  }

  void Augment(Sample& sample, RandomStream& random) const override {
    const int n = shape_.size;
    std::vector<Token> digits(static_cast<size_t>(n));
    std::iota(digits.begin(), digits.end(), 2);
    Shuffle(digits, random);
    const bool transpose = shape_.box_rows == shape_.box_cols && random.NextBelow(2) == 1;
    const auto rows = ShuffledLines(n, shape_.box_rows, random);
    const auto cols = ShuffledLines(n, shape_.box_cols, random);
    for (Tokens* tokens : {&sample.inputs, &sample.labels}) {
      const Tokens before = *tokens;
      for (int cell = 0; cell < shape_.cells; ++cell) {
        const int row = rows[static_cast<size_t>(cell / n)], col = cols[static_cast<size_t>(cell % n)];
        const Token token = before[static_cast<size_t>(transpose ? col * n + row : row * n + col)];
        (*tokens)[static_cast<size_t>(cell)] = token < 2 ? token : digits[static_cast<size_t>(token - 2)];
      }
    }
  }

  [[nodiscard]] Result<Tokens> Solve(const Tokens& inputs) const override {
    const std::string conflict = Conflict(inputs);
    if (!conflict.empty()) return ValidationError("no solution: " + conflict);
    const SudokuSearch found = SearchSudoku(shape_, ToGrid(inputs), 2, kMaxGuesses);
    if (found.solutions >= 2) return ValidationError("several solutions", "", "a puzzle needs more givens");
    if (found.gave_up) return ValidationError("not decided after " + std::to_string(kMaxGuesses) + " guesses");
    if (found.solutions == 0) return ValidationError("no solution: the givens contradict each other");
    return ToTokens(found.first);
  }

  [[nodiscard]] Verdict Check(const Tokens& inputs, const Tokens& answer) const override {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::string place = " at row " + std::to_string(static_cast<int>(i) / shape_.size + 1) + ", column " +
                                std::to_string(static_cast<int>(i) % shape_.size + 1);
      if (answer[i] < 2) return {false, "no digit" + place};
      if (inputs[i] != kBlank && answer[i] != inputs[i]) return {false, "the given" + place + " is changed"};
    }
    const std::string conflict = Conflict(answer);
    return {conflict.empty(), conflict};
  }

  [[nodiscard]] Tokens Baseline(const Tokens& inputs) const override {
    Tokens answer = inputs;
    for (size_t cell = 0; cell < inputs.size(); ++cell) {
      if (inputs[cell] != kBlank) continue;
      Token lowest = 2;
      const auto& peers = shape_.peers[cell];
      while (lowest < vocabulary() - 1 &&
             std::any_of(peers.begin(), peers.end(), [&](uint8_t peer) { return inputs[peer] == lowest; })) {
        ++lowest;
      }
      answer[cell] = lowest;
    }
    return answer;
  }

  // Sizes up to 9: the min-lex form. 16x16: how the givens spread over lines and digits, which symmetries keep too; it
  // does not tell every puzzle from every other, so a split made by it is as clean, only coarser.
  [[nodiscard]] std::string CanonicalForm(const Tokens& inputs) const override {
    if (shape_.size <= 9) return Line(ToTokens(MinLexSudoku(shape_, ToGrid(inputs))));
    std::vector<int> rows(16), cols(16), digits(16);
    for (size_t cell = 0; cell < inputs.size(); ++cell) {
      if (inputs[cell] == kBlank) continue;
      ++rows[cell / 16];
      ++cols[cell % 16];
      ++digits[static_cast<size_t>(inputs[cell] - 2)];
    }
    for (auto* counts : {&rows, &cols, &digits}) std::sort(counts->begin(), counts->end());
    if (cols < rows) std::swap(rows, cols);
    std::string form;
    for (const auto* counts : {&rows, &cols, &digits}) {
      for (const int count : *counts) form += std::to_string(count) + " ";
    }
    return form;
  }

 protected:
  [[nodiscard]] Token TokenOf(char character) const override {
    if (character == '0' || character == '_') return kBlank;
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
    return Task::TokenOf(character);
  }
  // Lines drawn between boxes.
  [[nodiscard]] bool Skipped(char character) const override {
    return Task::Skipped(character) || character == '|' || character == '-' || character == '+';
  }

 private:
  [[nodiscard]] SudokuGrid FullGrid(RandomStream& random) const {
    constexpr int64_t kGuesses = 1000;  // a search that went astray starts again
    const SudokuGrid empty(static_cast<size_t>(shape_.cells));
    for (;;) {
      SudokuSearch found = SearchSudoku(shape_, empty, 1, kGuesses, &random);
      if (found.solutions == 1) return std::move(found.first);
    }
  }

  // Blanks cells in random order while the solution stays the only one, down to `wanted` givens; how many are left.
  int Empty(SudokuGrid& puzzle, int wanted, RandomStream& random) const {
    constexpr int64_t kGuesses = 200;  // a puzzle that takes more is not worth the time
    std::vector<size_t> order(puzzle.size());
    std::iota(order.begin(), order.end(), size_t{0});
    Shuffle(order, random);
    int givens = shape_.cells;
    for (const size_t cell : order) {
      if (givens == wanted) break;
      const uint8_t value = std::exchange(puzzle[cell], uint8_t{0});
      const SudokuSearch found = SearchSudoku(shape_, puzzle, 2, kGuesses);
      if (found.solutions == 1 && !found.gave_up) {
        --givens;
      } else {
        puzzle[cell] = value;
      }
    }
    return givens;
  }

  // "two 5s in row 3", or empty. Blanks are no conflict.
  [[nodiscard]] std::string Conflict(const Tokens& tokens) const {
    constexpr const char* kKinds[] = {"row", "column", "box"};
    for (size_t unit = 0; unit < shape_.units.size(); ++unit) {
      uint32_t seen = 0;
      for (const uint8_t cell : shape_.units[unit]) {
        if (tokens[cell] < 2) continue;
        const uint32_t bit = 1u << tokens[cell];
        const auto size = static_cast<size_t>(shape_.size);
        if ((seen & bit) != 0) {
          return std::string("two ") + info().symbols[static_cast<size_t>(tokens[cell])] + "s in " +
                 kKinds[unit / size] + " " + std::to_string(unit % size + 1);
        }
        seen |= bit;
      }
    }
    return {};
  }

  static Tokens ToTokens(const SudokuGrid& grid) {
    Tokens tokens;
    for (const uint8_t value : grid) tokens.push_back(value + 1);
    return tokens;
  }
  static SudokuGrid ToGrid(const Tokens& tokens) {
    SudokuGrid grid;
    for (const Token token : tokens) grid.push_back(static_cast<uint8_t>(token - 1));
    return grid;
  }

  const SudokuShape& shape_;
  int low_, high_;
};

}  // namespace

MadeTask MakeSudokuTask(const std::string& name, const TaskOptions& options) {
  const Size& size = *std::find_if(std::begin(kSizes), std::end(kSizes), [&](const Size& s) { return name == s.name; });
  const SudokuShape& shape = SudokuShape::Of(size.size);
  const auto low = static_cast<int>(options.givens_low == 0 ? size.low : options.givens_low);
  const auto high = static_cast<int>(options.givens_high == 0 ? std::max(low, size.high) : options.givens_high);
  if (low < size.fewest || low > high || high >= shape.cells) {
    return ConfigError("givens of " + name + " must lie in " + std::to_string(size.fewest) + " to " +
                           std::to_string(shape.cells - 1) + ", the low end first",
                       "task",
                       "leave givens_low and givens_high at 0 for the usual " + std::to_string(size.low) + " to " +
                           std::to_string(size.high));
  }
  TaskInfo info;
  info.name = name;
  info.help = "one solution, " + std::to_string(low) + " to " + std::to_string(high) + " givens";
  info.baseline = "the lowest digit that is not given in row, column or box";
  info.rows = info.cols = shape.size;
  info.symbols = std::string("~.123456789ABCDEFG").substr(0, 2 + static_cast<size_t>(shape.size));
  info.box_rows = shape.box_rows;
  info.box_cols = shape.box_cols;
  return std::unique_ptr<Task>(std::make_unique<SudokuTask>(std::move(info), shape, low, high));
}

}  // namespace pintle
