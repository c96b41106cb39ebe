// A task: puzzles on a grid of tokens that a recursive model learns to solve. Everything that a trainer, an evaluator,
// a solver or a picture needs to know about a puzzle stands behind this one interface; no model is known here.
//
// A new task takes one file (pattern.cc is the smallest example):
//   1. Fill a TaskInfo: name, grid, one character for each token. Token 0 is PAD, and a label of 0 is not asked for.
//   2. Draw: a fresh puzzle with its answer, from the random numbers given and nothing else.
//   3. Solve: the answer of a puzzle from outside, or why there is none. Check: is this answer right? Decided by the
//      rules of the puzzle, not by comparing with a label.
//   4. Baseline: what someone without any skill would answer; accuracy means nothing without it.
//   5. Augment and CanonicalForm, if the puzzle has symmetries; both must agree on them.
//   6. A row in the table of task.cc; task_test.cc then tests all of the above.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/rng.h"

namespace pintle {
// The types have a namespace: other folders have a Task, a Verdict and a Sample of their own in the same program.
inline namespace puzzles {

/// A token of a puzzle: 0 <= token < vocabulary.
using Token = int32_t;
using Tokens = std::vector<Token>;

/// Outside of the puzzle; as a label: not asked for.
inline constexpr Token kPad = 0;
/// Where the answer goes (Sudoku and the patterns).
inline constexpr Token kBlank = 1;

/// One puzzle: both vectors have rows x cols tokens, row after row.
struct Sample {
  Tokens inputs;
  Tokens labels;          ///< the answer, given cells included
  int32_t puzzle_id = 0;  ///< row of the puzzle embedding: 0 for all tasks but ARC
};

/// What a checker found.
struct Verdict {
  bool right = false;
  std::string reason;  ///< the first rule that is broken; empty if right
};

/// What stays the same for all puzzles of a task.
struct TaskInfo {
  std::string name;
  std::string help;               ///< one line for the list of tasks
  std::string baseline;           ///< what Baseline() does, in one line
  int rows = 1;                   ///< at most 64
  int cols = 1;                   ///< at most 64
  std::string symbols;            ///< symbols[token] is its character; the size is the vocabulary
  int box_rows = 0;               ///< lines of a picture after so many rows (0 = none)
  int box_cols = 0;               ///< and after so many columns
  int32_t puzzle_ids = 1;         ///< rows of the puzzle embedding
  std::vector<uint32_t> colours;  ///< 0xRRGGBB of each token in pictures; empty = the symbols are drawn
  std::string data_sha256;        ///< of what was read to make the task; empty for puzzles from nothing
};

/// What can be chosen about a task; each task reads its own fields.
struct TaskOptions {
  int64_t length = 10;            ///< patterns: symbols of the question
  int64_t alphabet = 8;           ///< patterns: different symbols
  int64_t givens_low = 0;         ///< Sudoku: fewest givens, 0 = the default of the size
  int64_t givens_high = 0;        ///< Sudoku: most givens, 0 = the default of the size
  double maze_loops = 0;          ///< mazes: share of the walls that the builder tries to open
  std::string data;               ///< ARC: the file or folder of problems
  std::string arc_problem;        ///< ARC: only the problem of this name; "" = all
  int64_t arc_side = 0;           ///< ARC: side of the canvas; larger problems are left out; 0 = as large as needed
  int64_t arc_augmentations = 8;  ///< ARC: views of each problem, the plain one included

  /// Section [task].
  void Visit(ConfigVisitor& visitor);
};

/// One kind of puzzle. Immutable after construction: every method may be called from any thread at the same time, and
/// gives the same bytes on every machine.
class Task {
 public:
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] const TaskInfo& info() const { return info_; }
  [[nodiscard]] int cells() const { return info_.rows * info_.cols; }
  [[nodiscard]] int vocabulary() const { return static_cast<int>(info_.symbols.size()); }

  /// Puzzle `index` of `seed`: a function of these two alone (see split.h for puzzles of one split).
  [[nodiscard]] Sample Generate(uint64_t seed, uint64_t index) const;
  /// A puzzle from random numbers. Sudoku and mazes: exactly one answer exists.
  [[nodiscard]] virtual Sample Draw(RandomStream& random) const = 0;
  /// Puzzles that Draw never gives because they are the test (ARC). Where there are none, split.h holds puzzles back.
  [[nodiscard]] virtual std::vector<Sample> HeldBack() const;
  /// Replaces the puzzle by another one of the same kind and difficulty (a symmetry of the task, drawn at random).
  virtual void Augment(Sample& sample, RandomStream& random) const;

  /// The answer of a puzzle from outside. A validation error says why there is none, or that there are several.
  [[nodiscard]] virtual Result<Tokens> Solve(const Tokens& inputs) const = 0;
  /// Whether `answer` solves `inputs`, by the rules alone; given cells must be kept. Both have cells() valid tokens.
  [[nodiscard]] virtual Verdict Check(const Tokens& inputs, const Tokens& answer) const = 0;
  /// An answer without skill; info().baseline says how.
  [[nodiscard]] virtual Tokens Baseline(const Tokens& inputs) const = 0;
  /// One text for all puzzles that Augment can make of each other. The default is Line(inputs).
  [[nodiscard]] virtual std::string CanonicalForm(const Tokens& inputs) const;

  /// cells() tokens from text: one line, or the grid as Render shows it. Line ends are skipped, and so is what
  /// Skipped() names. Errors name line and column, counted from `line` and `column`.
  [[nodiscard]] Result<Tokens> Parse(std::string_view text, const std::string& where, int line = 1,
                                     int column = 1) const;
  /// The grid: rows lines of cols characters, each line with its end.
  [[nodiscard]] std::string Render(std::span<const Token> tokens) const;
  /// All cells in one line, without its end.
  [[nodiscard]] std::string Line(std::span<const Token> tokens) const;

 protected:
  explicit Task(TaskInfo info);
  /// The token of a character, or -1. The default looks into info().symbols from token 1 on.
  [[nodiscard]] virtual Token TokenOf(char character) const;
  /// Whether Parse passes over this character. The default: blanks, tabs and carriage returns.
  [[nodiscard]] virtual bool Skipped(char character) const;

 private:
  TaskInfo info_;
};

}  // namespace puzzles

/// Every name that MakeTask takes, mazes by their usual size.
std::vector<std::string> TaskNames();
/// A task by name: copy, reverse, sort, parity, majority, selective_copy; sudoku4, sudoku6, sudoku9, sudoku16;
/// mazeN with N from 5 to 40; arc. A wrong name or option is a config error with a hint.
Result<std::unique_ptr<Task>> MakeTask(const std::string& name, const TaskOptions& options = {});

}  // namespace pintle
