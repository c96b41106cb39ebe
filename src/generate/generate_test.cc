// The whole use side over a small random model: a model folder is written, loaded, completed from, scored.
#include "generate/generate.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/file.h"
#include "formats/manifest.h"
#include "generate/generator.h"
#include "generate/infill.h"
#include "generate/model_folder.h"
#include "generate/score.h"

namespace pintle {
namespace {

Tokenizer SmallTokenizer() {
  const std::vector<std::pair<int32_t, int32_t>> merges = {{'f', 'n'}, {' ', ' '}, {257, 257}, {'l', 'e'}, {259, 't'}};
  auto tokenizer = Tokenizer::FromMerges(merges, SpecialTokenNames());
  REQUIRE(tokenizer.ok());
  return std::move(tokenizer).value();
}

DecoderConfig SmallConfig(const Tokenizer& tokenizer, DType dtype) {
  DecoderConfig config;
  config.vocab = tokenizer.vocab_size();
  config.width = 32;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 16;
  config.ffn = 48;
  config.context = 192;
  config.dtype = dtype;
  return config;
}

// Writes a model with random weights; larger than usual ones, so that the answers vary.
std::filesystem::path WriteModel(const std::filesystem::path& folder, DType dtype) {
  ThreadPool pool(1);
  const Tokenizer tokenizer = SmallTokenizer();
  auto decoder = Decoder::Create(SmallConfig(tokenizer, dtype), {}, pool);
  REQUIRE(decoder.ok());
  (*decoder)->Init(5);
  for (auto& parameter : (*decoder)->parameters().all()) {
    if (parameter.shape.rank() < 2) continue;
    for (float& weight : parameter.weight.F32Span()) weight *= 8;
  }
  (*decoder)->WeightsChanged();
  auto output = StageOutput::Create(folder / "model");
  REQUIRE(output.ok());
  REQUIRE(WriteModelFiles(output->folder(), **decoder, tokenizer).ok());
  Manifest manifest;
  manifest.stage = "train";
  REQUIRE(output->Commit(manifest).ok());
  return folder / "model";
}

std::unique_ptr<TextModel> Load(const std::filesystem::path& folder, int threads = 1) {
  auto model = TextModel::Load(folder.string(), threads);
  if (!model.ok()) MESSAGE(model.error().Message());
  REQUIRE(model.ok());
  return std::move(model).value();
}

TEST_CASE("generate: the same request gives the same answer, whatever came before and for any threads") {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const TemporaryFolder folder;
    const auto path = WriteModel(folder.path(), dtype);
    const auto model = Load(path);
    SampleOptions options;
    options.temperature = 0.9;
    options.top_k = 40;
    options.max_tokens = 40;
    const auto first = model->Complete("fn main() {", options);
    REQUIRE(first.ok());
    CHECK(first->cached_tokens == 0);
    CHECK(first->prompt_tokens == 11);
    const auto again = model->Complete("fn main() {", options);
    REQUIRE(again.ok());
    CHECK(again->cached_tokens == 10);
    CHECK(again->ids == first->ids);
    CHECK(again->mean_logprob == first->mean_logprob);
    REQUIRE(model->Complete("fn mail", options).ok());
    CHECK(model->Complete("fn main() {", options)->text == first->text);
    const auto fresh = Load(path, 3);
    CHECK(fresh->Complete("fn main() {", options)->ids == first->ids);
    options.choice = 1;
    CHECK(fresh->Complete("fn main() {", options)->ids != first->ids);
  }
}

TEST_CASE("generate: log-probabilities are those of the training forward") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  auto loaded = LoadModelFolder(WriteModel(folder.path(), DType::kBF16), pool);
  REQUIRE(loaded.ok());
  auto generator = Generator::Create(*loaded->decoder, *loaded->tokenizer, pool);
  REQUIRE(generator.ok());
  SampleOptions options;
  options.max_tokens = 12;
  int64_t cut = 0;
  const auto prompt = generator->PlainPrompt("let x", options, cut).value();
  CHECK(prompt.front() == loaded->tokenizer->end_of_text());
  const auto answer = generator->Run(prompt, options, {});
  REQUIRE(answer.ok());
  REQUIRE(!answer->ids.empty());
  TokenBatch batch;
  std::vector<int32_t> all = prompt;
  all.insert(all.end(), answer->ids.begin(), answer->ids.end());
  batch.batch = 1;
  batch.time = static_cast<int64_t>(all.size()) - 1;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    batch.ids.push_back(all[i]);
    batch.targets.push_back(i + 1 >= prompt.size() ? all[i + 1] : -100);
    batch.document.push_back(0);
    batch.position.push_back(static_cast<int32_t>(i));
  }
  double nats = 0;
  REQUIRE(loaded->decoder->LossSum(batch, nats).ok());
  CHECK(-nats / static_cast<double>(answer->ids.size()) == doctest::Approx(answer->mean_logprob).epsilon(1e-5));
}

