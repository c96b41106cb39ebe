// The min-lex form, row by row: all ways to arrange the grid that give the smallest rows so far are kept side by side,
// and the next row throws most of them out. Renumbering needs no search: in the smallest form new digits appear in
// ascending order.
#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"
#include "puzzles/sudoku_solver.h"

namespace pintle {
namespace {

constexpr int kMaxSize = 9;
using Row = std::array<uint8_t, kMaxSize>;

// Every order of the columns that keeps the stacks together; columns[i] is the old column at the new place i.
std::vector<Row> ColumnOrders(int size, int width) {
  std::vector<Row> orders;
  Row order{};
  std::iota(order.begin(), order.begin() + size, uint8_t{0});
  do {
    bool together = true;
    for (int i = 0; i < size; ++i) together &= order[i] / width == order[i / width * width] / width;
    if (together) orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.begin() + size));
  return orders;
}

const std::vector<Row>& OrdersOf(const SudokuShape& shape) {
  static const std::array<std::vector<Row>, 3> kOrders = {ColumnOrders(4, 2), ColumnOrders(6, 3), ColumnOrders(9, 3)};
  return kOrders[shape.size == 4 ? 0 : shape.size == 6 ? 1 : 2];
}

// A partial arrangement: which grid (as it is or transposed), columns, rows taken, digits numbered so far.
struct Arrangement {
  bool transposed = false;
  const Row* columns = nullptr;
  uint16_t rows_used = 0;
  uint8_t last_row = 0;
  uint8_t numbered = 0;
  std::array<uint8_t, kMaxSize + 1> number{};
};

class MinLex {
 public:
  MinLex(const SudokuShape& shape, const SudokuGrid& grid) : shape_(shape), grids_{grid, grid} {
    const int n = shape.size;
    for (int cell = 0; cell < shape.cells; ++cell) {
      const int across = cell % n * n + cell / n;
      grids_[1][static_cast<size_t>(across)] = grid[static_cast<size_t>(cell)];
    }
  }

  SudokuGrid Run() {
    std::vector<Arrangement> kept;
    const int turns = shape_.box_rows == shape_.box_cols ? 2 : 1;
    for (int turn = 0; turn < turns; ++turn) {
      for (const Row& order : OrdersOf(shape_)) {
        Arrangement start;
        start.transposed = turn == 1;
        start.columns = &order;
        kept.push_back(start);
      }
    }
    SudokuGrid smallest;
    for (int place = 0; place < shape_.size; ++place) {
      std::vector<Arrangement> next;
      best_.fill(UINT8_MAX);
      if (place == 0) FindGapPattern(turns);
      for (const Arrangement& arrangement : kept) {
        for (int row = 0; row < shape_.size; ++row) {
          if (MayFollow(arrangement, row, place)) Offer(arrangement, row, next);
        }
      }
      smallest.insert(smallest.end(), best_.begin(), best_.begin() + shape_.size);
      kept = std::move(next);
    }
    return smallest;
  }

 private:
  [[nodiscard]] const uint8_t* RowOf(bool transposed, int row) const {
    return &grids_[transposed ? 1 : 0][static_cast<size_t>(row) * static_cast<size_t>(shape_.size)];
  }

  // How many givens the stacks of a row hold, ascending. The first row has the smallest of these; others need no look.
  [[nodiscard]] Row GapPattern(bool transposed, int row) const {
    Row counts{};
    const uint8_t* values = RowOf(transposed, row);
    for (int col = 0; col < shape_.size; ++col) counts[col / shape_.box_cols] += values[col] != 0 ? 1 : 0;
    std::sort(counts.begin(), counts.begin() + shape_.size / shape_.box_cols);
    return counts;
  }
  void FindGapPattern(int turns) {
    gap_pattern_.fill(UINT8_MAX);
    for (int turn = 0; turn < turns; ++turn) {
      for (int row = 0; row < shape_.size; ++row) gap_pattern_ = std::min(gap_pattern_, GapPattern(turn == 1, row));
    }
    for (int turn = 0; turn < turns; ++turn) {
      for (int row = 0; row < shape_.size; ++row) {
        may_be_first_[turn][row] = GapPattern(turn == 1, row) == gap_pattern_;
      }
    }
  }

  // A band goes on until it is complete; then any other may follow.
  [[nodiscard]] bool MayFollow(const Arrangement& arrangement, int row, int place) const {
    if (place == 0) return may_be_first_[arrangement.transposed ? 1 : 0][row];
    if ((arrangement.rows_used >> row & 1) != 0) return false;
    return place % shape_.box_rows == 0 || row / shape_.box_rows == arrangement.last_row / shape_.box_rows;
  }

  // Appends the row to the arrangement if no better row is known for this place.
  void Offer(const Arrangement& arrangement, int row, std::vector<Arrangement>& next) {
    const uint8_t* values = RowOf(arrangement.transposed, row);
    Arrangement extended = arrangement;
    bool better = false;
    for (int place = 0; place < shape_.size; ++place) {
      const uint8_t value = values[(*arrangement.columns)[place]];
      if (value != 0 && extended.number[value] == 0) extended.number[value] = ++extended.numbered;
      const uint8_t number = value == 0 ? 0 : extended.number[value];
      if (!better && number > best_[place]) return;
      better |= number < best_[place];
      if (better) best_[place] = number;
    }
    if (better) next.clear();
    extended.rows_used = static_cast<uint16_t>(extended.rows_used | 1u << row);
    extended.last_row = static_cast<uint8_t>(row);
    next.push_back(extended);
  }

  const SudokuShape& shape_;
  std::array<SudokuGrid, 2> grids_;
  Row best_{};
  Row gap_pattern_{};
  std::array<std::array<bool, kMaxSize>, 2> may_be_first_{};
};

}  // namespace

SudokuGrid MinLexSudoku(const SudokuShape& shape, const SudokuGrid& grid) {
  PINTLE_CHECK(shape.size <= kMaxSize && grid.size() == static_cast<size_t>(shape.cells),
               "no min-lex form of this size");
  return MinLex(shape, grid).Run();
}

}  // namespace pintle
