// Answers of the engine against those of one sequence at a time, on synthetic models.
#include "generate/engine.h"

#include <doctest/doctest.h>

#include <map>
#include <tuple>

#include "base/file.h"
#include "generate/gguf_model.h"
#include "generate/json_grammar.h"
#include "kernels/math.h"
#include "models/decoder/synth.h"

namespace pintle {
namespace {

std::vector<EngineRequest> Requests(int count) {
  std::vector<EngineRequest> requests;
  for (int i = 0; i < count; ++i) {
    EngineRequest& request = requests.emplace_back();
    // Half of them share a long beginning.
    for (int k = 0; k < (i % 2 == 0 ? 90 : 3 + 17 * i); ++k) request.prompt.push_back((k * 37 + (i % 2) * i) % 256);
    request.prompt.push_back(i);
    request.options.temperature = i % 3 == 0 ? 0 : 0.8;
    request.options.seed = static_cast<uint64_t>(i);
    request.options.max_tokens = 15 + 7 * i;
    request.options.guess_tokens = i % 4;
    if (i % 4 == 1) {
      request.options.min_p = 0.02;
      request.options.repetition_penalty = 1.3;
      request.options.presence_penalty = 0.5;
      request.options.frequency_penalty = -0.3;
      request.options.logit_bias = {{65, 1.5}, {66, -3}};
    }
    if (i % 2 == 1) request.options.top_logprobs = i;
    if (i % 3 == 2) request.options.grammar = JsonObjectGrammar().value();
  }
  return requests;
}

void CheckSame(const Completion& got, const Completion& expected) {
  CHECK(got.ids == expected.ids);
  CHECK(got.text == expected.text);
  CHECK(got.mean_logprob == expected.mean_logprob);
  CHECK(got.logprobs == expected.logprobs);
  CHECK(got.finish_reason == expected.finish_reason);
}

std::map<int64_t, Completion> RunAll(Engine& engine) {
  std::map<int64_t, Completion> answers;
  while (!engine.idle()) {
    auto done = engine.Step();
    REQUIRE(done.ok());
    for (EngineAnswer& answer : *done) {
      CHECK(answer.failure.ok());
      answers.emplace(answer.id, std::move(answer.completion));
    }
  }
  return answers;
}

}  // namespace

TEST_CASE("batches, chunks, slots, prefix reuse, guesses and threads do not show in the answers") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string();
  using kernels::KvType;
  int64_t guessed = 0, right = 0;
  for (const auto& [arch, type, kv] : {std::tuple{"tiny-llama", "q4_k_m", KvType::kF32},
                                       {"tiny-qwen3", "q8_0", KvType::kQ8},
                                       {"tiny-qwen2", "f32", KvType::kF16}}) {
    CAPTURE(arch);
    REQUIRE(WriteSynthModel(arch, type, 1, path).ok());
    const auto model = GgufModel::Load(path, 0, 1, kv);
    if (!model.ok()) FAIL(model.error().Message());
    const std::vector<EngineRequest> requests = Requests(8);
    std::vector<Completion> expected;
    for (const EngineRequest& request : requests) {
      SampleOptions plain = request.options;
      plain.guess_tokens = 0;
      auto answer = (*model)->Run(request.prompt, plain);
      REQUIRE(answer.ok());
      CHECK(answer->guessed_tokens == 0);
      expected.push_back(std::move(*answer));
      answer = (*model)->Run(request.prompt, request.options);
      REQUIRE(answer.ok());
      CheckSame(*answer, expected.back());
      guessed += answer->guessed_tokens;
      right += answer->right_guesses;
    }
    for (const auto& [slots, tokens, threads] : {std::tuple{1, 256, 1}, {2, 7, 2}, {8, 64, 3}}) {
      ThreadPool pool(threads);
      auto engine = Engine::Create((*model)->decoder(), (*model)->vocabulary(), pool, {slots, tokens});
      REQUIRE(engine.ok());
      for (int round = 0; round < 2; ++round) {  // the second finds its prompts in the slots
        std::vector<int64_t> ids;
        ids.reserve(requests.size());
        for (const EngineRequest& request : requests) ids.push_back((*engine)->Submit(request).value());
        const auto answers = RunAll(**engine);
        REQUIRE(answers.size() == requests.size());
        int64_t guesses = 0;
        for (size_t i = 0; i < requests.size(); ++i) {
          const Completion& got = answers.at(ids[i]);
          CheckSame(got, expected[i]);
          CHECK(got.logprobs.size() == (i % 2 == 1 ? got.ids.size() : 0));
          if (slots == 1) guesses += got.guessed_tokens;
        }
        CHECK((guesses > 0) == (slots == 1));
        if (round == 1 && slots == 8) CHECK(answers.at(ids[0]).cached_tokens >= 90);
      }
    }
  }
  CHECK(right > 0);
  CHECK(guessed > right);
}

