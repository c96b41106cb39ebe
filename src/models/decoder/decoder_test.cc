#include "models/decoder/decoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "nn/optimizer.h"

namespace pintle {
namespace {

DecoderConfig Config(DType dtype) {
  DecoderConfig c;
  c.vocab = 96;
  c.width = 48;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_dim = 16;
  c.ffn = 64;
  c.context = 320;
  c.dtype = dtype;
  return c;
}

TokenBatch OneDocument(int64_t batch, int64_t time) {
  TokenBatch b;
  b.batch = batch;
  b.time = time;
  RandomStream random(3, Purpose::kTest, 0);
  for (int64_t i = 0; i < batch * time; ++i) {
    b.ids.push_back(static_cast<int32_t>(random.NextBelow(96)));
    b.targets.push_back(static_cast<int32_t>(random.NextBelow(96)));
    b.document.push_back(0);
    b.position.push_back(static_cast<int32_t>(i % time));
  }
  return b;
}

std::unique_ptr<Decoder> Make(const DecoderConfig& config, const DecoderOptions& options, ThreadPool& pool) {
  auto decoder = Decoder::Create(config, options, pool);
  REQUIRE(decoder.ok());
  (*decoder)->Init(5);
  return std::move(*decoder);
}

bool SameBits(const float* a, const float* b, size_t count) { return std::memcmp(a, b, count * sizeof(float)) == 0; }

}  // namespace

TEST_CASE("generation gives the training forward's logits bit for bit, however the tokens are cut") {
  ThreadPool pool(2);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    CAPTURE(DTypeName(dtype));
    const auto decoder = Make(Config(dtype), {}, pool);
    const TokenBatch batch = OneDocument(1, 300);
    const auto vocab = static_cast<size_t>(decoder->config().vocab);
    std::vector<float> expected(300 * vocab);
    REQUIRE(decoder->Logits(batch, expected).ok());

    const std::vector<std::vector<size_t>> cuts = {
        {300}, {1, 299}, {64, 64, 64, 64, 44}, {257, 1, 1, 41}, {63, 2, 235}};
    for (const auto& cut : cuts) {
      auto cache = KvCache::Create(decoder->config());
      REQUIRE(cache.ok());
      size_t done = 0;
      for (const size_t piece : cut) {
        const size_t rows = std::min<size_t>(piece, 40);
        const auto logits = decoder->Extend({batch.ids.data() + done, piece}, *cache, static_cast<int64_t>(rows));
        REQUIRE(logits.ok());
        done += piece;
        CHECK(SameBits(logits->data(), expected.data() + (done - rows) * vocab, rows * vocab));
      }
      CHECK(cache->length() == 300);
    }

    // All rows of the last 256 across a chunk border, then a second branch from a common prefix.
    auto cache = KvCache::Create(decoder->config());
    REQUIRE(cache.ok());
    auto logits = decoder->Extend({batch.ids.data(), 300}, *cache, 256);
    REQUIRE(logits.ok());
    CHECK(SameBits(logits->data(), expected.data() + 44 * vocab, 256 * vocab));
    cache->Truncate(100);
    logits = decoder->Extend({batch.ids.data() + 100, 30}, *cache, 30);
    REQUIRE(logits.ok());
    CHECK(SameBits(logits->data(), expected.data() + 100 * vocab, 30 * vocab));
  }
}

TEST_CASE("sequences that share a beginning go on each for itself") {
  ThreadPool pool(2);
  const auto decoder = Make(Config(DType::kF32), {}, pool);
  const TokenBatch batch = OneDocument(1, 200);
  const auto vocab = static_cast<size_t>(decoder->config().vocab);
  const auto alone = [&](std::vector<int32_t> ids) {
    auto cache = KvCache::Create(decoder->config());
    const auto logits = decoder->Extend(ids, *cache);
    REQUIRE(logits.ok());
    return std::vector<float>(logits->begin(), logits->end());
  };
  const auto pages = KvPool::Create(decoder->config(), 7).value();
  KvCache first(pages), second(pages), third(pages);
  REQUIRE(decoder->Extend({batch.ids.data(), 150}, first).ok());
  second.ShareBeginning(first, 100);
  third.ShareBeginning(second, 64);
  CHECK(pages->free_pages() == 4);
  // Each writes its own: the second a copy of the page in the middle of which it goes on.
  std::vector<int32_t> other(batch.ids.begin(), batch.ids.begin() + 100);
  other.push_back(batch.ids[100] ^ 1);
  const auto logits = decoder->Extend({&other.back(), 1}, second);
  REQUIRE(logits.ok());
  CHECK(SameBits(logits->data(), alone(other).data(), vocab));
  CHECK(pages->free_pages() == 3);
  const auto more = decoder->Extend({batch.ids.data() + 150, 50}, first);
  REQUIRE(more.ok());
  CHECK(SameBits(more->data(), alone(batch.ids).data(), vocab));
  CHECK(pages->free_pages() == 2);
  // Too few pages: nothing changes. What the first gives back is enough.
  CHECK_FALSE(decoder->Extend({batch.ids.data(), 190}, third).ok());
  CHECK(third.length() == 64);
  first.Truncate(0);
  std::vector<int32_t> again(batch.ids.begin(), batch.ids.begin() + 64);
  again.insert(again.end(), batch.ids.begin(), batch.ids.begin() + 190);
  const auto last = decoder->Extend({batch.ids.data(), 190}, third);
  REQUIRE(last.ok());
  CHECK(SameBits(last->data(), alone(again).data(), vocab));
  second = std::move(first);
  third.Truncate(10);
  CHECK(pages->free_pages() == 6);
}

