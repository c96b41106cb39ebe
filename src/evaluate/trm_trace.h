// Looking inside the recursion: every state that a TRM passes through while it solves one puzzle, decoded by the
// model's own head. The same states feed the NDJSON file, the animation in the terminal and the pictures. Not here:
// answers for many puzzles (models/trm/solve.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/trm_model.h"
#include "puzzles/picture.h"
#include "puzzles/task.h"

namespace pintle {

/// z_L or z_H after one evaluation of the network, as the head reads it.
struct TrmTraceState {
  int64_t step = 0;                ///< supervision step, from 1
  int64_t cycle = 0;               ///< H-cycle of the step, from 1
  int64_t evaluation = 0;          ///< of the cycle, from 1; the last one updates z_H
  bool is_h = false;               ///< z_H (the answer), else z_L (the scratch pad)
  bool last = false;               ///< z_H at the end of a supervision step; `q` is valid
  float q = 0;                     ///< halting logit; > 0 = content
  Tokens answer;                   ///< the likeliest symbol of each cell
  std::vector<float> probability;  ///< of that symbol, by the stablemax that the model was trained with
  std::vector<float> entropy;      ///< of each cell, bits
  std::vector<int32_t> changed;    ///< cells whose symbol differs from the previous state of the same kind
};

/// What one puzzle went through.
struct TrmTrace {
  Tokens inputs;
  std::vector<TrmTraceState> states;  ///< T (n + 1) for each supervision step
};

/// Runs one puzzle for `depth` steps, or until q > 0 with `early_stop`, and decodes every state. Inputs that do not fit
/// are validation errors.
Result<TrmTrace> TraceTrm(PuzzleModel& puzzle, const Tokens& inputs, int32_t puzzle_id, int64_t depth, bool early_stop);

/// One JSON object a line: {"type":"puzzle","task","rows","cols","symbols","inputs"}, then for each state
/// {"type":"state","step","cycle","evaluation","state":"z_L"|"z_H","answer","probability","entropy","changed"}, and at
/// the end of each supervision step the same with "q" and "content".
std::string TrmTraceNdjson(const Task& task, const TrmTrace& trace);

/// Frames for DrawFrames: the puzzle, then the answer after each supervision step, at most `limit` of them (the first
/// ones and the last).
std::vector<PictureFrame> TrmTraceFrames(const TrmTrace& trace, int64_t limit);

/// One frame of the animation, for a terminal with colours: z_H and z_L side by side, given cells bold, changed cells
/// marked, the less sure the paler. `state` is the number of a z_H state. Ends with a line about the halting head.
std::string TrmTraceScreen(const Task& task, const TrmTrace& trace, size_t state);

}  // namespace pintle
