#include "models/decoder/gguf_loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/rng.h"
#include "formats/gguf_names.h"
#include "formats/half.h"
#include "models/decoder/family.h"

namespace pintle {
namespace {

const std::filesystem::path kStories = std::filesystem::path(PINTLE_SOURCE_DIR) / "src/models/decoder/testdata";

// Greedy ids from BOS on, at most `count` of them, ended by the next BOS.
std::vector<int32_t> Greedy(Decoder& decoder, int64_t count) {
  auto cache = KvCache::Create(decoder.config());
  REQUIRE(cache.ok());
  std::vector<int32_t> ids = {1};
  while (static_cast<int64_t>(ids.size()) < count) {
    const auto logits = decoder.Extend({&ids.back(), 1}, *cache);
    REQUIRE(logits.ok());
    ids.push_back(static_cast<int32_t>(std::max_element(logits->begin(), logits->end()) - logits->begin()));
    if (ids.back() == 1) break;
  }
  return ids;
}

// The text of SPM tokens, by the file's own list: U+2581 is a space, <0x0A> a byte; the first space is not printed.
std::string SpmText(const GgufHeader& header, const std::vector<int32_t>& ids) {
  const auto& tokens = header.Find("tokenizer.ggml.tokens")->strings;
  std::string text;
  for (const int32_t id : ids) {
    std::string token = tokens[static_cast<size_t>(id)];
    if (id == 1) continue;
    if (token.size() == 6 && token.starts_with("<0x"))
      token = static_cast<char>(std::stoi(token.substr(3, 2), nullptr, 16));
    for (size_t at = 0; (at = token.find("\u2581", at)) != std::string::npos;) token.replace(at, 3, " ");
    text += token;
  }
  return text.substr(text.starts_with(' ') ? 1 : 0);
}

std::unique_ptr<Decoder> Load(const std::filesystem::path& path, ThreadPool& pool) {
  const auto file = GgufFile::Open(path);
  REQUIRE(file.ok());
  const auto plan = PlanGguf(*file, 0);
  if (!plan.ok()) FAIL(plan.error().Message());
  auto decoder = LoadGguf(*file, *plan, pool);
  REQUIRE(decoder.ok());
  return std::move(*decoder);
}

// A small random model of a family, with matrices of `type`.
std::filesystem::path Write(const std::filesystem::path& folder, const std::string& architecture, GgufType type,
                            const std::function<void(GgufMetadata&, std::vector<GgufItem>&)>& change = {}) {
  const int64_t width = 256, heads = 4, kv_heads = 2, head_dim = 64, ffn = 512, vocab = 96;
  const DecoderFamily* family = FindDecoderFamily(architecture);
  GgufMetadata metadata = {{"general.architecture", GgufValue::String(architecture)}};
  const auto count = [&](const char* key, uint32_t value) {
    metadata.emplace_back(architecture + "." + key, GgufValue::U32(value));
  };
  count("block_count", 2);
  count("context_length", 256);
  count("embedding_length", width);
  count("feed_forward_length", ffn);
  count("attention.head_count", heads);
  count("attention.head_count_kv", kv_heads);
  count("attention.key_length", head_dim);
  std::vector<GgufItem> items;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape) {
    const GgufType own = shape.size() == 1 ? GgufType::kF32 : type;
    const auto seed = static_cast<uint64_t>(items.size());
    items.push_back({name, shape, own, [shape, own, seed](std::string& out) -> Status {
                       int64_t elements = 1;
                       for (const int64_t extent : shape) elements *= extent;
                       RandomStream random(seed, Purpose::kTest, 9);
                       std::vector<float> values(static_cast<size_t>(elements));
                       const float middle = shape.size() == 1 ? 0.75f : -0.1f, spread = shape.size() == 1 ? 0.5f : 0.2f;
                       for (float& value : values) value = middle + spread * random.NextFloat();
                       GgufEncode(own, values.data(), elements, out);
                       return {};
                     }});
  };
  add("token_embd.weight", {vocab, width});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    add(block + "attn_norm.weight", {width});
    add(block + "attn_q.weight", {heads * head_dim, width});
    add(block + "attn_k.weight", {kv_heads * head_dim, width});
    add(block + "attn_v.weight", {kv_heads * head_dim, width});
    if (family->qkv_bias) {
      add(block + "attn_q.bias", {heads * head_dim});
      add(block + "attn_k.bias", {kv_heads * head_dim});
      add(block + "attn_v.bias", {kv_heads * head_dim});
    }
    if (family->qk_norm) {
      add(block + "attn_q_norm.weight", {head_dim});
      add(block + "attn_k_norm.weight", {head_dim});
    }
    add(block + "attn_output.weight", {width, heads * head_dim});
    add(block + "ffn_norm.weight", {width});
    add(block + "ffn_gate.weight", {ffn, width});
    add(block + "ffn_up.weight", {ffn, width});
    add(block + "ffn_down.weight", {width, ffn});
  }
  add("output_norm.weight", {width});
  if (change) change(metadata, items);
  REQUIRE(WriteGguf(folder / "model.gguf", metadata, items).ok());
  return folder / "model.gguf";
}