TEST_CASE("scoring gives the training pass's loss, and rows of a batch do not see each other") {
  ThreadPool pool(2);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const auto decoder = Make(Config(dtype), {true, false}, pool);
    const TokenBatch batch = OneDocument(2, 64);
    double trained = 0, scored = 0;
    REQUIRE(decoder->TrainMicroBatch(batch, 128, trained).ok());
    REQUIRE(decoder->LossSum(batch, scored).ok());
    CHECK(trained == scored);

    std::vector<float> both(128 * 96), alone(64 * 96);
    REQUIRE(decoder->Logits(batch, both).ok());
    TokenBatch second = OneDocument(1, 64);
    std::copy(batch.ids.begin() + 64, batch.ids.end(), second.ids.begin());
    REQUIRE(decoder->Logits(second, alone).ok());
    CHECK(SameBits(both.data() + 64 * 96, alone.data(), alone.size()));

    // A document border is a wall: the second half reads like a text of its own.
    TokenBatch walled = OneDocument(1, 128);
    walled.ids = batch.ids;
    for (size_t i = 0; i < 128; ++i) {
      walled.document[i] = i < 64 ? 0 : 1;
      walled.position[i] = static_cast<int32_t>(i % 64);
    }
    REQUIRE(decoder->Logits(walled, both).ok());
    CHECK(SameBits(both.data() + 64 * 96, alone.data(), alone.size()));
  }
}

TEST_CASE("what does not fit is refused by name and changes nothing") {
  ThreadPool pool(1);
  const auto decoder = Make(Config(DType::kF32), {true, false}, pool);
  double loss = 0;
  REQUIRE(decoder->TrainMicroBatch(OneDocument(2, 64), 128, loss).ok());
  const Status other = decoder->TrainMicroBatch(OneDocument(1, 64), 64, loss);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().what == "the training step was planned for micro-batches of 2 x 64, not 1 x 64");

  TokenBatch bad = OneDocument(2, 64);
  bad.ids[77] = 96;
  CHECK(decoder->TrainMicroBatch(bad, 128, loss).error().what ==
        "token id 96 is not between 0 and 95 (row 77 of the batch)");
  bad = OneDocument(2, 64);
  bad.targets[3] = -1;
  CHECK_FALSE(decoder->TrainMicroBatch(bad, 128, loss).ok());
  bad = OneDocument(2, 64);
  bad.position[0] = 320;
  CHECK_FALSE(decoder->LossSum(bad, loss).ok());
  bad = OneDocument(2, 64);
  bad.document.pop_back();
  CHECK_FALSE(decoder->LossSum(bad, loss).ok());
  CHECK_FALSE(decoder->LossSum(OneDocument(1, 321), loss).ok());

  auto cache = KvCache::Create(decoder->config(), 20);
  REQUIRE(cache.ok());
  const std::vector<int32_t> tokens(15, 1);
  REQUIRE(decoder->Extend(tokens, *cache).ok());
  CHECK_FALSE(decoder->Extend(tokens, *cache).ok());
  CHECK(cache->length() == 15);
  CHECK_FALSE(decoder->Extend(std::vector<int32_t>{-1}, *cache).ok());
  CHECK_FALSE(KvCache::Create(decoder->config(), 321).ok());
}

TEST_CASE("initial weights are a function of the seed alone, with the right spread") {
  ThreadPool one(1), three(3);
  const DecoderConfig config = Config(DType::kBF16);
  const auto a = Make(config, {}, one);
  const auto b = Make(config, {}, three);
  for (const Parameter& p : a->parameters().all()) {
    const Parameter* q = b->parameters().Find(p.name);
    CHECK(SameBits(p.weight.f32(), q->weight.f32(), static_cast<size_t>(p.shape.Count())));
    double sum = 0, squares = 0, largest = 0;
    for (const float w : p.weight.F32Span()) {
      sum += w;
      squares += double{w} * w;
      largest = std::max(largest, std::abs(double{w}));
    }
    const auto count = static_cast<double>(p.shape.Count());
    if (p.shape.rank() == 1) {
      CHECK(sum == count);
      continue;
    }
    const bool residual = p.name.find("o_proj") != std::string::npos || p.name.find("down_proj") != std::string::npos;
    const double deviation = residual ? 0.01 : 0.02;  // two layers: sqrt(2 * 2)
    CHECK(std::abs(sum / count) < deviation / 10);
    CHECK(std::sqrt(squares / count) == doctest::Approx(deviation).epsilon(0.05));
    CHECK(largest <= 3.001 * deviation);
  }
  b->Init(6);
  CHECK_FALSE(SameBits(a->parameters().all()[0].weight.f32(), b->parameters().all()[0].weight.f32(), 16));
}

TEST_CASE("recomputation takes less memory, and the plan is the memory") {
  ThreadPool pool(1);
  DecoderConfig config = Config(DType::kBF16);
  config.layers = 6;
  const auto plain = Make(config, {true, false}, pool);
  const auto again = Make(config, {true, true}, pool);
  REQUIRE(plain->Prepare(8, 256).ok());
  REQUIRE(again->Prepare(8, 256).ok());
  CHECK(plain->memory().activations > 0);
  CHECK(static_cast<double>(again->memory().activations) < 0.5 * static_cast<double>(plain->memory().activations));
  CHECK(plain->memory().weights >= static_cast<size_t>(ParameterCount(config)) * 6);
  const size_t before = plain->memory().activations;
  double loss = 0;
  REQUIRE(plain->TrainMicroBatch(OneDocument(8, 256), 2048, loss).ok());
  CHECK(plain->memory().activations == before);
}

}  // namespace pintle
