#include "models/trm/local_mixing.h"

#include <doctest/doctest.h>

#include <numeric>

namespace pintle {
namespace {

// Two puzzles of 2 x 3 cells behind two prefix positions, two channels.
struct Fixture {
  TrmConfig config;
  ThreadPool pool{1};
  TrmLayerContext context{&config, 2, nullptr, nullptr, nullptr, &pool};
  std::vector<float> x;

  Fixture() {
    config.cells = 6;
    config.rows = 2;
    config.columns = 3;
    config.prefix = 2;
    config.width = 2;
    config.dtype = DType::kF32;
    for (int i = 0; i < 8 * 2 * 2; ++i) x.push_back(static_cast<float>((i * 7) % 32 + 1));
  }
  [[nodiscard]] size_t At(int64_t position, int64_t sample) const {
    return static_cast<size_t>((position * 2 + sample) * 2);
  }
};

}  // namespace

TEST_CASE("a cell takes the rows beside it, and nothing from beyond the edge") {
  Fixture f;
  std::vector<float> out(f.x.size() * kTrmNeighbours, -1);
  std::vector<int32_t> largest(4, -1);
  GatherNeighbours(f.context, {f.x.data(), nullptr}, {out.data(), nullptr}, largest.data());
  const auto is = [&](int64_t position, int64_t sample, int64_t side, int64_t from) {
    for (size_t d = 0; d < 2; ++d) {
      const float wanted = from < 0 ? 0 : f.x[f.At(from, sample) + d];
      CHECK(out[f.At(position, sample) * kTrmNeighbours + static_cast<size_t>(side) * 2 + d] == wanted);
    }
  };
  for (int64_t sample = 0; sample < 2; ++sample) {
    // Cell 1 (above, middle) stands at position 3, cell 5 (the last) at position 7.
    const int64_t first[] = {-1, 6, 2, 4, 0}, last[] = {4, -1, 6, -1, 0};
    for (int64_t side = 0; side < kTrmNeighbours; ++side) {
      is(3, sample, side, first[side]);
      is(7, sample, side, last[side]);
    }
    for (int64_t prefix = 0; prefix < 2; ++prefix) {
      for (int64_t side = 0; side < 4; ++side) is(prefix, sample, side, -1);
      for (size_t d = 0; d < 2; ++d) {
        float most = 0;
        for (int64_t cell = 0; cell < 6; ++cell) most = std::max(most, f.x[f.At(2 + cell, sample) + d]);
        CHECK(out[f.At(prefix, sample) * kTrmNeighbours + 8 + d] == most);
        CHECK(f.x[f.At(2 + largest[static_cast<size_t>(sample) * 2 + d], sample) + d] == most);
      }
    }
  }
}

TEST_CASE("the gradient is the transpose of the gathering") {
  // <gather(x + h), g> - <gather(x), g> = <h, gradient(g)> as long as h changes no largest cell; whole numbers, so
  // exact.
  Fixture f;
  const size_t wide = f.x.size() * kTrmNeighbours;
  std::vector<float> g(wide), before(wide), after(wide), zero(f.x.size(), 0), dz(f.x.size());
  for (size_t i = 0; i < wide; ++i) g[i] = static_cast<float>((i * 5) % 13) - 6;
  std::vector<int32_t> largest(4);
  GatherNeighbours(f.context, {f.x.data(), nullptr}, {before.data(), nullptr}, largest.data());
  NeighbourGradients(f.context, g.data(), largest.data(), zero.data(), dz.data());
  for (size_t i = 0; i < f.x.size(); ++i) {
    std::vector<float> moved = f.x;
    moved[i] += 0.5f;
    GatherNeighbours(f.context, {moved.data(), nullptr}, {after.data(), nullptr}, nullptr);
    float change = 0;
    for (size_t j = 0; j < wide; ++j) change += (after[j] - before[j]) * g[j];
    CHECK(change == 0.5f * dz[i]);
  }
  std::vector<float> sum(f.x.size(), 3), with(f.x.size());
  NeighbourGradients(f.context, g.data(), largest.data(), sum.data(), with.data());
  for (size_t i = 0; i < with.size(); ++i) CHECK(with[i] == dz[i] + 3);
}

}  // namespace pintle
