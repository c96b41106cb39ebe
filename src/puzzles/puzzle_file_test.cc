#include "puzzles/puzzle_file.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

constexpr const char* kEasy = "..3.2.6..9..3.5..1..18.64....81.29..7.......8..67.82....26.95..8..2.3..9..5.1.3..";
constexpr const char* kSolution = "483921657967345821251876493548132976729564138136798245372689514814253769695417382";

std::string ErrorOf(const Task& task, const std::string& text) {
  const auto samples = ReadPuzzles(task, text, "f.csv");
  REQUIRE_FALSE(samples.ok());
  CHECK(samples.error().code == Code::kValidation);
  return samples.error().Message();
}

TEST_CASE("what is written reads back, for every task") {
  std::vector<std::string> names = TaskNames();
  std::erase(names, "arc");
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto task = MakeTask(name).value();
    std::string csv = PuzzleHeader() + "\n", grids, lines;
    std::vector<Sample> samples;
    for (uint64_t index = 0; index < 3; ++index) {
      samples.push_back(task->Generate(1, index));
      csv += PuzzleLine(*task, samples.back()) + "\n";
      grids += task->Render(samples.back().inputs) + "\n";
      lines += task->Line(samples.back().inputs) + "\r\n";
    }
    for (const std::string& text : {csv, grids, lines}) {
      const auto read = ReadPuzzles(*task, text, "t");
      REQUIRE_MESSAGE(read.ok(), read.error().Message());
      REQUIRE(read->size() == samples.size());
      for (size_t i = 0; i < samples.size(); ++i) {
        CHECK((*read)[i].inputs == samples[i].inputs);
        CHECK((*read)[i].labels == samples[i].labels);
      }
    }
  }
}

TEST_CASE("columns go by name, and further ones are passed over") {
  const auto task = MakeTask("sudoku9").value();
  const std::string solution = kSolution, easy = kEasy;
  const auto read =
      ReadPuzzles(*task, "puzzle,givens,solution,guesses\n" + easy + ",32," + solution + ",0\n\n", "f.csv");
  REQUIRE(read.ok());
  CHECK(task->Line(read->at(0).labels) == solution);
  CHECK(ReadPuzzles(*task, "puzzle\n" + easy, "f.csv").ok());
}

TEST_CASE("errors name line and column") {
  const auto task = MakeTask("sudoku9").value();
  const std::string solution = kSolution, easy = kEasy, header = "puzzle,solution\n";
  std::string bad = easy;
  bad[80] = 'x';
  CHECK(ErrorOf(*task, easy + "\n" + bad + "\n") == "f.csv:2:81: unknown symbol 'x'");
  bad[80] = '3';
  CHECK(ErrorOf(*task, bad + "\n") == "f.csv:1:1: no solution: two 3s in row 9");
  bad = std::string(80, '.') + "1";
  CHECK(ErrorOf(*task, bad + "\n") == "f.csv:1:1: several solutions");
  CHECK(ErrorOf(*task, header + easy + "," + solution.substr(1)) == "f.csv:2:163: 81 cells are needed, 80 found");
  std::string wrong = solution;
  std::swap(wrong[0], wrong[1]);
  CHECK(ErrorOf(*task, header + easy + "," + wrong) == "f.csv:2:83: the solution is wrong: two 8s in column 1");
  CHECK(ErrorOf(*task, header + easy) == "f.csv:2:1: 2 columns are needed, 1 found");
  CHECK(ErrorOf(*task, header) == "f.csv: no puzzle found");
  CHECK(ErrorOf(*task, "") == "f.csv: no puzzle found");
  CHECK(ErrorOf(*task, "123\n\n456\n") == "f.csv:3:1: 81 cells are needed, 3 found");
}

}  // namespace
}  // namespace pintle