TEST_CASE("generate: fill in the middle, stop texts, streaming and limits") {
  const TemporaryFolder folder;
  const auto model = Load(WriteModel(folder.path(), DType::kF32));
  SampleOptions options;
  options.temperature = 1.2;
  options.max_tokens = 30;
  const auto infill = model->Infill("fn a(", ") {}", options);
  REQUIRE(infill.ok());
  CHECK(infill->prompt_tokens == 3 + 4 + 4);
  std::string streamed;
  const auto plain = model->Complete("x", options, [&](std::string_view text) {
    streamed += text;
    return true;
  });
  REQUIRE(plain.ok());
  CHECK(streamed == plain->text);
  REQUIRE(plain->text.size() > 8);
  options.stop = {plain->text.substr(5, 2)};
  const auto stopped = model->Complete("x", options);
  REQUIRE(stopped.ok());
  CHECK(stopped->finish_reason == "stop");
  CHECK(stopped->text == plain->text.substr(0, plain->text.find(options.stop[0])));
  options.stop.clear();
  const auto one = model->Complete("x", options, [](std::string_view) { return false; });
  REQUIRE(one.ok());
  CHECK(one->finish_reason == "stop");
  CHECK(one->ids.size() < plain->ids.size());
}

TEST_CASE("generate: text never becomes a special token; a model of ours stops at one") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  auto loaded = LoadModelFolder(WriteModel(folder.path(), DType::kF32), pool);
  REQUIRE(loaded.ok());
  auto generator = Generator::Create(*loaded->decoder, *loaded->tokenizer, pool).value();
  int64_t cut = 0;
  const auto ids = generator.InfillPrompt("<|fim_middle|>", "<|endoftext|>", {}, cut).value();
  int specials = 0;
  for (const int32_t id : ids) specials += loaded->tokenizer->IsSpecial(id) ? 1 : 0;
  CHECK(specials == 3);
  CHECK(loaded->tokenizer->IsSpecial(ids.front()));
  CHECK(!loaded->tokenizer->IsSpecial(ids.back()));
}

TEST_CASE("generate: the two orders of fill in the middle") {
  const std::vector<int32_t> before = {1, 2}, after = {3};
  FimTokens fim{10, 11, 12, -1, false};
  CHECK(ArrangeInfill(fim, before, after) == std::vector<int32_t>{10, 1, 2, 11, 3, 12});
  fim.suffix_first = true;
  CHECK(ArrangeInfill(fim, before, after) == std::vector<int32_t>{10, 11, 3, 12, 1, 2});
}

