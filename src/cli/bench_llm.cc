// `pintle bench llm`: prompt and generation speed of a GGUF model, of one answer and of several at once, beside the
// read bandwidth measured in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"
#include "kernels/peak.h"
#include "tensor/arena.h"

namespace pintle {
namespace {

struct Options {
  std::string model, kv = "f16";  // as other engines keep them
  int64_t prompt = 512, generate = 64, repeat = 3, streams = 0;
};

// The best of a few reads through memory larger than the caches.
Result<double> ReadBandwidth(int threads) {
  constexpr size_t kBytes = size_t{256} << 20;
  PINTLE_ASSIGN(const Arena arena, Arena::Create(kBytes));
  std::memset(arena.base(), 1, kBytes);
  ThreadPool pool(threads);
  return kernels::PeakReadGbPerSecond(pool, arena.base(), kBytes, 5);
}

// Seconds of a pass that gives each of several answers its next token, the mean of a run, the best run: each has a
// prompt of its own behind it.
Result<double> StreamSeconds(const Options& options, const std::vector<int32_t>& prompt, Decoder& decoder) {
  std::vector<KvCache> caches;
  std::vector<Decoder::Sequence> sequences;
  for (int64_t i = 0; i < options.streams; ++i) {
    PINTLE_ASSIGN(KvCache cache, KvCache::Create(decoder.config()));
    PINTLE_RETURN_IF_ERROR(decoder.Extend(prompt, cache));
    caches.push_back(std::move(cache));
  }
  sequences.reserve(caches.size());
  for (KvCache& cache : caches) sequences.push_back({{prompt.data(), 1}, &cache});
  double best = 1e9;
  for (int64_t repeat = 0; repeat < options.repeat; ++repeat) {
    for (KvCache& cache : caches) cache.Truncate(options.prompt);
    const double start = MonotonicSeconds();
    for (int64_t i = 0; i < options.generate; ++i) {
      if (Interrupted()) return RuntimeError("interrupted");
      PINTLE_RETURN_IF_ERROR(decoder.ExtendBatch(sequences));
    }
    best = std::min(best, (MonotonicSeconds() - start) / static_cast<double>(options.generate));
  }
  return best;
}

Status Bench(const Options& options, const Global& global) {
  if (options.prompt < 1 || options.generate < 1 || options.repeat < 1) {
    return UsageError("--prompt, --generate and --repeat are 1 or more");
  }
  if (options.streams < 0 || options.streams > Decoder::kMaxBatch) {
    return UsageError("--streams is 0 to " + std::to_string(Decoder::kMaxBatch));
  }
  PINTLE_ASSIGN(const kernels::KvType kv, ParseKvType(options.kv));
  const int64_t context = options.prompt + options.generate;
  PINTLE_ASSIGN(const std::string path, ModelPath(options.model));
  PINTLE_ASSIGN(const std::unique_ptr<GgufModel> model, GgufModel::Load(path, context, global.threads, kv));
  const DecoderConfig& config = model->description().plan.config;
  std::vector<int32_t> prompt(static_cast<size_t>(options.prompt));
  for (size_t i = 0; i < prompt.size(); ++i) {
    prompt[i] = static_cast<int32_t>((static_cast<int64_t>(i) * 7919 + 11) % config.vocab);
  }
  double prompt_seconds = 1e9, token_seconds = 1e9, bandwidth = 0, resident = 0;
  PINTLE_ASSIGN(KvCache cache, KvCache::Create(config));
  for (int64_t repeat = 0; repeat < options.repeat; ++repeat) {
    cache.Truncate(0);
    double start = MonotonicSeconds();
    PINTLE_RETURN_IF_ERROR(model->decoder().Extend(prompt, cache));
    prompt_seconds = std::min(prompt_seconds, MonotonicSeconds() - start);
    start = MonotonicSeconds();
    for (int64_t i = 0; i < options.generate; ++i) {
      if (Interrupted()) return RuntimeError("interrupted");
      PINTLE_RETURN_IF_ERROR(model->decoder().Extend({&prompt[static_cast<size_t>(i % options.prompt)], 1}, cache));
    }
    token_seconds = std::min(token_seconds, (MonotonicSeconds() - start) / static_cast<double>(options.generate));
    if (repeat == 0) resident = PeakResidentBytes();  // before the memory that the bandwidth is measured with
    PINTLE_ASSIGN(const double read, ReadBandwidth(global.threads));
    bandwidth = std::max(bandwidth, read);
  }
  // A token reads all weights, of a table of embeddings that is no head one row alone, and the keys and values of the
  // positions before it.
  const int64_t reserved = KvCache::Pages(config.context) * KvCache::kPage;
  const double position_bytes = static_cast<double>(KvCache::Bytes(config)) / static_cast<double>(reserved);
  const Parameter* table = config.tied ? nullptr : model->decoder().parameters().Find("model.embed_tokens.weight");
  const int64_t unread = table == nullptr ? 0 : table->quant.bytes();
  const double read_bytes =
      static_cast<double>(model->description().plan.weight_bytes - unread) +
      position_bytes * (static_cast<double>(options.prompt) + 0.5 * static_cast<double>(options.generate));
  boost::json::object out = {{"model", model->description().name},
                             {"kv", options.kv},
                             {"pp_tokens_per_s", static_cast<double>(options.prompt) / prompt_seconds},
                             {"tg_tokens_per_s", 1 / token_seconds},
                             {"tg_gb_s", read_bytes / token_seconds * 1e-9},
                             {"load_ms", 1000 * model->load_seconds()},
                             {"peak_rss_mb", resident * 1e-6},
                             {"read_gb_s", bandwidth}};
  if (options.streams > 0) {
    PINTLE_ASSIGN(const double seconds, StreamSeconds(options, prompt, model->decoder()));
    out["streams"] = options.streams;
    out["streams_tokens_per_s"] = static_cast<double>(options.streams) / seconds;
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(out));
    return {};
  }
  for (const auto& [key, value] : out) fmt::print("{:<18} {}\n", std::string_view(key), DumpJson(value));
  return {};
}

}  // namespace

void RegisterBenchLlm(Command& bench) {
  auto options = std::make_shared<Options>();
  Command& verb = bench.Add("llm", "a model (GGUF): prompt and generation speed, load, memory");
  verb.Option("model", options->model, "a .gguf file or an id of `pintle models`").Required();
  verb.Option("--prompt", options->prompt, "tokens of the prompt");
  verb.Option("--generate", options->generate, "tokens to generate");
  verb.Option("--repeat", options->repeat, "the best of so many runs counts");
  verb.Option("--kv", options->kv, kKvHelp);
  verb.Option("--streams", options->streams, "measure so many answers at once as well; 0 = none");
  verb.Run([options](const Global& global) { return Bench(*options, global); });
}

}  // namespace pintle
