// The order of rows inside a group of puzzles: position by position, the group's puzzles side by side. Carries and
// answers have puzzles one after the other; these are the ways in and out.
#pragma once

#include <cstdint>

#include "models/trm/recursion.h"

namespace pintle {

/// `count` puzzles of `length` rows of `width` floats.
struct GroupRows {
  int64_t count, length, width;

  /// [count, length, width] -> [length, count, width].
  void Gather(const float* natural, float* grouped) const;
  /// The way back.
  void Scatter(const float* grouped, float* natural) const;
};

/// e [L, count, D] of slots [first, first + count): scale * (puzzle embedding | zeros | embed_tokens[inputs]).
void EmbedGroup(const TrmConfig& config, const TrmWeights& weights, float scale, const TrmBatch& batch, int64_t first,
                const GroupRows& rows, float* e);

}  // namespace pintle