std::vector<float> Logits(Decoder& decoder, const std::vector<int32_t>& ids) {
  auto cache = KvCache::Create(decoder.config());
  const auto logits = decoder.Extend(ids, *cache, static_cast<int64_t>(ids.size()));
  REQUIRE(logits.ok());
  return {logits->begin(), logits->end()};
}

const std::vector<int32_t> kIds = {5, 17, 93, 2, 44, 44, 61, 8, 70, 12, 1, 33, 90};

}  // namespace

TEST_CASE("stories260K as GGUF: the published greedy text, and q8_0 begins with the same words") {
  ThreadPool pool(2);
  const auto f32 = Load(kStories / "stories260K-f32.gguf", pool);
  CHECK(f32->config().head_dim == 8);
  const std::vector<int32_t> ids = Greedy(*f32, 201);
  const auto file = GgufFile::Open(kStories / "stories260K-f32.gguf");
  CHECK(SpmText(file->header(), ids) + "\n" == ReadFile(kStories / "expected_n200_t0.txt").value());
  const auto q8 = Load(kStories / "../../../formats/testdata/stories260K-q8_0.gguf", pool);
  CHECK(Greedy(*q8, 21) == std::vector<int32_t>(ids.begin(), ids.begin() + 21));
}

TEST_CASE("every family: the batch, chunks and threads do not show in the logits") {
  const TemporaryFolder folder;
  ThreadPool one(1), three(3);
  for (const char* architecture : {"llama", "qwen2", "qwen3"}) {
    for (const GgufType type : {GgufType::kF32, GgufType::kBF16, GgufType::kQ8_0, GgufType::kF16}) {
      CAPTURE(architecture);
      CAPTURE(GgufTypeName(type));
      const auto path = Write(folder.path(), architecture, type);
      const auto decoder = Load(path, one), threaded = Load(path, three);
      const std::vector<float> whole = Logits(*decoder, kIds);
      CHECK(whole == Logits(*threaded, kIds));
      const auto vocab = static_cast<size_t>(decoder->config().vocab);
      // Three sequences that take turns in batches of uneven pieces.
      std::vector<KvCache> caches;
      caches.reserve(3);
      for (int i = 0; i < 3; ++i) caches.push_back(KvCache::Create(decoder->config()).value());
      const std::vector<size_t> pieces = {1, 4, 1, 1, 6};
      size_t done = 0;
      for (const size_t piece : pieces) {
        const std::span<const int32_t> next(kIds.data() + done, piece);
        std::vector<Decoder::Sequence> batch;
        batch.reserve(caches.size());
        for (KvCache& cache : caches) batch.push_back({next, &cache});
        const auto logits = threaded->ExtendBatch(batch);
        REQUIRE(logits.ok());
        done += piece;
        for (size_t i = 0; i < 3; ++i) {
          CHECK(std::memcmp(logits->data() + i * vocab, whole.data() + (done - 1) * vocab, vocab * 4) == 0);
        }
      }
    }
  }
}

TEST_CASE("a sliding window: every position sees so many, however the tokens are cut") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  const int64_t window = 70, layers = 2, count = 200;
  const auto path = Write(folder.path(), "llama", GgufType::kQ8_0, [&](GgufMetadata& metadata, auto&) {
    metadata.emplace_back("llama.attention.sliding_window", GgufValue::U32(window));
  });
  const auto decoder = Load(path, pool);
  CHECK(decoder->config().window == window);
  CHECK(decoder->config().context == 256);
  std::vector<int32_t> ids;
  ids.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(i * i % 96));
  const std::vector<float> whole = Logits(*decoder, ids);
  const auto vocab = static_cast<size_t>(decoder->config().vocab);
  auto cache = KvCache::Create(decoder->config());
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto logits = decoder->Extend({&ids[i], 1}, *cache);
    REQUIRE(logits.ok());
    REQUIRE(std::memcmp(logits->data(), whole.data() + i * vocab, vocab * 4) == 0);
  }
  // A token reaches through each layer as far as the window, and no further.
  ids[0] = 95;
  const std::vector<float> other = Logits(*decoder, ids);
  const auto reach = static_cast<size_t>(layers * (window - 1));
  for (const size_t i : {size_t{0}, reach}) {
    CHECK(std::memcmp(whole.data() + i * vocab, other.data() + i * vocab, vocab * 4) != 0);
  }
  for (size_t i = reach + 1; i < ids.size(); ++i) {
    CHECK(std::memcmp(whole.data() + i * vocab, other.data() + i * vocab, vocab * 4) == 0);
  }
}

