// Sudoku beyond what task_test.cc asks of every task: uniqueness against a search of another kind, the min-lex form,
// numbers of givens, texts of errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "puzzles/split.h"
#include "puzzles/sudoku_solver.h"
#include "puzzles/task.h"

namespace pintle {
namespace {

constexpr int64_t kManyGuesses = 1000000;

SudokuGrid GridOf(const std::string& text) {
  SudokuGrid grid;
  for (const char c : text) grid.push_back(static_cast<uint8_t>(c == '.' ? 0 : c - '0'));
  return grid;
}

// Plain backtracking in cell order: slow, and nothing in common with the solver.
int CountPlainly(const SudokuShape& shape, SudokuGrid& grid, int limit, size_t cell = 0) {
  while (cell < grid.size() && grid[cell] != 0) ++cell;
  if (cell == grid.size()) return 1;
  int count = 0;
  for (int value = 1; value <= shape.size && count < limit; ++value) {
    const auto& peers = shape.peers[cell];
    if (std::any_of(peers.begin(), peers.end(), [&](uint8_t peer) { return grid[peer] == value; })) continue;
    grid[cell] = static_cast<uint8_t>(value);
    count += CountPlainly(shape, grid, limit - count, cell + 1);
  }
  grid[cell] = 0;
  return count;
}

bool Consistent(const SudokuShape& shape, const SudokuGrid& grid) {
  for (size_t cell = 0; cell < grid.size(); ++cell) {
    for (const uint8_t peer : shape.peers[cell]) {
      if (grid[cell] != 0 && grid[cell] == grid[peer]) return false;
    }
  }
  return true;
}

TEST_CASE("the solver counts like a plain search, from unique puzzles to empty grids") {
  for (const int size : {4, 6}) {
    const SudokuShape& shape = SudokuShape::Of(size);
    const auto task = MakeTask("sudoku" + std::to_string(size)).value();
    RandomStream random(1, Purpose::kTest, static_cast<uint64_t>(size));
    for (uint64_t index = 0; index < 40; ++index) {
      SudokuGrid grid;
      for (const Token token : task->Generate(1, index).inputs) grid.push_back(static_cast<uint8_t>(token - 1));
      for (int removed = 0; removed < 5; ++removed) {
        constexpr int kLimit = 20;
        SudokuGrid plain = grid;
        const SudokuSearch found = SearchSudoku(shape, grid, kLimit, kManyGuesses);
        CHECK(found.solutions == CountPlainly(shape, plain, kLimit));
        grid[random.NextBelow(static_cast<uint32_t>(grid.size()))] = 0;
      }
      SudokuGrid spoilt = grid;
      spoilt[random.NextBelow(static_cast<uint32_t>(grid.size()))] = 1;
      SudokuGrid plain = spoilt;
      const int count = Consistent(shape, plain) ? CountPlainly(shape, plain, 2) : 0;
      CHECK(SearchSudoku(shape, spoilt, 2, kManyGuesses).solutions == count);
    }
  }
  constexpr int kGrids4x4 = 288;
  CHECK(SearchSudoku(SudokuShape::Of(4), SudokuGrid(16), 1000, kManyGuesses).solutions == kGrids4x4);
}

TEST_CASE("known puzzles") {
  const SudokuShape& shape = SudokuShape::Of(9);
  const auto easy =
      SearchSudoku(shape, GridOf("..3.2.6..9..3.5..1..18.64....81.29..7.......8..67.82....26.95..8..2.3..9..5.1.3.."),
                   2, kManyGuesses);
  CHECK(easy.solutions == 1);
  CHECK(easy.guesses == 0);
  CHECK(easy.first == GridOf("483921657967345821251876493548132976729564138136798245372689514814253769695417382"));
  const auto seventeen =
      SearchSudoku(shape, GridOf("..2.....4.....37........5.....8...2..1.6............9....78.1..93.......2...4...."),
                   2, kManyGuesses);
  CHECK(seventeen.solutions == 1);
  CHECK(seventeen.guesses > 0);
  CHECK(seventeen.first == GridOf("352178964684953712197264583763891425419625378825437691546782139938516247271349856"));
  CHECK(SearchSudoku(shape, SudokuGrid(81), 2, kManyGuesses).solutions == 2);
  CHECK(SearchSudoku(shape, SudokuGrid(81), 2, 3).gave_up);
}

TEST_CASE("every size: one solution, the wanted givens, which stand in the answer") {
  struct Range {
    const char* name;
    int64_t low, high;
    uint64_t puzzles;
  };
  for (const Range& range :
       {Range{"sudoku4", 4, 8, 60}, Range{"sudoku6", 10, 18, 40}, Range{"sudoku9", 40, 50, 20},
        Range{"sudoku9", 30, 36, 10}, Range{"sudoku9", 24, 26, 3}, Range{"sudoku16", 140, 180, 2}}) {
    CAPTURE(range.name);
    TaskOptions options;
    options.givens_low = range.low;
    options.givens_high = range.high;
    const auto task = MakeTask(range.name, options).value();
    std::set<std::ptrdiff_t> seen;
    for (uint64_t index = 0; index < range.puzzles; ++index) {
      const Sample sample = task->Generate(2, index);
      const auto givens = static_cast<std::ptrdiff_t>(sample.inputs.size()) -
                          std::count(sample.inputs.begin(), sample.inputs.end(), kBlank);
      CHECK(givens >= range.low);
      CHECK(givens <= range.high);
      seen.insert(givens);
      CHECK(task->Solve(sample.inputs).value() == sample.labels);
      CHECK(task->Check(sample.inputs, sample.labels).right);
    }
    if (range.puzzles >= 10) CHECK(seen.size() >= 4);
  }
}

TEST_CASE("the min-lex form: the same for all twins, apart for others, and no twin is smaller") {
  for (const char* name : {"sudoku4", "sudoku6", "sudoku9"}) {
    CAPTURE(name);
    const auto task = MakeTask(name).value();
    std::set<std::string> forms;
    for (uint64_t index = 0; index < 6; ++index) {
      Sample sample = task->Generate(3, index);
      const std::string form = task->CanonicalForm(sample.inputs);
      const Tokens parsed = task->Parse(form, "t").value();
      CHECK(task->CanonicalForm(parsed) == form);
      RandomStream random(3, Purpose::kAugment, index);
      for (int i = 0; i < 20; ++i) {
        task->Augment(sample, random);
        CHECK(task->CanonicalForm(sample.inputs) == form);
        CHECK(task->Line(sample.inputs) >= form);
      }
      forms.insert(form);
    }
    CHECK(forms.size() >= 5);
  }
}

TEST_CASE("there is one full grid of 4x4 by the min-lex form of each of its two classes") {
  const SudokuShape& shape = SudokuShape::Of(4);
  std::set<SudokuGrid> classes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RandomStream random(seed, Purpose::kTest, 0);
    classes.insert(MinLexSudoku(shape, SearchSudoku(shape, SudokuGrid(16), 1, kManyGuesses, &random).first));
  }
  CHECK(classes == std::set<SudokuGrid>{GridOf("1234341221434321"), GridOf("1234341223414123")});
}

TEST_CASE("impossible puzzles, several solutions and wrong answers are named") {
  const auto task = MakeTask("sudoku4").value();
  const auto solve = [&](const char* text) {
    const auto solved = task->Solve(task->Parse(text, "t").value());
    return solved.ok() ? task->Line(*solved) : solved.error().what;
  };
  CHECK(solve("1...1...........") == "no solution: two 1s in column 1");
  CHECK(solve("1....1..........") == "no solution: two 1s in box 1");
  CHECK(solve("12..............") == "several solutions");
  CHECK(solve("123....4........") == "no solution: the givens contradict each other");
  const Tokens inputs = task->Parse("12..34..........", "t").value();
  const auto reason = [&](const char* answer) { return task->Check(inputs, task->Parse(answer, "t").value()).reason; };
  CHECK(reason("1234341221434321").empty());
  CHECK(reason("1234341221434312") == "two 1s in column 3");
  CHECK(reason("2134341221434321") == "the given at row 1, column 1 is changed");
  CHECK(reason("1234341221434.21") == "no digit at row 4, column 2");
  CHECK(task->Parse("1 2|_ 0\n3 4|. .\n---+---\n....\n....\n", "t").value() == inputs);
  TaskOptions options;
  options.givens_low = 3;
  CHECK_FALSE(MakeTask("sudoku4", options).ok());
  options = {};
  options.givens_high = 16;
  CHECK_FALSE(MakeTask("sudoku4", options).ok());
}

}  // namespace
}  // namespace pintle