TEST_CASE("generate: a prompt longer than the context is refused with both numbers, or cut and counted") {
  const TemporaryFolder folder;
  const auto model = Load(WriteModel(folder.path(), DType::kF32));
  SampleOptions options;
  options.max_tokens = 100;
  const std::string longest(191, 'x');
  const auto full = model->Complete(longest, options);
  REQUIRE(full.ok());
  CHECK(full->ids.size() <= 1);
  const auto refused = model->Complete(longest + "x", options);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kValidation);
  CHECK(refused.error().what.find("193 tokens") != std::string::npos);
  CHECK(refused.error().what.find("192") != std::string::npos);
  options.fit_prompt = true;
  const auto cut = model->Complete(longest + "x", options);
  REQUIRE(cut.ok());
  CHECK(cut->prompt_tokens == 144);
  CHECK(cut->cut_tokens == 192 - 143);
  const auto infill = model->Infill(std::string(500, 'a'), std::string(20, 'b'), options);
  REQUIRE(infill.ok());
  CHECK(infill->prompt_tokens == 144);
  CHECK(infill->cut_tokens == 500 + 20 + 3 - 144);
  const auto both = model->Infill(std::string(500, 'a'), std::string(500, 'b'), options);
  REQUIRE(both.ok());
  CHECK(both->prompt_tokens == 144);
}

TEST_CASE("generate: a text longer than the context is scored once a token") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  auto loaded = LoadModelFolder(WriteModel(folder.path(), DType::kF32), pool);
  REQUIRE(loaded.ok());
  std::string text;
  for (int i = 0; i < 60; ++i) text += "let x" + std::to_string(i) + " = fn();\n";
  const auto whole = ScoreText(*loaded->decoder, *loaded->tokenizer, text);
  REQUIRE(whole.ok());
  CHECK(whole->bytes == static_cast<int64_t>(text.size()));
  CHECK(whole->tokens == static_cast<int64_t>(loaded->tokenizer->Encode(text).size()));
  // A model that knows nothing pays about ln V nats a token.
  CHECK(whole->nats / static_cast<double>(whole->tokens) > 2);
  CHECK(whole->nats / static_cast<double>(whole->tokens) < 40);
  // Two tokens fit in one window and add up from the plain forward.
  const auto two = ScoreText(*loaded->decoder, *loaded->tokenizer, "ab");
  const auto one = ScoreText(*loaded->decoder, *loaded->tokenizer, "a");
  CHECK(two->nats > one->nats);
  CHECK(ScoreText(*loaded->decoder, *loaded->tokenizer, "")->tokens == 0);
}

TEST_CASE("model folder: damage is named and nothing is loaded") {
  const TemporaryFolder folder;
  const auto path = WriteModel(folder.path(), DType::kF32);
  CHECK(TextModel::Load((folder.path() / "nothing").string(), 1).error().code == Code::kRuntime);
  const std::string weights = ReadFile(path / "model.safetensors").value();
  std::string flipped = weights;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  REQUIRE(WriteFileAtomic(path / "model.safetensors", flipped).ok());
  const auto changed = TextModel::Load(path.string(), 1);
  REQUIRE(!changed.ok());
  CHECK(changed.error().code == Code::kValidation);
  CHECK(changed.error().what.find("SHA-256") != std::string::npos);
  std::filesystem::remove(path / "manifest.json");
  CHECK(TextModel::Load(path.string(), 1).ok());
  REQUIRE(WriteFileAtomic(path / "model.safetensors", weights.substr(0, weights.size() / 2)).ok());
  CHECK(TextModel::Load(path.string(), 1).error().code == Code::kValidation);
  REQUIRE(WriteFileAtomic(path / "model.safetensors", weights).ok());
  std::string config = ReadFile(path / "config.json").value();
  const size_t at = config.find("\"intermediate_size\": 48");
  REQUIRE(at != std::string::npos);
  config.replace(at, 23, "\"intermediate_size\": 64");
  REQUIRE(WriteFileAtomic(path / "config.json", config).ok());
  const auto other = TextModel::Load(path.string(), 1);
  REQUIRE(!other.ok());
  CHECK(other.error().what.find("config.json describes") != std::string::npos);
}

}  // namespace
}  // namespace pintle
