// Sudoku by rules alone: shapes, and a solver that counts. Candidates are bit masks; naked and hidden singles are drawn
// until nothing moves, then the cell with the fewest candidates is guessed. The generator (sudoku.cc) is the same
// search with random guesses.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/rng.h"

namespace pintle {

/// Cell values row after row: 0 = blank, else 1..size.
using SudokuGrid = std::vector<uint8_t>;

/// The rows, columns and boxes of one size. Immutable.
struct SudokuShape {
  int size = 0;
  int box_rows = 0;  ///< rows of a box
  int box_cols = 0;  ///< columns of a box
  int cells = 0;
  std::vector<std::vector<uint8_t>> units;  ///< rows, then columns, then boxes: `size` cells each
  std::vector<std::vector<uint8_t>> peers;  ///< for each cell, all others that share a unit

  /// Size 4, 6 (boxes of 2 rows and 3 columns), 9 or 16.
  static const SudokuShape& Of(int size);
};

/// What a search found.
struct SudokuSearch {
  int solutions = 0;     ///< up to the limit
  SudokuGrid first;      ///< the first solution; empty if there is none
  int64_t guesses = 0;   ///< cells that had to be guessed: 0 = singles are enough
  bool gave_up = false;  ///< more guesses than allowed: `solutions` is a lower bound
};

/// Looks for up to `limit` solutions with at most `max_guesses`. With `random`, guesses come in random order (else
/// ascending). The grid has shape.cells values.
SudokuSearch SearchSudoku(const SudokuShape& shape, const SudokuGrid& grid, int limit, int64_t max_guesses,
                          RandomStream* random = nullptr);

/// The smallest grid, in the order of its values, of all that rows, columns, bands, stacks, transposition (square
/// boxes) and renumbering make of this one. For sizes up to 9 and grids with exactly one solution (others may take very
/// long).
SudokuGrid MinLexSudoku(const SudokuShape& shape, const SudokuGrid& grid);

}  // namespace pintle
