// The part of `pintle demo` in which the recursive model solves a puzzle. Its own file because tasks of puzzles and
// tasks for the compiler (demo.cc) share names.
#pragma once

#include "base/result.h"
#include "cli/command.h"

namespace pintle {

/// Prints a Sudoku and the answer of the shipped model after each step, side by side, and the checker's verdict.
Status DemoPuzzle(const Global& global);

}  // namespace pintle