TEST_CASE("a model of our own gives the same bits from a GGUF file, in fp32 and bf16") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    CAPTURE(DTypeName(dtype));
    DecoderConfig config;
    config.vocab = 96;
    config.width = 64;
    config.layers = 2;
    config.heads = 4;
    config.kv_heads = 2;
    config.head_dim = 16;
    config.ffn = 96;
    config.context = 64;
    config.dtype = dtype;
    const auto decoder = Decoder::Create(config, {}, pool);
    REQUIRE(decoder.ok());
    (*decoder)->Init(3);
    // A bf16 model's table is read as bf16 as well: it must hold such values.
    for (float& value : (*decoder)->parameters().Find("model.embed_tokens.weight")->weight.F32Span()) {
      if (dtype == DType::kBF16) value = FloatOfBF16(BF16OfFloat(value));
    }
    (*decoder)->WeightsChanged();
    GgufMetadata metadata = {{"general.architecture", GgufValue::String("qwen3")},
                             {"qwen3.rope.freq_base", GgufValue::F32(1e6f)},
                             {"qwen3.attention.layer_norm_rms_epsilon", GgufValue::F32(1e-6f)}};
    const auto count = [&](const char* key, int64_t value) {
      metadata.emplace_back(std::string("qwen3.") + key, GgufValue::U32(static_cast<uint32_t>(value)));
    };
    count("block_count", config.layers);
    count("context_length", config.context);
    count("embedding_length", config.width);
    count("feed_forward_length", config.ffn);
    count("attention.head_count", config.heads);
    count("attention.head_count_kv", config.kv_heads);
    count("attention.key_length", config.head_dim);
    std::vector<GgufItem> items;
    for (const Parameter& p : (*decoder)->parameters().all()) {
      std::vector<int64_t> shape;
      shape.reserve(static_cast<size_t>(p.shape.rank()));
      for (int i = 0; i < p.shape.rank(); ++i) shape.push_back(p.shape[i]);
      const GgufType type = shape.size() == 2 && dtype == DType::kBF16 ? GgufType::kBF16 : GgufType::kF32;
      items.push_back({GgufNameOf(p.name), shape, type, [&p, type](std::string& out) -> Status {
                         GgufEncode(type, p.weight.f32(), p.weight.count(), out);
                         return {};
                       }});
    }
    REQUIRE(WriteGguf(folder.path() / "own.gguf", metadata, items).ok());
    const auto loaded = Load(folder.path() / "own.gguf", pool);
    CHECK(loaded->config().dtype == dtype);
    const std::vector<float> ours = Logits(**decoder, kIds), theirs = Logits(*loaded, kIds);
    CHECK(std::memcmp(ours.data(), theirs.data(), ours.size() * 4) == 0);
  }
}

TEST_CASE("damaged models are refused with the tensor's name") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  const auto error = [&](const std::function<void(GgufMetadata&, std::vector<GgufItem>&)>& change) {
    const auto file = GgufFile::Open(Write(folder.path(), "llama", GgufType::kQ8_0, change));
    REQUIRE(file.ok());
    const auto plan = PlanGguf(*file, 0);
    if (!plan.ok()) return plan.error().what;
    const auto decoder = LoadGguf(*file, *plan, pool);
    return decoder.ok() ? std::string() : decoder.error().what;
  };
  CHECK(error({}).empty());
  CHECK(error([](auto&, auto& items) { items.pop_back(); }) == "the tensor output_norm.weight is missing");
  CHECK(error([](auto&, auto& items) { items.push_back(items[1]), items.back().name = "surplus"; }) ==
        "the tensor surplus has no place in this architecture");
  CHECK(error([](auto&, auto& items) { items[2].name = "blk.7.attn_q.weight"; }) ==
        "the tensor blk.0.attn_q.weight is missing");
  CHECK(error([](auto& metadata, auto&) { metadata[5].second = GgufValue::U32(3); }).find("no multiple") !=
        std::string::npos);
  CHECK(error([](auto& metadata, auto&) { metadata[0].second = GgufValue::String("gpt9"); }) ==
        "the architecture 'gpt9' is not known");
  CHECK(error([](auto& metadata, auto&) { metadata[4].second = GgufValue::U32(1024); }).find("has the shape") !=
        std::string::npos);
  const auto infinite = error([](auto&, auto& items) {
    items.back().encode = [](std::string& out) -> Status {
      std::vector<float> values(256, 1.0f);
      values[77] = INFINITY;
      GgufEncode(GgufType::kF32, values.data(), 256, out);
      return {};
    };
  });
  CHECK(infinite == "the tensor output_norm.weight holds weights that are not finite");
}

}  // namespace pintle
