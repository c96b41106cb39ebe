#include "models/trm/solve.h"

#include <doctest/doctest.h>

#include "base/interrupt.h"

namespace pintle {
namespace {

std::unique_ptr<Trm> SmallModel(ThreadPool& pool, double halting_bias) {
  TrmConfig config;
  config.cells = 6;
  config.vocab = 5;
  config.width = 16;
  auto model = Trm::Create(config, false, pool);
  REQUIRE(model.ok());
  (*model)->Init(3);
  Parameter* bias = (*model)->parameters().Find("q_head.bias");
  Parameter* weight = (*model)->parameters().Find("q_head.weight");
  REQUIRE(bias != nullptr);
  REQUIRE(weight != nullptr);
  bias->weight.f32()[0] = static_cast<float>(halting_bias);
  // The halting logit shall depend on the puzzle and the step.
  for (int64_t i = 0; i < config.width; ++i) weight->weight.f32()[i] = i % 2 == 0 ? 0.5F : -0.5F;
  (*model)->WeightsChanged();
  return std::move(*model);
}

TrmBatch Puzzles(int64_t count) {
  TrmBatch batch;
  for (int32_t p = 0; p < count; ++p) {
    std::vector<int32_t> inputs(6);
    for (int32_t i = 0; i < 6; ++i) inputs[static_cast<size_t>(i)] = (p * 7 + i * i) % 5;
    AppendPuzzle(batch, inputs, inputs, 0, 0);
  }
  return batch;
}

void CheckEqual(const std::vector<TrmSolution>& a, const std::vector<TrmSolution>& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].answer == b[i].answer);
    CHECK(a[i].q == b[i].q);
    CHECK(a[i].steps == b[i].steps);
    CHECK(a[i].content_step == b[i].content_step);
    CHECK(a[i].sample == b[i].sample);
  }
}

TEST_CASE("trm solve: batch, threads and neighbours do not show") {
  ThreadPool one(1), three(3);
  const TrmBatch puzzles = Puzzles(9);
  for (const int64_t samples : {1, 3}) {
    for (const bool early : {false, true}) {
      TrmSolveOptions options;
      options.depth = 5;
      options.early_stop = early;
      options.samples = samples;
      const auto plain = SolveTrm(*SmallModel(one, 0), puzzles, options);
      options.batch = 2;
      const auto cut = SolveTrm(*SmallModel(three, 0), puzzles, options);
      REQUIRE(plain.ok());
      REQUIRE(cut.ok());
      CheckEqual(*plain, *cut);
    }
  }
}

TEST_CASE("trm solve: early stop gives the answer of the first step with q > 0") {
  ThreadPool pool(2);
  const TrmBatch puzzles = Puzzles(8);
  const auto model = SmallModel(pool, 0);
  TrmSolveOptions options;
  options.depth = 6;
  std::vector<int64_t> first(8, 0);
  std::vector<std::vector<int32_t>> answers(8);
  const auto full = SolveTrm(*model, puzzles, options, [&](const TrmProgressView& view) {
    const auto p = static_cast<size_t>(view.puzzle);
    if (first[p] == 0 && (view.q > 0 || view.step == 6)) {
      first[p] = view.step;
      answers[p].assign(view.answer.begin(), view.answer.end());
    }
  });
  options.early_stop = true;
  const auto early = SolveTrm(*model, puzzles, options);
  REQUIRE(full.ok());
  REQUIRE(early.ok());
  int stopped = 0;
  for (size_t p = 0; p < 8; ++p) {
    CHECK((*full)[p].steps == 6);
    CHECK((*early)[p].steps == first[p]);
    CHECK((*early)[p].answer == answers[p]);
    CHECK((*early)[p].content_step == (*full)[p].content_step);
    stopped += first[p] < 6 ? 1 : 0;
  }
  CHECK(stopped > 0);
}

TEST_CASE("trm solve: of several samples the one with the largest q is kept, and more never lower it") {
  ThreadPool pool(2);
  const auto model = SmallModel(pool, -3);
  const TrmBatch puzzles = Puzzles(3);
  TrmSolveOptions options;
  options.depth = 3;
  options.noise = 2;
  std::vector<float> best(3, -1e9F);
  bool noisy_won = false;
  for (const int64_t samples : {1, 2, 8}) {
    options.samples = samples;
    const auto solved = SolveTrm(*model, puzzles, options);
    REQUIRE(solved.ok());
    for (size_t p = 0; p < 3; ++p) {
      CHECK((*solved)[p].q >= best[p]);
      best[p] = (*solved)[p].q;
      noisy_won = noisy_won || (*solved)[p].sample > 0;
    }
  }
  CHECK(noisy_won);
}

TEST_CASE("trm solve: options and puzzles out of range are refused, Ctrl-C ends it") {
  ThreadPool pool(1);
  const auto model = SmallModel(pool, 0);
  TrmSolveOptions options;
  options.depth = 0;
  CHECK(SolveTrm(*model, Puzzles(1), options).error().code == Code::kValidation);
  options = {};
  options.samples = 5000;
  CHECK(!SolveTrm(*model, Puzzles(1), options).ok());
  options = {};
  TrmBatch puzzles = Puzzles(2);
  puzzles.inputs.pop_back();
  CHECK(!SolveTrm(*model, puzzles, options).ok());
  puzzles = Puzzles(2);
  puzzles.inputs[3] = 99;
  CHECK(SolveTrm(*model, puzzles, options).error().code == Code::kValidation);
  SetInterrupted(true);
  CHECK(SolveTrm(*model, Puzzles(1), options).error().code == Code::kRuntime);
  SetInterrupted(false);
}

TEST_CASE("trm score: cells that are not scored do not count") {
  TrmScore score;
  CHECK(score.Add(std::vector<int32_t>{1, 2, 3}, std::vector<int32_t>{1, kTrmIgnored, 3}, 5));
  CHECK(!score.Add(std::vector<int32_t>{1, 2, 3}, std::vector<int32_t>{1, 3, 3}, 5));
  CHECK(score.puzzles == 2);
  CHECK(score.exact == 1);
  CHECK(score.cells == 5);
  CHECK(score.right == 4);
  CHECK(score.ExactShare() == 0.5);
}

}  // namespace
}  // namespace pintle
