// Pictures of puzzles being solved: one panel for each state of the answer, with given cells apart from answered ones,
// how sure the model is of each cell, and which cells changed since the state before. SVG and PNG show all panels side
// by side, GIF one after the other. The same states give the same bytes on every machine.
#pragma once

#include <string>
#include <vector>

#include "puzzles/task.h"

namespace pintle {
inline namespace puzzles {

/// One state of the answer.
struct PictureFrame {
  Tokens cells;                   ///< task.cells() tokens; for the puzzle itself the inputs
  std::vector<float> confidence;  ///< how sure each cell is, 0..1; empty = everything sure
  std::string caption;            ///< under the panel, ASCII; cut where it gets too wide (about 3 letters a column)
  bool fresh = false;             ///< has nothing to do with the frame before: no cell of it has changed
};

/// What a picture is written as.
enum class PictureFormat { kSvg, kPng, kGif };

}  // namespace puzzles

/// The format by the end of a file name: .svg, .png or .gif; a usage error otherwise.
Result<PictureFormat> PictureFormatOf(const std::string& path);

/// Draws 1 to 256 frames. Cells equal to `inputs` (PAD and blanks apart) count as given. A cell that differs from the
/// frame before has a frame, unless the frame is fresh; the paler a coloured cell, or the darker the ground of a
/// symbol, the less sure. A frame of another size than the task's is a usage error.
Result<std::string> DrawFrames(const Task& task, const Tokens& inputs, const std::vector<PictureFrame>& frames,
                               PictureFormat format);

}  // namespace pintle
