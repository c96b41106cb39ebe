// The eight symmetries of a rectangle of cells: number = 4 * transpose + 2 * upside down + left to right, applied in
// this order.
#pragma once

#include <cstdint>

#include "puzzles/task.h"

namespace pintle {

/// A rectangle of values, row after row.
struct Rectangle {
  int rows = 0;
  int cols = 0;
  Tokens values;
  /// Where a cell stands in `values`.
  [[nodiscard]] size_t At(int row, int col) const {
    return static_cast<size_t>(row) * static_cast<size_t>(cols) + static_cast<size_t>(col);
  }
  friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

/// The rectangle under symmetry 0..7; 0 changes nothing.
inline Rectangle Dihedral(const Rectangle& from, int symmetry) {
  const bool transpose = (symmetry & 4) != 0, down = (symmetry & 2) != 0, across = (symmetry & 1) != 0;
  Rectangle to{transpose ? from.cols : from.rows, transpose ? from.rows : from.cols, Tokens(from.values.size())};
  for (int row = 0; row < to.rows; ++row) {
    for (int col = 0; col < to.cols; ++col) {
      const int r = down ? to.rows - 1 - row : row, c = across ? to.cols - 1 - col : col;
      to.values[to.At(row, col)] = from.values[from.At(transpose ? c : r, transpose ? r : c)];
    }
  }
  return to;
}

/// The symmetry that undoes this one.
constexpr int InverseDihedral(int symmetry) {
  return (symmetry & 4) == 0 ? symmetry : 4 | (symmetry & 1) << 1 | (symmetry & 2) >> 1;
}

}  // namespace pintle
