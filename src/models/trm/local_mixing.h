// What the mixing kLocal moves between positions: every cell gets the rows of the cells above, below, left and right of
// it (zeros beyond the edge) and that of the first prefix position, and every prefix position the largest value that
// any cell has, channel by channel ("is any cell still unsure?"). Side by side these are the 5 D inputs of one matrix.
// No weight belongs to a position, so what is learned about a neighbour holds everywhere on the grid. Not here: the
// matmul and the norm (layer.cc). Not of the published model.
#pragma once

#include <cstdint>

#include "models/trm/layer.h"

namespace pintle {

/// x [L, c, D] -> out [L, c, 5 D], both in the model's dtype and apart from each other. `largest` [c, D], unless null:
/// the cell that a prefix position's value comes from, the first of equals.
void GatherNeighbours(const TrmLayerContext& context, const Operand& x, const Operand& out, int32_t* largest);

/// The way back: dz [L, c, D] = d_sum [L, c, D] + what d_gathered [L, c, 5 D] sends to each row. Every element is one
/// chain: d_sum, then up, down, left, right as seen from the row, then the prefix positions; at prefix position 0 all
/// cells in order.
void NeighbourGradients(const TrmLayerContext& context, const float* d_gathered, const int32_t* largest,
                        const float* d_sum, float* dz);

}  // namespace pintle