TEST_CASE("beginnings are shared with answers under way and kept for later ones") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string();
  REQUIRE(WriteSynthModel("tiny-qwen3", "q8_0", 4, path).ok());
  const auto model = GgufModel::Load(path, 0, 1);
  REQUIRE(model.ok());
  ThreadPool pool(2);
  const auto engine = Engine::Create((*model)->decoder(), (*model)->vocabulary(), pool, {3, 64}).value();
  const auto request = [](int32_t kind, int32_t last, int64_t tokens) {
    EngineRequest asked;
    for (int32_t i = 0; i < 150; ++i) asked.prompt.push_back((i * 7 + kind) % 256);
    asked.prompt.push_back(last);
    asked.options.max_tokens = tokens;
    asked.options.temperature = 0.8;
    asked.options.top_logprobs = 1;
    return asked;
  };
  const auto check = [&](const EngineRequest& asked, const Completion& got) {
    SampleOptions plain = asked.options;
    plain.guess_tokens = 0;
    const auto expected = (*model)->Run(asked.prompt, plain);
    REQUIRE(expected.ok());
    CheckSame(got, *expected);
  };
  // Three at once: the two pages are worked out once, and the others wait for them.
  std::vector<EngineRequest> asked;
  std::vector<int64_t> ids;
  for (const int32_t last : {1, 2, 3}) {
    asked.push_back(request(0, last, 40));
    ids.push_back(engine->Submit(asked.back()).value());
  }
  auto answers = RunAll(*engine);
  for (size_t i = 0; i < 3; ++i) {
    check(asked[i], answers.at(ids[i]));
    CHECK(answers.at(ids[i]).cached_tokens == (i == 0 ? 0 : 128));
  }
  // More kinds of prompts than slots are remembered, until the pages (3 x 8) run out.
  for (int32_t kind = 1; kind <= 9; ++kind) {
    const int64_t id = engine->Submit(request(kind, 5, 3)).value();
    CHECK(RunAll(*engine).at(id).cached_tokens == 0);
  }
  const auto cached = [&](int32_t kind) {
    const EngineRequest again = request(kind, 6, 20);
    const int64_t id = engine->Submit(again).value();
    const Completion got = RunAll(*engine).at(id);
    check(again, got);
    return got.cached_tokens;
  };
  CHECK(cached(9) == 150);
  CHECK(cached(6) == 150);
  CHECK(cached(1) == 0);
}

TEST_CASE("what quantising the activations costs stays below the anchors") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string(), wide = (folder.path() / "wide.gguf").string();
  std::vector<int32_t> ids;
  for (int32_t id = 3; id < 230; id += 7) ids.push_back(id);
  const struct {
    const char* type;
    double limit;  // relative rms of the logits, against the same weights in fp32
  } rows[] = {{"q8_0", 2.3e-2}, {"q4_k_m", 3.2e-2}, {"q5_k_m", 3.1e-2}, {"q6_k", 3.0e-2}};
  for (const auto& [type, limit] : rows) {
    CAPTURE(type);
    REQUIRE(WriteSynthModel("tiny-llama", type, 3, path).ok());
    REQUIRE(QuantizeGguf(path, "f32", wide, 1).ok());
    const auto narrow = GgufModel::Load(path, 0, 1), reference = GgufModel::Load(wide, 0, 1);
    REQUIRE(narrow.ok());
    REQUIRE(reference.ok());
    const std::vector<float> got = (*narrow)->Logits(ids).value(), exact = (*reference)->Logits(ids).value();
    double error = 0, size = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      const double off = static_cast<double>(got[i]) - static_cast<double>(exact[i]);
      error += off * off;
      size += static_cast<double>(exact[i]) * static_cast<double>(exact[i]);
    }
    CHECK(kernels::Sqrt(error / size) < limit);
    CHECK(error > 0);
  }
}

TEST_CASE("requests are checked at the door, and can be cancelled") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string();
  REQUIRE(WriteSynthModel("tiny-llama", "q8_0", 2, path).ok());
  const auto model = GgufModel::Load(path, 64, 1);
  REQUIRE(model.ok());
  ThreadPool pool(1);
  auto engine = Engine::Create((*model)->decoder(), (*model)->vocabulary(), pool, {1, 16});
  REQUIRE(engine.ok());
  CHECK_FALSE((*engine)->Submit({{}, {}, {}}).ok());
  CHECK_FALSE((*engine)->Submit({{-1}, {}, {}}).ok());
  CHECK_FALSE((*engine)->Submit({{512}, {}, {}}).ok());
  CHECK((*engine)->Submit({std::vector<int32_t>(65, 1), {}, {}}).error().what ==
        "the prompt has 65 tokens, the model's context holds 64");
  const int64_t first = (*engine)->Submit({{1, 2, 3}, {}, {}}).value();
  const int64_t second = (*engine)->Submit({{4, 5}, {}, {}}).value();
  for (int i = 0; i < 4; ++i) REQUIRE((*engine)->Step().ok());
  CHECK((*engine)->Cancel(first));
  CHECK((*engine)->Cancel(second));
  CHECK_FALSE((*engine)->Cancel(99));
  const auto done = (*engine)->Step();
  REQUIRE(done.ok());
  REQUIRE(done->size() == 2);
  CHECK((*done)[0].completion.ids.size() >= 3);
  CHECK((*done)[1].completion.ids.empty());
  CHECK((*engine)->idle());
}

}  // namespace pintle
