#include "nn/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace pintle {
namespace {

// One block matrix, one table with two gradients, one gain.
struct Model {
  ParameterRegistry registry;
  Parameter *matrix, *table, *gain;

  explicit Model(ThreadPool& pool, bool bf16 = false) {
    table = &registry.Declare({"table", {10, 6}, ParameterGroup::kOther, true, bf16, true});
    matrix = &registry.Declare({"matrix", {8, 6}, ParameterGroup::kMatrix, true, bf16, false});
    gain = &registry.Declare({"gain", {6}, ParameterGroup::kOther, false, false, false});
    REQUIRE(registry.Allocate(true).ok());
    RandomStream random(1, Purpose::kTest, 0);
    for (Parameter& p : registry.all()) {
      for (float& w : p.weight.F32Span()) w = random.NextFloat() - 0.5f;
      for (float& g : p.gradient.F32Span()) g = random.NextFloat() - 0.5f;
    }
    for (float& g : table->second_gradient.F32Span()) g = random.NextFloat() - 0.5f;
    registry.RefreshBF16(pool);
  }
};

}  // namespace

TEST_CASE("AdamW follows its definition, clipped, with decay on matrices only") {
  ThreadPool pool(2);
  Model model(pool);
  struct Expected {
    std::vector<double> w, g;
    bool decay;
  };
  std::vector<Expected> expected;
  double squares = 0;
  for (const Parameter& p : model.registry.all()) {
    Expected e{{}, {}, p.weight_decay};
    for (int64_t i = 0; i < p.shape.Count(); ++i) {
      e.w.push_back(p.weight.f32()[i]);
      e.g.push_back(p.gradient.f32()[i] + (p.second_gradient.empty() ? 0.0 : double{p.second_gradient.f32()[i]}));
      squares += e.g.back() * e.g.back();
    }
    expected.push_back(std::move(e));
  }
  OptimizerOptions options;
  options.learning_rate = 0.01;
  auto optimizer = Optimizer::Create(options, model.registry, pool);
  REQUIRE(optimizer.ok());
  const double norm = (*optimizer)->GradientNorm();
  CHECK(norm == doctest::Approx(std::sqrt(squares)).epsilon(1e-6));
  CHECK(norm > 1);  // so that clipping is at work
  (*optimizer)->Step(0.5);
  CHECK((*optimizer)->step() == 1);

  size_t index = 0;
  for (const Parameter& p : model.registry.all()) {
    const Expected& e = expected[index++];
    for (size_t i = 0; i < e.w.size(); ++i) {
      const double g = e.g[i] / norm;  // after one step m and v corrected are g and g * g
      const double want = e.w[i] * (1 - 0.005 * (e.decay ? 0.1 : 0)) - 0.005 * g / (std::fabs(g) + 1e-8);
      CHECK(double{p.weight.f32()[i]} == doctest::Approx(want).epsilon(1e-5));
    }
  }
}

TEST_CASE("Muon takes the block matrices, AdamW the rest; copies and averages follow") {
  ThreadPool pool(2);
  Model model(pool, true);
  OptimizerOptions options;
  options.kind = OptimizerKind::kMuon;
  options.ema_decay = 0.75;
  auto created = Optimizer::Create(options, model.registry, pool);
  REQUIRE(created.ok());
  Optimizer& optimizer = **created;
  std::vector<std::string> names;
  for (const NamedTensor& state : optimizer.State()) names.push_back(state.name);
  CHECK(names == std::vector<std::string>{"adamw_m/table", "adamw_v/table", "ema/table", "muon_m/matrix", "ema/matrix",
                                          "adamw_m/gain", "adamw_v/gain", "ema/gain"});

  const std::vector<float> before(model.matrix->weight.F32Span().begin(), model.matrix->weight.F32Span().end());
  optimizer.GradientNorm();
  optimizer.Step(1.0);
  // The update is nearly orthogonal: all six singular values near 1, so its squares sum to about six times the rate
  // squared (and the rate is scaled by sqrt(8 / 6)).
  double squares = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const double change = double{model.matrix->weight.f32()[i]} - double{before[i]};
    squares += change * change;
  }
  const double rate = options.muon_learning_rate * std::sqrt(8.0 / 6.0);
  CHECK(std::sqrt(squares / 6) / rate == doctest::Approx(0.95).epsilon(0.25));
  for (int64_t i = 0; i < model.matrix->shape.Count(); ++i) {
    const uint32_t bits = uint32_t{model.matrix->weight_bf16.bf16()[i]} << 16;
    float copy = 0;
    static_assert(sizeof copy == sizeof bits);
    __builtin_memcpy(&copy, &bits, sizeof copy);
    CHECK(copy == doctest::Approx(model.matrix->weight.f32()[i]).epsilon(0.01));
  }

  const float weight = model.matrix->weight.f32()[3];
  optimizer.SwapEma();
  CHECK(model.matrix->weight.f32()[3] == doctest::Approx(0.75 * before[3] + 0.25 * weight).epsilon(1e-5));
  optimizer.SwapEma();
  CHECK(model.matrix->weight.f32()[3] == weight);
}

TEST_CASE("a restored state continues with the same bits") {
  ThreadPool pool(1);
  OptimizerOptions options;
  options.kind = OptimizerKind::kMuon;
  Model straight(pool), resumed(pool);
  auto a = Optimizer::Create(options, straight.registry, pool);
  auto b = Optimizer::Create(options, resumed.registry, pool);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  // The second gradient has been combined into the first by the first step; from then on it is zero.
  const auto step = [](Model& model, Optimizer& optimizer) {
    optimizer.GradientNorm();
    optimizer.Step(1.0);
    for (float& g : model.table->second_gradient.F32Span()) g = 0;
  };
  for (int i = 0; i < 4; ++i) step(straight, **a);
  for (int i = 0; i < 2; ++i) step(resumed, **b);
  auto c = Optimizer::Create(options, resumed.registry, pool);
  REQUIRE(c.ok());
  const auto from = (*b)->State(), to = (*c)->State();
  for (size_t i = 0; i < from.size(); ++i) {
    CHECK(from[i].name == to[i].name);
    std::copy_n(from[i].tensor.f32(), from[i].tensor.count(), to[i].tensor.f32());
  }
  (*c)->set_step((*b)->step());
  for (int i = 0; i < 2; ++i) step(resumed, **c);
  for (size_t i = 0; i < straight.registry.all().size(); ++i) {
    const auto x = straight.registry.all()[i].weight.F32Span(), y = resumed.registry.all()[i].weight.F32Span();
    CHECK(std::equal(x.begin(), x.end(), y.begin()));
  }
}

TEST_CASE("a norm that is not finite is seen before anything changes") {
  ThreadPool pool(1);
  Model model(pool);
  model.gain->gradient.f32()[2] = INFINITY;
  auto optimizer = Optimizer::Create({}, model.registry, pool);
  REQUIRE(optimizer.ok());
  CHECK_FALSE(std::isfinite((*optimizer)->GradientNorm()));
  CHECK((*optimizer)->step() == 0);
}

}  // namespace pintle
