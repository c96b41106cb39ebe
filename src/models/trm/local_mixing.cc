#include "models/trm/local_mixing.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "kernels/matmul_scalar.h"

namespace pintle {
namespace {

using kernels::bf16;

constexpr int64_t kFar = kTrmNeighbours - 1;  // the place of the row that comes from far

float FloatOf(float value) { return value; }
float FloatOf(bf16 value) { return kernels::FloatFromBits(static_cast<uint32_t>(value) << 16); }

// Positions and their neighbours on the grid.
struct Grid {
  int64_t prefix, rows, columns;

  explicit Grid(const TrmConfig& config) : prefix(config.prefix), rows(config.rows), columns(config.columns) {}

  // The positions above, below, left and right of a cell; -1 beyond the edge.
  [[nodiscard]] std::array<int64_t, 4> Around(int64_t cell) const {
    const int64_t row = cell / columns, column = cell % columns, at = prefix + cell;
    return {row > 0 ? at - columns : -1, row + 1 < rows ? at + columns : -1, column > 0 ? at - 1 : -1,
            column + 1 < columns ? at + 1 : -1};
  }
};

template <typename T>
void Gather(const TrmLayerContext& context, const T* x, T* out, int32_t* largest) {
  const TrmConfig& config = *context.config;
  const Grid grid(config);
  const int64_t width = config.width, samples = context.samples, wide = kTrmNeighbours * width;
  const auto bytes = static_cast<size_t>(width) * sizeof(T);
  for (int64_t cell = 0; cell < config.cells; ++cell) {
    const std::array<int64_t, 4> around = grid.Around(cell);
    T* row = out + (grid.prefix + cell) * samples * wide;
    for (int64_t i = 0; i < samples; ++i, row += wide) {
      for (size_t side = 0; side < around.size(); ++side) {
        T* to = row + static_cast<int64_t>(side) * width;
        if (around[side] < 0) {
          std::fill_n(to, width, T{0});
        } else {
          std::memcpy(to, x + (around[side] * samples + i) * width, bytes);
        }
      }
      std::memcpy(row + kFar * width, x + i * width, bytes);
    }
  }
  std::vector<int32_t> best(static_cast<size_t>(width));
  for (int64_t i = 0; i < samples; ++i) {
    T* first = out + i * wide;
    std::fill_n(first, wide, T{0});
    T* most = first + kFar * width;
    std::memcpy(most, x + (grid.prefix * samples + i) * width, bytes);
    std::fill(best.begin(), best.end(), 0);
    for (int64_t cell = 1; cell < config.cells; ++cell) {
      const T* from = x + ((grid.prefix + cell) * samples + i) * width;
      for (int64_t d = 0; d < width; ++d) {
        if (!(FloatOf(from[d]) > FloatOf(most[d]))) continue;
        most[d] = from[d];
        best[static_cast<size_t>(d)] = static_cast<int32_t>(cell);
      }
    }
    for (int64_t p = 1; p < grid.prefix; ++p) {
      std::memcpy(first + p * samples * wide, first, static_cast<size_t>(wide) * sizeof(T));
    }
    if (largest != nullptr) std::copy(best.begin(), best.end(), largest + i * width);
  }
}

void AddTo(float* to, const float* from, int64_t count) {
  for (int64_t d = 0; d < count; ++d) to[d] = to[d] + from[d];
}

}  // namespace

void GatherNeighbours(const TrmLayerContext& context, const Operand& x, const Operand& out, int32_t* largest) {
  if (context.bf16()) {
    Gather(context, x.b16, out.b16, largest);
  } else {
    Gather(context, x.f32, out.f32, largest);
  }
}

void NeighbourGradients(const TrmLayerContext& context, const float* d_gathered, const int32_t* largest,
                        const float* d_sum, float* dz) {
  const TrmConfig& config = *context.config;
  const Grid grid(config);
  const int64_t width = config.width, samples = context.samples, wide = kTrmNeighbours * width;
  const auto sent = [&](int64_t position, int64_t sample, int64_t side) {
    return d_gathered + (position * samples + sample) * wide + side * width;
  };
  std::memcpy(dz, d_sum, static_cast<size_t>(context.rows() * width) * sizeof(float));
  for (int64_t cell = 0; cell < config.cells; ++cell) {
    const std::array<int64_t, 4> around = grid.Around(cell);
    for (int64_t i = 0; i < samples; ++i) {
      float* to = dz + ((grid.prefix + cell) * samples + i) * width;
      // The cell above has this one below it, and so on: sides change places in pairs.
      for (int64_t side = 0; side < 4; ++side) {
        const int64_t other = around[static_cast<size_t>(side)];
        if (other >= 0) AddTo(to, sent(other, i, side ^ 1), width);
      }
      AddTo(dz + i * width, sent(grid.prefix + cell, i, kFar), width);
    }
  }
  for (int64_t p = 0; p < grid.prefix; ++p) {
    for (int64_t i = 0; i < samples; ++i) {
      const float* from = sent(p, i, kFar);
      for (int64_t d = 0; d < width; ++d) {
        float* to = dz + ((grid.prefix + largest[i * width + d]) * samples + i) * width + d;
        *to = *to + from[d];
      }
    }
  }
}

}  // namespace pintle
