// Recursive models as solvers for a node (serve/puzzle): the task's own checks and checker, the model's steps. Here
// because serving and evaluating are stages that do not see each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/puzzle/puzzle_node.h"

namespace pintle {

/// The models of `folders`, named as their folders are. All of them use one pool of `threads` threads.
Result<std::vector<std::unique_ptr<PuzzleSolver>>> LoadPuzzleSolvers(const std::vector<std::string>& folders,
                                                                     int threads);
/// Folders of the shipped ones, sorted by name.
Result<std::vector<std::string>> ShippedPuzzleModels();

}  // namespace pintle
