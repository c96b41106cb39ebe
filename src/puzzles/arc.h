// ARC: coloured grids, a few demonstrations a task, and a rule that nobody writes down. A model learns a task from the
// demonstrations of many recoloured and turned copies (views), each with an embedding of its own; for the answer it
// solves all views of the test input, and the views vote. Not here: the model.
// Source: Chollet 2019, "On the Measure of Intelligence"; canvas, views and votes as in the TRM's published code.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "puzzles/dihedral.h"
#include "puzzles/task.h"

namespace pintle {

inline constexpr int kArcSide = 30;  ///< of the largest grid, and of the published code's canvas
inline constexpr int kArcColours = 10;
inline constexpr Token kArcEnd = 1;  ///< the border below and to the right of a grid; colour c is token c + 2

/// One example: grids of colours 0..9 with 1 to 30 rows and columns. A test output that is not known has 0 rows.
struct ArcPair {
  Rectangle input, output;
};

/// One task of a file.
struct ArcProblem {
  std::string id;
  std::vector<ArcPair> train, test;
};

/// A file of tasks: {"id": {"train": [{"input": [[..]], "output": [[..]]}, ..], "test": [..]}, ..}, or the object of
/// one task alone, which gets the name `alone`. Errors name task, pair, row and column.
Result<std::vector<ArcProblem>> ParseArc(std::string_view json, const std::string& where, const std::string& alone);

/// One way to look at a task: a symmetry and new colours (0 stays 0). colours[old] = new.
struct ArcView {
  int symmetry = 0;
  std::array<uint8_t, kArcColours> colours = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
};
Rectangle ApplyArcView(const Rectangle& grid, const ArcView& view);
/// The inverse of ApplyArcView.
Rectangle UndoArcView(const Rectangle& grid, const ArcView& view);

/// The grid on a canvas of side x side with its top left cell at (row, col), the border where it fits, PAD elsewhere.
Tokens ArcCanvas(const Rectangle& grid, int side, int row, int col);
/// The largest rectangle of colours that begins in the top left corner of a canvas; 0 rows if there is none.
Rectangle CropArc(const Tokens& canvas);

/// A test input as one view sees it, for the model to solve.
struct ArcQuery {
  size_t problem = 0;
  size_t test = 0;
  ArcView view;
  Sample sample;  ///< labels are all PAD if the output is not known
};

/// Problems with their views, all on one size of canvas. Immutable; any thread.
class ArcSet {
 public:
  /// View 0 of each problem changes nothing; up to `views` - 1 others are drawn from `seed`. A view that makes the same
  /// grids as an earlier one is dropped, so that problems with much symmetry have fewer. Test outputs decide nothing.
  /// No grid may be larger than `side`.
  ArcSet(std::vector<ArcProblem> problems, int side, int64_t views, uint64_t seed);

  [[nodiscard]] int side() const { return side_; }
  [[nodiscard]] const std::vector<ArcProblem>& problems() const { return problems_; }
  [[nodiscard]] const std::vector<ArcView>& views(size_t problem) const { return views_[problem]; }
  /// Rows of the embedding: 0 stands for no problem, then the views of all problems in order.
  [[nodiscard]] int32_t puzzle_ids() const { return puzzle_ids_; }
  [[nodiscard]] int32_t PuzzleId(size_t problem, size_t view) const {
    return first_id_[problem] + static_cast<int32_t>(view);
  }
  /// A demonstration by chance: problem, view, pair, and a place on the canvas (one pair of each view stays in the
  /// corner).
  [[nodiscard]] Sample Draw(RandomStream& random) const;
  /// All views of all test inputs of a problem; never moved on the canvas.
  [[nodiscard]] std::vector<ArcQuery> Queries(size_t problem) const;
  /// Everything that decides what Draw gives and Queries asks, as one text to be hashed: test outputs are not in it.
  [[nodiscard]] std::string Text() const;

 private:
  std::vector<ArcProblem> problems_;
  int side_;
  std::vector<std::vector<ArcView>> views_;
  std::vector<int32_t> first_id_;
  int32_t puzzle_ids_ = 1;
};

/// The set that a task's options name: options.data is a file of problems, or a folder of such files (*.json, in the
/// order of their names). A problem that stands alone in its file has the file's name. Nothing there, no problem of
/// that name or size, and damaged files are errors. Not compiled to WASM.
Result<ArcSet> OpenArcSet(const TaskOptions& options);

/// An output that some views agree on.
struct ArcCandidate {
  Rectangle grid;
  int votes = 0;
  double confidence = 0;  ///< mean over its votes
};

/// Collects the answers to queries and ranks the outputs. One thread.
class ArcVotes {
 public:
  explicit ArcVotes(const ArcSet& set) : set_(set) {}
  /// The model's answer to a query, and how sure it is (the sigmoid of its halting logit). An answer without a grid in
  /// its corner counts as no vote.
  void Add(const ArcQuery& query, const Tokens& answer, double confidence);
  /// Best first: more votes, then higher confidence, then the smaller grid.
  [[nodiscard]] std::vector<ArcCandidate> Ranked(size_t problem, size_t test) const;
  /// The share of test inputs whose output is among the first `k` candidates, averaged within each problem and then
  /// over problems. Outputs that are not known count as missed.
  [[nodiscard]] double PassAt(int k) const;
  /// submission.json: two attempts for every test input. Without a second candidate the first stands twice; without
  /// any, a single cell of colour 0.
  [[nodiscard]] std::string Submission() const;

 private:
  struct Count {
    int votes = 0;
    double confidence = 0;  // sum
  };
  using Key = std::pair<std::pair<int, int>, Tokens>;  // rows, cols, colours
  const ArcSet& set_;
  std::map<std::pair<size_t, size_t>, std::map<Key, Count>> counts_;
};

}  // namespace pintle
