// Files of puzzles, the same for all tasks but ARC: CSV with the header `puzzle,solution` (further columns are passed
// over), or bare puzzles, one a line or as grids with an empty line between. Whatever is read is checked: a puzzle must
// have exactly one answer, and a solution that stands beside it must be that answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "puzzles/task.h"

namespace pintle {

/// All puzzles of a text, with their answers. The error of the first bad puzzle names line and column.
Result<std::vector<Sample>> ReadPuzzles(const Task& task, std::string_view text, const std::string& where);
/// "puzzle,solution", and a puzzle as a line under it; both without line end.
std::string PuzzleHeader();
std::string PuzzleLine(const Task& task, const Sample& sample);

}  // namespace pintle
