// Which puzzles may be trained on: a puzzle and all its symmetric twins lie on one side, for every file and for every
// generator, so that a test puzzle is new to the model even up to symmetry. Not compiled to WASM (SHA-256 is
// OpenSSL's).
#pragma once

#include <cstdint>

#include "puzzles/task.h"

namespace pintle {
inline namespace puzzles {

/// kTest: the SHA-256 of the canonical form, read as one big-endian number, is 0 modulo 10. kTrain: all others.
enum class Split { kAll, kTrain, kTest };

}  // namespace puzzles

/// "all", "train" or "test"; a usage error otherwise.
Result<Split> SplitOf(const std::string& name);
/// Whether a puzzle belongs to the split.
bool InSplit(const Task& task, const Tokens& inputs, Split split);
/// Puzzle `index` of `seed` within a split: draws from the stream of (seed, index) until one belongs. With kAll the
/// same as Task::Generate. The task must have puzzles on both sides; after 10,000 draws it is a runtime error that
/// hints at a longer or larger puzzle.
Result<Sample> GenerateInSplit(const Task& task, uint64_t seed, uint64_t index, Split split);

}  // namespace pintle
