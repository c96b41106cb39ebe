// The tape's own promises: gradients by finite difference through every op, sharing of memory, no allocation in a step.
#include "nn/tape.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <vector>

#include "base/rng.h"
#include "kernels/rope.h"
#include "nn/ops.h"

namespace {

std::atomic<int64_t> g_allocations{0};

}  // namespace

// Counts every operator new of this program.
void* operator new(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace pintle {
namespace {

constexpr int64_t kVocab = 23, kWidth = 32, kHeads = 2, kKvHeads = 1, kDim = 16, kFfn = 24;

// One block of a decoder, as small as the kernels allow.
struct SmallModel {
  ParameterRegistry registry;
  Parameter *table, *norm1, *q_gain, *k_gain, *o, *norm2, *down, *norm, *head;
  std::vector<Parameter*> qkv, gate_up;
  std::array<float, 64 * kDim / 2> cos{}, sin{};

  SmallModel() {
    const auto matrix = [](const char* name, int64_t rows, int64_t columns) -> ParameterRegistry::Declaration {
      return {name, {rows, columns}, ParameterGroup::kMatrix, true, true, false};
    };
    const auto gain = [&](const char* name, int64_t size) { return &registry.Declare({name, {size}}); };
    table = &registry.Declare(matrix("table", kVocab, kWidth));
    norm1 = gain("norm1", kWidth);
    qkv = registry.DeclareStacked({matrix("q", kHeads * kDim, kWidth), matrix("k", kKvHeads * kDim, kWidth),
                                   matrix("v", kKvHeads * kDim, kWidth)});
    q_gain = gain("q_gain", kDim);
    k_gain = gain("k_gain", kDim);
    o = &registry.Declare(matrix("o", kWidth, kHeads * kDim));
    norm2 = gain("norm2", kWidth);
    gate_up = registry.DeclareStacked({matrix("gate", kFfn, kWidth), matrix("up", kFfn, kWidth)});
    down = &registry.Declare(matrix("down", kWidth, kFfn));
    norm = gain("norm", kWidth);
    head = &registry.Declare(matrix("head", kVocab, kWidth));
    REQUIRE(registry.Allocate(true).ok());
    RandomStream random(2, Purpose::kTest, 0);
    for (Parameter& p : registry.all()) {
      for (float& w : p.weight.F32Span()) w = (p.shape.rank() == 1 ? 0.75f : -0.25f) + 0.5f * random.NextFloat();
    }
    std::array<double, kDim / 2> frequency{};
    kernels::RopeFrequencies(1e4, kDim, frequency.data());
    kernels::RopeTable(frequency.data(), kDim, 64, cos.data(), sin.data());
  }
};

struct SmallStep {
  std::vector<int32_t> ids, targets, documents, positions;
  Tape tape;
  double loss = 0;

  SmallStep(SmallModel& m, const TapeOptions& options, ThreadPool& pool) : tape(options, pool) {
    const Var tokens = tape.Input(), position = tape.Input(), document = tape.Input(), target = tape.Input();
    Var x = Embedding(tape, tokens, *m.table);
    tape.BeginBlock();
    const AttentionConfig attention = {kHeads, kKvHeads, kDim, 1e-6, m.cos.data(), m.sin.data()};
    const Var qkv = Linear(tape, RmsNorm(tape, x, *m.norm1, 1e-6), m.qkv);
    const Var o = Attention(tape, qkv, attention, m.q_gain, m.k_gain, position, document);
    x = Linear(tape, o, {&m.o, 1}, x);
    const Var act = SwiGlu(tape, Linear(tape, RmsNorm(tape, x, *m.norm2, 1e-6), m.gate_up));
    x = Linear(tape, act, {&m.down, 1}, x);
    tape.EndBlock();
    HeadLoss(tape, RmsNorm(tape, x, *m.norm, 1e-6), *m.head, target);
    REQUIRE(tape.Plan().ok());
    RandomStream random(4, Purpose::kTest, 0);
    for (int64_t i = 0; i < tape.max_rows(); ++i) {
      ids.push_back(static_cast<int32_t>(random.NextBelow(kVocab)));
      targets.push_back(i % 5 == 4 ? -100 : static_cast<int32_t>(random.NextBelow(kVocab)));
      documents.push_back(i % options.time < 7 ? 0 : 1);
      positions.push_back(static_cast<int32_t>(i % options.time % 7));
    }
    tape.Bind(tokens, ids.data());
    tape.Bind(position, positions.data());
    tape.Bind(document, documents.data());
    tape.Bind(target, targets.data());
    tape.loss_sum = &loss;
    tape.set_gradient_scale(1);
  }
  double Forward() {
    loss = 0;
    tape.Forward(tape.max_rows());
    return loss;
  }
};

TapeOptions Training(DType dtype, bool recompute = false) {
  TapeOptions options;
  options.dtype = dtype;
  options.training = true;
  options.recompute = recompute;
  options.batch = 2;
  options.time = 12;
  return options;
}

}  // namespace

TEST_CASE("every parameter's gradient is the loss's slope") {
  ThreadPool pool(2);
  SmallModel model;
  SmallStep step(model, Training(DType::kF32), pool);
  step.Forward();
  step.tape.Backward();
  // The head adds to its gradient in the forward pass already, so the probes below must not look at the live one.
  std::vector<std::vector<float>> gradients;
  for (const Parameter& p : model.registry.all()) {
    gradients.emplace_back(p.gradient.F32Span().begin(), p.gradient.F32Span().end());
  }
  size_t index = 0;
  for (Parameter& p : model.registry.all()) {
    CAPTURE(p.name);
    const std::vector<float>& gradient = gradients[index++];
    // Along the gradient itself the slope is its length: one difference a parameter is enough to see any error.
    double squares = 0;
    for (const float g : gradient) squares += double{g} * g;
    const double length = std::sqrt(squares);
    REQUIRE(length > 1e-3);
    const double reach = 1e-2 / std::max(1.0, length);
    const std::vector<float> weights(p.weight.F32Span().begin(), p.weight.F32Span().end());
    const auto shifted = [&](double by) {
      for (size_t i = 0; i < weights.size(); ++i) {
        const double direction = double{gradient[i]} / length;
        p.weight.f32()[i] = static_cast<float>(double{weights[i]} + by * direction);
      }
      return step.Forward();
    };
    const double slope = (shifted(reach) - shifted(-reach)) / (2 * reach);
    std::copy(weights.begin(), weights.end(), p.weight.f32());
    CHECK(slope == doctest::Approx(length).epsilon(0.01));
  }
}

TEST_CASE("bf16 stays close to fp32, and recomputation gives the same bits") {
  ThreadPool pool(2);
  SmallModel exact, rounded, again;
  rounded.registry.RefreshBF16(pool);
  again.registry.RefreshBF16(pool);
  SmallStep a(exact, Training(DType::kF32), pool), b(rounded, Training(DType::kBF16), pool),
      c(again, Training(DType::kBF16, true), pool);
  const double loss = a.Forward();
  CHECK(b.Forward() == doctest::Approx(loss).epsilon(0.02));
  CHECK(c.Forward() == b.loss);
  a.tape.Backward();
  b.tape.Backward();
  c.tape.Backward();
  for (size_t i = 0; i < exact.registry.all().size(); ++i) {
    const auto x = exact.registry.all()[i].gradient.F32Span();
    const auto y = rounded.registry.all()[i].gradient.F32Span();
    const auto z = again.registry.all()[i].gradient.F32Span();
    CAPTURE(exact.registry.all()[i].name);
    CHECK(std::equal(y.begin(), y.end(), z.begin()));
    double dot = 0, xx = 0, yy = 0;
    for (size_t j = 0; j < x.size(); ++j) {
      dot += double{x[j]} * y[j];
      xx += double{x[j]} * x[j];
      yy += double{y[j]} * y[j];
    }
    CHECK(dot / std::sqrt(xx * yy) > 0.995);
  }
}

TEST_CASE("a second step allocates nothing") {
  ThreadPool pool(2);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    SmallModel model;
    SmallStep step(model, Training(dtype, dtype == DType::kBF16), pool);
    step.Forward();
    step.tape.Backward();
    const int64_t before = g_allocations.load();
    step.Forward();
    step.tape.Backward();
    CHECK(g_allocations.load() == before);
  }
}

TEST_CASE("a tape without training keeps less") {
  ThreadPool pool(1);
  SmallModel model;
  TapeOptions options = Training(DType::kF32);
  options.batch = 1024;
  SmallStep training(model, options, pool);
  options.training = false;
  SmallStep scoring(model, options, pool);
  CHECK(5 * scoring.tape.memory_bytes() < 3 * training.tape.memory_bytes());
  CHECK(training.Forward() == scoring.Forward());
}

}  // namespace pintle
