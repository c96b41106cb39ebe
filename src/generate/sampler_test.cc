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

TEST_CASE("sampler: min-p keeps what comes near the likeliest") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  SampleOptions options;
  options.temperature = 1;
  options.min_p = 0.3;  // id 2 has 1 / e of the two largest
  auto counts = Counts(sampler, options, 500);
  CHECK(counts.size() == 3);
  CHECK(counts.contains(2));
  options.min_p = 0.4;
  CHECK(Counts(sampler, options, 500).size() == 2);
  options.top_p = 0.3;
  CHECK(Counts(sampler, options, 100).size() == 1);
}

TEST_CASE("sampler: typical-p keeps what surprises as much as is to be expected") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  SampleOptions options;
  options.temperature = 1;
  // One of 0.4 and twelve of 0.05: the mean surprise is 2.16, that of the first 0.92, of the others 3.
  std::vector<float> logits(13, 0.0f);
  logits[4] = 2.0794415f;
  const auto chosen = [&] {
    std::map<int32_t, int> counts;
    for (int64_t position = 0; position < 300; ++position) ++counts[sampler.Sample(logits, options, position)->id];
    return counts;
  };
  options.typical_p = 0.48;
  auto counts = chosen();
  CHECK(counts.size() == 10);
  CHECK_FALSE(counts.contains(4));
  CHECK_FALSE(counts.contains(12));
  options.typical_p = 0.7;
  CHECK(chosen().size() == 13);
  options.typical_p = 1e-9;
  counts = chosen();
  CHECK(counts.size() == 1);
  CHECK(counts.contains(0));
  // The other limits look at what is left, in its own order.
  options.typical_p = 0.48;
  options.top_k = 11;
  options.min_p = 0.01;
  CHECK(chosen().size() > 1);
  options.top_p = 0.01;
  CHECK(chosen().size() == 1);
  // Nothing is limited by a share that takes all.
  options = {};
  options.temperature = 1;
  const auto plain = Counts(sampler, options, 200);
  options.typical_p = 0.999999999;
  CHECK(Counts(sampler, options, 200) == plain);
}

TEST_CASE("sampler: biases and penalties change the choice, not the log-probabilities") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  const std::vector<int32_t> prompt = {1, 1, 3, 4}, answer = {3, 2, 3};
  const SampleContext context = {prompt, answer, {}};
  const auto choice = [&](const auto& change) {
    SampleOptions options;
    change(options);
    const auto token = sampler.Sample(kLogits, options, 7, context);
    REQUIRE(token.ok());
    const auto plain = sampler.Sample(kLogits, {}, 7);
    CHECK(token->logprob ==
          doctest::Approx(plain->logprob - 2 + static_cast<double>(kLogits[static_cast<size_t>(token->id)])));
    return token->id;
  };
  CHECK(choice([](SampleOptions&) {}) == 1);
  CHECK(choice([](SampleOptions& o) { o.logit_bias = {{4, 3.5}, {1, -1}}; }) == 4);
  CHECK(choice([](SampleOptions& o) { o.logit_bias = {{4, 2.5}}; }) == 1);
  // Presence and frequency look at the answer alone: 1 stands only in the prompt, 3 twice in the answer.
  CHECK(choice([](SampleOptions& o) { o.presence_penalty = -0.1; }) == 3);
  CHECK(choice([](SampleOptions& o) { o.presence_penalty = 2; }) == 1);
  CHECK(choice([](SampleOptions& o) {
          o.logit_bias = {{1, -9}};
          o.frequency_penalty = 0.4;  // 3: 2 - 0.8, 2: 1 - 0.4
        }) == 3);
  CHECK(choice([](SampleOptions& o) {
          o.logit_bias = {{1, -9}};
          o.frequency_penalty = 1.2;  // 3: 2 - 2.4, 2: 1 - 1.2, 0: 0
        }) == 0);
  // Repetition divides the logits of 1, 2, 3 once each, and makes the negative one of 4 smaller.
  CHECK(choice([](SampleOptions& o) { o.repetition_penalty = 100; }) == 1);
  CHECK(choice([](SampleOptions& o) {
          o.repetition_penalty = 100;
          o.logit_bias = {{0, 0.021}};
        }) == 0);
  CHECK(choice([](SampleOptions& o) {
          o.repetition_penalty = 2;
          o.logit_bias = {{0, -1.6}, {1, -9}, {2, -9}, {3, -9}};
        }) == 0);
}

TEST_CASE("sampler: what is not allowed is never chosen; the likeliest are listed all the same") {
  ThreadPool pool(1);
  Sampler sampler(pool);
  const uint64_t allowed = 0b10101;
  for (const double temperature : {0.0, 1.0, 50.0}) {
    SampleOptions options;
    options.temperature = temperature;
    options.top_logprobs = 3;
    options.top_k = temperature > 1 ? 5 : 0;
    std::map<int32_t, int> counts;
    for (int64_t position = 0; position < 300; ++position) {
      const auto token = sampler.Sample(kLogits, options, position, {{}, {}, {&allowed, 1}});
      REQUIRE(token.ok());
      ++counts[token->id];
      REQUIRE(token->top.size() == 3);
      CHECK(token->top[0].first == 1);
      CHECK(token->top[1].first == 3);
      CHECK(token->top[2].first == 2);
      CHECK(token->top[0].second - token->top[2].second == doctest::Approx(1));
    }
    CHECK(counts[0] + counts[2] + counts[4] == 300);
    CHECK((counts[0] > 0) == (temperature > 0));
  }
  const uint64_t none = 0;
  CHECK_FALSE(sampler.Sample(kLogits, {}, 0, {{}, {}, {&none, 1}}).ok());
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
  CHECK(where([](SampleOptions& o) { o.typical_p = 0; }) == "--typical-p");
  CHECK(where([](SampleOptions& o) { o.guess_tokens = -1; }) == "--guess");
  CHECK(where([](SampleOptions& o) { o.top_k = -1; }) == "--top-k");
  CHECK(where([](SampleOptions& o) { o.max_tokens = 0; }) == "--max-tokens");
  CHECK(where([](SampleOptions& o) { o.stop = {""}; }) == "--stop");
  CHECK(where([](SampleOptions& o) { o.min_p = 1.5; }) == "--min-p");
  CHECK(where([](SampleOptions& o) { o.repetition_penalty = 0; }) == "--repetition-penalty");
  CHECK(where([](SampleOptions& o) { o.presence_penalty = 2.1; }) == "--presence-penalty");
  CHECK(where([](SampleOptions& o) { o.frequency_penalty = NAN; }) == "--frequency-penalty");
  CHECK(where([](SampleOptions& o) { o.logit_bias = {{1, 101}}; }) == "--logit-bias");
  CHECK(where([](SampleOptions& o) { o.logit_bias = {{-1, 1}}; }) == "--logit-bias");
  CHECK(where([](SampleOptions& o) { o.top_logprobs = 21; }) == "--top-logprobs");
}

}  // namespace
}  // namespace pintle
