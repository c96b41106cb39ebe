// The Tiny Recursive Model's configuration: the shape of the network, how often it recurs, and its arithmetic. Shape
// letters: S cells, P prefix positions, L = P + S positions, D width, V vocab, T H-cycles, n L-cycles, B slots. The
// presets of tasks do not stand here (they belong to the stage that trains).
// Source: Jolicoeur-Martineau 2025, "Less is More: Recursive Reasoning with Tiny Networks"; its published code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kernels/matmul.h"
#include "tensor/dtype.h"

namespace pintle {

/// How positions exchange information.
enum class TrmMixing : uint8_t {
  kMlpT,       ///< a SwiGLU over the positions, one for all channels (fixed length, no positions needed)
  kAttention,  ///< self-attention, every position sees every other
  kLocal,      ///< a cell sees the four cells beside it; not in the reference (local_mixing.h)
};

/// Rows that one position takes from others in kLocal: above, below, left, right, and one that comes from far.
inline constexpr int64_t kTrmNeighbours = 5;

/// What attention knows about positions; the other mixings take kNone.
enum class TrmPositions : uint8_t {
  kNone,
  kRope,    ///< rotation by the flat index, prefix included, base 10000 (the reference's)
  kRope2d,  ///< half of each head rotates by the row, half by the column of the grid; prefix positions do not rotate
};

/// Everything that determines the network and its arithmetic. The recursion depth (h_cycles, l_cycles) can be changed
/// later: no weight depends on it.
struct TrmConfig {
  int64_t cells = 0;                             ///< S
  int64_t vocab = 0;                             ///< V
  int64_t prefix = 1;                            ///< P >= 1; position 0 carries the puzzle's embedding
  int64_t width = 128;                           ///< D, a multiple of 16
  int64_t layers = 2;                            ///< of the one network
  TrmMixing mixing = TrmMixing::kMlpT;           ///< of all layers
  TrmPositions positions = TrmPositions::kNone;  ///< of attention
  int64_t heads = 4;                             ///< of attention; D / heads is even (a multiple of 4 for kRope2d)
  int64_t rows = 0, columns = 0;                 ///< of the grid, for kRope2d and kLocal: rows * columns = S
  int64_t h_cycles = 2;                          ///< T: T - 1 cycles without gradient, then one with
  int64_t l_cycles = 2;                          ///< n: evaluations of z_L before each one of z_H
  int64_t inner_rounding = 32;                   ///< inner widths are rounded up to a multiple of this (reference: 256)
  int64_t halt_max_steps = 16;                   ///< supervision steps after which a slot takes a new puzzle
  int64_t puzzle_ids = 1;                        ///< rows of the puzzle embedding
  DType dtype = DType::kBF16;                    ///< of matmul inputs: kBF16 or kF32
  kernels::Profile profile = kernels::Profile::kMuladd;  ///< of fp32 matmuls; kMuladd gives the same bits everywhere

  [[nodiscard]] int64_t positions_count() const { return prefix + cells; }  ///< L
  /// Inner width of a SwiGLU over x channels: round(4 x 2 / 3), rounded up to inner_rounding.
  [[nodiscard]] int64_t Inner(int64_t x) const;
};

/// Weights and network extents above these are refused everywhere.
inline constexpr int64_t kTrmMaxParameters = 200'000'000;

/// The shape of the published model for `config`'s cells and vocabulary: P = 16 and inner widths rounded to 256, so
/// that published checkpoints fit. The other choices (mixing, depth) stay as they are.
TrmConfig ReferenceShape(TrmConfig config);

/// Exact number of trained weights, puzzle embeddings and fixed initial states left out (as the paper counts).
int64_t TrmParameterCount(const TrmConfig& config);
/// Floating-point operations of the matmuls of one evaluation of the network for one puzzle; a supervision step is
/// T (n + 1) evaluations, a training step of one slot T (n + 1) + 2 (n + 1).
double TrmFlopsPerEvaluation(const TrmConfig& config);
/// Every extent within its bounds and fitting the others.
Status ValidateTrmConfig(const TrmConfig& config, const std::string& where);

/// config.json of a model folder: the reference's key names where it has them, ours otherwise. Same bytes for the same
/// config.
std::string TrmConfigJson(const TrmConfig& config);
/// Reads it back, validated; unknown keys are ignored.
Result<TrmConfig> ParseTrmConfig(std::string_view json, const std::string& where);

}  // namespace pintle
