// The makers behind MakeTask, one for each family of puzzles. For task.cc and the tests; all others use task.h.
#pragma once

#include <memory>
#include <string>

#include "puzzles/task.h"

namespace pintle {

using MadeTask = Result<std::unique_ptr<Task>>;

/// copy, reverse, sort, parity, majority, selective_copy (pattern.cc).
MadeTask MakePatternTask(const std::string& name, const TaskOptions& options);
/// sudoku4, sudoku6, sudoku9, sudoku16 (sudoku.cc).
MadeTask MakeSudokuTask(const std::string& name, const TaskOptions& options);
/// mazeN (maze.cc).
MadeTask MakeMazeTask(const std::string& name, const TaskOptions& options);
/// arc (arc_file.cc).
MadeTask MakeArcTask(const std::string& name, const TaskOptions& options);

}  // namespace pintle
