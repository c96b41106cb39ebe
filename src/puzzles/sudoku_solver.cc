#include "puzzles/sudoku_solver.h"

#include <bit>

#include "base/check.h"

namespace pintle {
namespace {

constexpr int kMaxCells = 256;

SudokuShape MakeShape(int box_rows, int box_cols) {
  SudokuShape shape;
  const int size = box_rows * box_cols;
  shape.size = size;
  shape.box_rows = box_rows;
  shape.box_cols = box_cols;
  shape.cells = size * size;
  shape.units.resize(3 * static_cast<size_t>(size));
  for (int cell = 0; cell < shape.cells; ++cell) {
    const int row = cell / size, col = cell % size;
    const int box = row / box_rows * box_rows + col / box_cols;
    for (const int unit : {row, size + col, 2 * size + box}) {
      shape.units[static_cast<size_t>(unit)].push_back(static_cast<uint8_t>(cell));
    }
  }
  shape.peers.resize(static_cast<size_t>(shape.cells));
  for (int cell = 0; cell < shape.cells; ++cell) {
    std::array<bool, kMaxCells> seen{};
    seen[static_cast<size_t>(cell)] = true;
    for (const auto& unit : shape.units) {
      bool holds = false;
      for (const uint8_t other : unit) holds |= other == cell;
      for (size_t i = 0; holds && i < unit.size(); ++i) {
        if (!seen[unit[i]]) shape.peers[static_cast<size_t>(cell)].push_back(unit[i]);
        seen[unit[i]] = true;
      }
    }
  }
  return shape;
}

// A cell whose mask is a single bit is solved; it is in the queue once, to be taken out of its peers.
struct Board {
  std::array<uint16_t, kMaxCells> masks;
  int solved = 0;
};

class Search {
 public:
  Search(const SudokuShape& shape, int limit, int64_t max_guesses, RandomStream* random)
      : shape_(shape),
        limit_(limit),
        max_guesses_(max_guesses),
        random_(random),
        full_(static_cast<uint16_t>((1u << shape.size) - 1)) {}

  SudokuSearch Run(const SudokuGrid& grid) {
    Board board;
    for (int cell = 0; cell < shape_.cells; ++cell) board.masks[static_cast<size_t>(cell)] = full_;
    bool possible = true;
    for (size_t cell = 0; cell < grid.size() && possible; ++cell) {
      if (grid[cell] == 0) continue;
      const auto bit = static_cast<uint16_t>(1u << (grid[cell] - 1));
      possible = (board.masks[cell] & bit) != 0;
      if (!possible) break;
      Set(board, cell, bit);
      possible = Spread(board);
    }
    if (possible) Visit(board);
    return std::move(found_);
  }

 private:
  void Set(Board& board, size_t cell, uint16_t bit) {
    const bool was_solved = std::has_single_bit(board.masks[cell]);
    board.masks[cell] = bit;
    if (!was_solved) Push(board, cell);
  }

  void Push(Board& board, size_t cell) {
    queue_[queued_++] = static_cast<uint8_t>(cell);
    ++board.solved;
  }

  // Takes the solved cells of the queue out of their peers, and what becomes solved by that. False: a cell is left
  // without candidates.
  bool Spread(Board& board) {
    while (queued_ > 0) {
      const size_t cell = queue_[--queued_];
      const uint16_t bit = board.masks[cell];
      for (const uint8_t peer : shape_.peers[cell]) {
        if ((board.masks[peer] & bit) == 0) continue;
        board.masks[peer] = static_cast<uint16_t>(board.masks[peer] & ~bit);
        if (board.masks[peer] == 0) {
          queued_ = 0;
          return false;
        }
        if (std::has_single_bit(board.masks[peer])) Push(board, peer);
      }
    }
    return true;
  }

  // Sets every value that has one place left in a unit. False: a value has none.
  bool HiddenSingles(Board& board) {
    for (bool moved = true; moved && board.solved < shape_.cells;) {
      moved = false;
      for (const auto& unit : shape_.units) {
        uint16_t once = 0, twice = 0, done = 0;
        for (const uint8_t cell : unit) {
          const uint16_t mask = board.masks[cell];
          twice = static_cast<uint16_t>(twice | (once & mask));
          once = static_cast<uint16_t>(once | mask);
          if (std::has_single_bit(mask)) done = static_cast<uint16_t>(done | mask);
        }
        if (once != full_) return false;
        const auto hidden = static_cast<uint16_t>(once & ~twice & ~done);
        if (hidden == 0) continue;
        for (const uint8_t cell : unit) {
          const auto mine = static_cast<uint16_t>(board.masks[cell] & hidden);
          if (mine == 0) continue;
          if (!std::has_single_bit(mine)) return false;
          Set(board, cell, mine);
        }
        if (!Spread(board)) return false;
        moved = true;
      }
    }
    return true;
  }

  void Visit(Board& board) {
    if (!HiddenSingles(board)) {
      queued_ = 0;
      return;
    }
    if (board.solved == shape_.cells) {
      if (found_.solutions++ == 0) {
        for (int cell = 0; cell < shape_.cells; ++cell) {
          found_.first.push_back(static_cast<uint8_t>(std::countr_zero(board.masks[static_cast<size_t>(cell)]) + 1));
        }
      }
      return;
    }
    if (++found_.guesses > max_guesses_) {
      found_.gave_up = true;
      return;
    }
    size_t narrowest = 0;
    int fewest = shape_.size + 1;
    for (size_t cell = 0; cell < static_cast<size_t>(shape_.cells) && fewest > 2; ++cell) {
      const int candidates = std::popcount(board.masks[cell]);
      if (candidates > 1 && candidates < fewest) {
        fewest = candidates;
        narrowest = cell;
      }
    }
    for (uint16_t rest = board.masks[narrowest]; rest != 0 && found_.solutions < limit_ && !found_.gave_up;) {
      const auto bit = Choose(rest);
      rest = static_cast<uint16_t>(rest & ~bit);
      Board next = board;
      Set(next, narrowest, bit);
      if (Spread(next)) Visit(next);
    }
  }

  uint16_t Choose(uint16_t mask) {
    uint32_t skip = random_ == nullptr ? 0 : random_->NextBelow(static_cast<uint32_t>(std::popcount(mask)));
    for (; skip > 0; --skip) mask = static_cast<uint16_t>(mask & (mask - 1));
    return static_cast<uint16_t>(mask & -mask);
  }

  const SudokuShape& shape_;
  int limit_;
  int64_t max_guesses_;
  RandomStream* random_;
  uint16_t full_;
  std::array<uint8_t, kMaxCells> queue_{};
  size_t queued_ = 0;
  SudokuSearch found_;
};

}  // namespace

const SudokuShape& SudokuShape::Of(int size) {
  static const SudokuShape kShapes[] = {MakeShape(2, 2), MakeShape(2, 3), MakeShape(3, 3), MakeShape(4, 4)};
  for (const SudokuShape& shape : kShapes) {
    if (shape.size == size) return shape;
  }
  PINTLE_CHECK(false, "no Sudoku of this size");
}

SudokuSearch SearchSudoku(const SudokuShape& shape, const SudokuGrid& grid, int limit, int64_t max_guesses,
                          RandomStream* random) {
  PINTLE_CHECK(grid.size() == static_cast<size_t>(shape.cells), "a grid of another size");
  return Search(shape, limit, max_guesses, random).Run(grid);
}

}  // namespace pintle
