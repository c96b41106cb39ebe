#include "models/trm/local_mixing.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/trm/recursion.h"

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
    config.mixing = TrmMixing::kLocal;
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

TEST_CASE("the loss falls along the gradient as fast as the gradient says, for every weight of a local model") {
  // One cycle, so that the gradient is the whole derivative.
  constexpr int64_t kSlots = 5;
  Fixture f;
  f.config.width = 16;
  f.config.vocab = 4;
  f.config.h_cycles = 1;
  f.config.inner_rounding = 8;
  const auto model = Trm::Create(f.config, true, f.pool);
  REQUIRE(model.ok());
  (*model)->Init(4);
  ParameterRegistry& registry = (*model)->parameters();
  ParameterRegistry unused;
  TrmWeights weights = DeclareTrm(f.config, unused);
  for (int i = 0; i < 16; ++i) weights.h_init[static_cast<size_t>(i)] = weights.l_init[static_cast<size_t>(i)] = 0.5f;
  weights.embed_tokens = registry.Find("embed_tokens.embedding_weight");
  weights.lm_head = registry.Find("lm_head.weight");
  weights.q_head_weight = registry.Find("q_head.weight");
  weights.q_head_bias = registry.Find("q_head.bias");
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    const std::string layer = "L_level.layers." + std::to_string(i) + ".";
    weights.layers[i] = {nullptr, registry.Find(layer + "local.proj.weight"),
                         registry.Find(layer + "mlp.gate_up_proj.weight"),
                         registry.Find(layer + "mlp.down_proj.weight")};
  }
  const auto recursion = TrmRecursion::Create(f.config, weights, kSlots, false, f.pool);
  REQUIRE(recursion.ok());
  TrmBatch batch;
  batch.slots = kSlots;
  for (int64_t i = 0; i < kSlots * 6; ++i) {
    batch.inputs.push_back(static_cast<int32_t>(i * 7 % 4));
    batch.labels.push_back(static_cast<int32_t>(i * 5 % 3 + 1));
  }
  batch.puzzle_ids.assign(kSlots, 0);
  const auto loss = [&] {
    TrmCarry carry = (*model)->NewCarry(kSlots);
    TrmAnswer answer;
    std::vector<TrmSlotScore> scores;
    std::vector<float> puzzles;
    registry.ZeroGradients(f.pool);
    (*recursion)->ForwardBackward(batch, 1, carry, answer, scores, puzzles);
    double sum = 0;
    for (const TrmSlotScore& score : scores) sum += score.lm_loss + 0.5 * score.q_loss;
    return sum;
  };
  for (Parameter& parameter : registry.all()) {
    CAPTURE(parameter.name);
    loss();
    const std::vector<float> gradient(parameter.gradient.f32(), parameter.gradient.f32() + parameter.gradient.count());
    double norm = 0;
    for (const float g : gradient) norm += static_cast<double>(g) * static_cast<double>(g);
    norm = std::sqrt(norm);
    const auto move = [&](double by) {
      for (size_t i = 0; i < gradient.size(); ++i)
        parameter.weight.f32()[i] += static_cast<float>(by * gradient[i] / norm);
    };
    constexpr double kStep = 5e-3;
    move(kStep);
    const double above = loss();
    move(-2 * kStep);
    const double below = loss();
    move(kStep);
    CHECK((above - below) / (2 * kStep) == doctest::Approx(norm).epsilon(0.02));
  }
}

}  // namespace pintle
