#include "generate/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

namespace pintle {
namespace {

const std::vector<float> kLogits = {0.0f, 2.0f, 1.0f, 2.0f, -1.0f, -INFINITY};

int32_t Draw(Sampler& sampler, const SampleOptions& options, int64_t position) {
  const auto token = sampler.Sample(kLogits, options, position);
  REQUIRE(token.ok());
  return token->id;
}

std::map<int32_t, int> Counts(Sampler& sampler, const SampleOptions& options, int draws) {
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[Draw(sampler, options, i)];
  return counts;
}

TEST_CASE("sampler: greedy takes the lowest id of the largest, with its log-probability at temperature 1") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  const auto token = sampler.Sample(kLogits, {}, 7);
  REQUIRE(token.ok());
  CHECK(token->id == 1);
  const double sum = std::exp(-2.0) + 1 + std::exp(-1.0) + 1 + std::exp(-3.0);
  CHECK(token->logprob == doctest::Approx(-std::log(sum)).epsilon(1e-6));
  SampleOptions one;
  one.temperature = 5;
  one.top_k = 1;
  CHECK(Draw(sampler, one, 3) == 1);
}

TEST_CASE("sampler: draws follow the softmax and depend on seed, choice and position alone") {
  ThreadPool pool(1);
  ThreadPool three(3);
  Sampler sampler(pool);
  Sampler other(three);
  SampleOptions options;
  options.temperature = 0.7;
  std::vector<double> weights;
  double sum = 0;
  for (const float logit : kLogits) sum += weights.emplace_back(std::exp((static_cast<double>(logit) - 2) / 0.7));
  constexpr int kDraws = 20000;
  auto counts = Counts(sampler, options, kDraws);
  for (size_t i = 0; i < weights.size(); ++i) {
    const double expected = weights[i] / sum;
    const double deviation = std::sqrt(expected * (1 - expected) / kDraws);
    CHECK(std::abs(counts[static_cast<int32_t>(i)] / static_cast<double>(kDraws) - expected) <= 4 * deviation + 1e-9);
  }
  CHECK(counts[5] == 0);
  int differs_by_seed = 0;
  int differs_by_choice = 0;
  for (int64_t position = 0; position < 200; ++position) {
    const int32_t id = Draw(sampler, options, position);
    CHECK(Draw(other, options, position) == id);
    SampleOptions changed = options;
    changed.seed = 1;
    differs_by_seed += Draw(sampler, changed, position) != id ? 1 : 0;
    changed = options;
    changed.choice = 1;
    differs_by_choice += Draw(sampler, changed, position) != id ? 1 : 0;
  }
  CHECK(differs_by_seed > 50);
  CHECK(differs_by_choice > 50);
}

TEST_CASE("sampler: top-k and top-p keep the beginning of the order") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  SampleOptions options;
  options.temperature = 3;
  options.top_k = 2;
  auto counts = Counts(sampler, options, 500);
  CHECK(counts.size() == 2);
  CHECK((counts.contains(1) && counts.contains(3)));
  options.top_k = 3;
  CHECK(Counts(sampler, options, 500).size() == 3);
  options.top_k = 0;
  options.temperature = 1;
  options.top_p = 0.3;  // one of the two largest has 0.38 of the weight
  counts = Counts(sampler, options, 200);
  CHECK(counts.size() == 1);
  CHECK(counts.contains(1));
  options.top_p = 0.5;
  CHECK(Counts(sampler, options, 500).size() == 2);
  options.top_k = 3;
  options.top_p = 1e-300;
  CHECK(Counts(sampler, options, 50).size() == 1);
}

TEST_CASE("sampler: logits that are not finite are an error") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  CHECK(!sampler.Sample(std::vector<float>{0.0f, NAN}, {}, 0).ok());
  CHECK(!sampler.Sample(std::vector<float>{0.0f, INFINITY}, {}, 0).ok());
  CHECK(!sampler.Sample(std::vector<float>{-INFINITY, -INFINITY}, {}, 0).ok());
  CHECK(!sampler.Sample({}, {}, 0).ok());
}

TEST_CASE("sampler: options out of range are usage errors that name the flag") {
  const auto where = [](const auto& change) {
    SampleOptions options;
    change(options);
    const Status status = ValidateSampleOptions(options);
    return status.ok() ? std::string("fine") : status.error().where;
  };
  CHECK(where([](SampleOptions&) {}) == "fine");
  CHECK(where([](SampleOptions& o) { o.temperature = -1; }) == "--temperature");
  CHECK(where([](SampleOptions& o) { o.temperature = NAN; }) == "--temperature");
  CHECK(where([](SampleOptions& o) { o.top_p = 0; }) == "--top-p");
  CHECK(where([](SampleOptions& o) { o.top_k = -1; }) == "--top-k");
  CHECK(where([](SampleOptions& o) { o.max_tokens = 0; }) == "--max-tokens");
  CHECK(where([](SampleOptions& o) { o.stop = {""}; }) == "--stop");
}

}  // namespace
}  // namespace pintle
