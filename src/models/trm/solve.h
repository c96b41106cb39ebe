// Running a TRM on puzzles: supervision steps until the depth is reached or the halting head is content, several noisy
// samples of which the most confident is kept, and scores against known answers. Puzzles that have stopped leave the
// batch, so that early stopping saves its time. Not here: one step (trm.h), where puzzles come from, checkers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "models/trm/trm.h"

namespace pintle {

/// How long and how often to think.
struct TrmSolveOptions {
  int64_t depth = 16;        ///< supervision steps at most, 1 .. 1024
  bool early_stop = false;   ///< a puzzle stops after the first step with q > 0
  int64_t samples = 1;       ///< K: sample 0 is without noise, the answer with the largest q is kept; 1 .. 1024
  double noise = 0.5;        ///< standard deviation of what is added to z_L before each step of the other samples
  uint64_t seed = 0;         ///< of the noise
  int64_t batch = 64;        ///< slots that run together; changes no result
  bool keep_logits = false;  ///< also return the logits of the answer
};

/// What became of one puzzle.
struct TrmSolution {
  std::vector<int32_t> answer;  ///< [S]
  float q = 0;                  ///< halting logit of the answer
  int64_t steps = 0;            ///< supervision steps made for it
  int64_t content_step = 0;     ///< the first step with q > 0 of sample 0; 0 = none
  int64_t sample = 0;           ///< which sample the answer is
  std::vector<float> logits;    ///< [S, V] with keep_logits
};

/// One step of one puzzle, without noise, as it is made: the answer so far and its halting logit.
struct TrmProgressView {
  int64_t puzzle, step;             ///< step counts from 1
  std::span<const int32_t> answer;  ///< [S]
  float q;
};
using TrmProgress = std::function<void(const TrmProgressView&)>;

/// Solves every puzzle of `puzzles` (labels are not looked at). The same bytes for any batch, number of threads and
/// neighbours. `progress`, if given, sees every step of sample 0; puzzles of one batch take turns. Inputs or options
/// out of range are validation errors; after Ctrl-C it ends with a runtime error.
Result<std::vector<TrmSolution>> SolveTrm(Trm& model, const TrmBatch& puzzles, const TrmSolveOptions& options,
                                          const TrmProgress& progress = {});

/// Adds a puzzle to a batch. Labels equal to `unscored` are not scored; `labels` may be empty.
void AppendPuzzle(TrmBatch& batch, std::span<const int32_t> inputs, std::span<const int32_t> labels, int32_t puzzle_id,
                  int32_t unscored);

/// How right answers are.
struct TrmScore {
  int64_t puzzles = 0, exact = 0;  ///< exact: every scored cell right
  int64_t cells = 0, right = 0;    ///< scored cells, and those of them that are right

  /// Adds one answer. Returns whether it is exact.
  bool Add(std::span<const int32_t> answer, std::span<const int32_t> labels, int64_t vocab);
  [[nodiscard]] double ExactShare() const {
    return puzzles == 0 ? 0 : static_cast<double>(exact) / static_cast<double>(puzzles);
  }
  [[nodiscard]] double CellShare() const {
    return cells == 0 ? 0 : static_cast<double>(right) / static_cast<double>(cells);
  }
};

}  // namespace pintle
