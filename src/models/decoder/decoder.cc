#include "models/decoder/decoder.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "models/decoder/forward.h"
#include "models/decoder/init.h"
#include "nn/stored_ops.h"

namespace pintle {
namespace {

// Rows of a prompt that go through the blocks at once.
constexpr int64_t kExtendRows = 256;

// A recorded forward pass with its inputs.
struct Graph {
  std::unique_ptr<Tape> tape;
  Var tokens, positions, documents, targets, hidden;

  [[nodiscard]] bool Has(int64_t batch, int64_t time) const {
    return tape != nullptr && tape->options().batch == batch && tape->options().time == time;
  }
};

enum class GraphKind { kTrain, kLoss, kHidden, kCached };

Status CheckRange(const char* what, const std::vector<int32_t>& values, int64_t limit, bool allow_ignored) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t value = values[i];
    if ((value >= 0 && value < limit) || (allow_ignored && value == kernels::kIgnoredTarget)) continue;
    return ValidationError(std::string(what) + " " + std::to_string(value) + " is not between 0 and " +
                           std::to_string(limit - 1) + " (row " + std::to_string(i) + " of the batch)");
  }
  return {};
}

}  // namespace

struct Decoder::Impl {
  DecoderConfig config;
  DecoderOptions options;
  ThreadPool* pool = nullptr;
  ParameterRegistry registry;
  DecoderWeights weights;
  Arena adopted;  // weights of foreign models
  Arena rope_arena, logits_arena, head_scratch;
  float *rope_cos = nullptr, *rope_sin = nullptr;
  Graph train, loss, hidden, cached;
  std::vector<int32_t> cached_positions, cached_tokens;
  double head_seconds = 0;  // of heads outside a tape

  Status Prepare(const DecoderConfig& new_config, const DecoderOptions& new_options, ThreadPool& new_pool);
  Status PrepareCached();
  Status CheckTokens(std::span<const int32_t> tokens, const KvCache& cache) const;
  static Status ReservePages(int64_t rows, KvCache& cache);
  Status Build(GraphKind kind, int64_t batch, int64_t time, Graph& graph);
  [[nodiscard]] Status Check(const TokenBatch& batch, bool targets) const;
  static void Bind(Graph& graph, const TokenBatch& batch);
  void Head(const Graph& graph, int64_t first, int64_t rows, float* logits);
};

Decoder::Decoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Decoder::~Decoder() = default;
const DecoderConfig& Decoder::config() const { return impl_->config; }
ParameterRegistry& Decoder::parameters() { return impl_->registry; }
const ParameterRegistry& Decoder::parameters() const { return impl_->registry; }

// Parameters are declared; RoPE tables are made, padded as heads are (nn/stored_ops.h).
Status Decoder::Impl::Prepare(const DecoderConfig& new_config, const DecoderOptions& new_options,
                              ThreadPool& new_pool) {
  config = new_config;
  options = new_options;
  pool = &new_pool;
  weights = DeclareDecoder(config, registry);
  const int64_t padded = PaddedHeadDim(config.head_dim), half = config.head_dim / 2;
  const Shape table = {config.context, padded / 2};
  PINTLE_ASSIGN(rope_arena, Arena::Create(2 * Arena::BytesFor(DType::kF32, table)));
  rope_cos = rope_arena.AllocateTensor(DType::kF32, table).f32();
  rope_sin = rope_arena.AllocateTensor(DType::kF32, table).f32();
  std::vector<double> frequency(static_cast<size_t>(padded / 2));
  kernels::RopeFrequencies(config.rope_theta, config.head_dim, frequency.data());
  for (size_t i = 0; i < config.rope_factors.size(); ++i) frequency[i] /= static_cast<double>(config.rope_factors[i]);
  PINTLE_CHECK(config.rope_factors.empty() || static_cast<int64_t>(config.rope_factors.size()) == half,
               "one RoPE factor a frequency");
  kernels::RopeTable(frequency.data(), padded, config.context, rope_cos, rope_sin);
  return {};
}

Result<std::unique_ptr<Decoder>> Decoder::Create(const DecoderConfig& config, const DecoderOptions& options,
                                                 ThreadPool& pool) {
  PINTLE_RETURN_IF_ERROR(ValidateDecoderConfig(config, config.name));
  auto impl = std::make_unique<Impl>();
  PINTLE_RETURN_IF_ERROR(impl->Prepare(config, options, pool));
  PINTLE_RETURN_IF_ERROR(impl->registry.Allocate(options.training));
  return std::unique_ptr<Decoder>(new Decoder(std::move(impl)));
}

Result<std::unique_ptr<Decoder>> Decoder::CreateEmpty(const DecoderConfig& config, ThreadPool& pool) {
  PINTLE_RETURN_IF_ERROR(ValidateForeignConfig(config, config.name));
  auto impl = std::make_unique<Impl>();
  PINTLE_RETURN_IF_ERROR(impl->Prepare(config, {}, pool));
  return std::unique_ptr<Decoder>(new Decoder(std::move(impl)));
}

void Decoder::AdoptWeights(Arena memory) { impl_->adopted = std::move(memory); }

void Decoder::Init(uint64_t seed) {
  InitDecoder(seed, impl_->weights, impl_->registry, *impl_->pool);
  WeightsChanged();
}

void Decoder::WeightsChanged() { impl_->registry.RefreshBF16(*impl_->pool); }

Status Decoder::Impl::Build(GraphKind kind, int64_t batch, int64_t time, Graph& graph) {
  graph = {};
  TapeOptions tape_options;
  tape_options.dtype = config.dtype;
  tape_options.profile = config.profile;
  tape_options.training = kind == GraphKind::kTrain;
  tape_options.recompute = options.recompute;
  tape_options.batch = batch;
  tape_options.time = time;
  graph.tape = std::make_unique<Tape>(tape_options, *pool);
  Tape& tape = *graph.tape;
  graph.tokens = tape.Input();
  graph.positions = tape.Input();
  if (kind != GraphKind::kCached) graph.documents = tape.Input();
  graph.hidden =
      DecoderForward(tape, config, weights, rope_cos, rope_sin, graph.tokens, graph.positions, {graph.documents});
  if (kind == GraphKind::kTrain || kind == GraphKind::kLoss) {
    graph.targets = tape.Input();
    HeadLoss(tape, graph.hidden, *weights.lm_head, graph.targets);
    return tape.Plan();
  }
  return tape.Plan(graph.hidden);
}

Status Decoder::Impl::Check(const TokenBatch& b, bool targets) const {
  const auto rows = static_cast<size_t>(b.batch * b.time);
  if (b.batch < 1 || b.time < 1 || b.time > config.context) {
    return ValidationError("a batch of " + std::to_string(b.batch) + " x " + std::to_string(b.time) +
                           " tokens; the context is " + std::to_string(config.context));
  }
  if (b.ids.size() != rows || b.document.size() != rows || b.position.size() != rows ||
      (targets && b.targets.size() != rows)) {
    return ValidationError("the vectors of a batch do not have batch x time elements");
  }
  PINTLE_RETURN_IF_ERROR(CheckRange("token id", b.ids, config.vocab, false));
  PINTLE_RETURN_IF_ERROR(CheckRange("position", b.position, config.context, false));
  if (targets) PINTLE_RETURN_IF_ERROR(CheckRange("target", b.targets, config.vocab, true));
  return {};
}

void Decoder::Impl::Bind(Graph& graph, const TokenBatch& batch) {
  graph.tape->Bind(graph.tokens, batch.ids.data());
  graph.tape->Bind(graph.positions, batch.position.data());
  graph.tape->Bind(graph.documents, batch.document.data());
  if (graph.targets.valid()) graph.tape->Bind(graph.targets, batch.targets.data());
}

void Decoder::Impl::Head(const Graph& graph, int64_t first, int64_t rows, float* logits) {
  const double start = MonotonicSeconds();
  const Tape& tape = *graph.tape;
  const Value& value = tape.value(graph.hidden);
  const char* x = tape.Get<char>(tape.bf16() ? value.bf16 : value.f32);
  if (weights.lm_head->quant.panels != nullptr) {
    ApplyStoredHead(tape.Get<float>(value.f32) + first * config.width, rows, *weights.lm_head, logits,
                    head_scratch.base(), *pool);
    head_seconds += MonotonicSeconds() - start;
    return;
  }
  ApplyHead(config.dtype, config.profile, x + first * config.width * ElementSize(config.dtype), rows, *weights.lm_head,
            logits, *pool);
  head_seconds += MonotonicSeconds() - start;
}

Status Decoder::Prepare(int64_t batch, int64_t time) {
  PINTLE_CHECK(impl_->options.training, "the decoder was made without training");
  Graph& graph = impl_->train;
  if (graph.Has(batch, time)) return {};
  if (graph.tape != nullptr) {
    const TapeOptions& planned = graph.tape->options();
    return ValidationError("the training step was planned for micro-batches of " + std::to_string(planned.batch) +
                           " x " + std::to_string(planned.time) + ", not " + std::to_string(batch) + " x " +
                           std::to_string(time));
  }
  if (batch < 1 || time < 1 || time > impl_->config.context) {
    return ValidationError("micro-batches of " + std::to_string(batch) + " x " + std::to_string(time) +
                           "; the context is " + std::to_string(impl_->config.context));
  }
  return impl_->Build(GraphKind::kTrain, batch, time, graph);
}

Status Decoder::TrainMicroBatch(const TokenBatch& batch, int64_t target_count, double& loss_sum) {
  PINTLE_RETURN_IF_ERROR(impl_->Check(batch, true));
  PINTLE_RETURN_IF_ERROR(Prepare(batch.batch, batch.time));
  PINTLE_CHECK(target_count > 0, "a step has targets");
  Impl::Bind(impl_->train, batch);
  Tape& tape = *impl_->train.tape;
  tape.loss_sum = &loss_sum;
  tape.set_gradient_scale(static_cast<float>(1.0 / static_cast<double>(target_count)));
  tape.Forward(tape.max_rows());
  tape.Backward();
  return {};
}

Status Decoder::LossSum(const TokenBatch& batch, double& loss_sum) {
  PINTLE_RETURN_IF_ERROR(impl_->Check(batch, true));
  Graph& graph = impl_->loss;
  if (!graph.Has(batch.batch, batch.time)) {
    PINTLE_RETURN_IF_ERROR(impl_->Build(GraphKind::kLoss, batch.batch, batch.time, graph));
  }
  Impl::Bind(graph, batch);
  graph.tape->loss_sum = &loss_sum;
  graph.tape->Forward(graph.tape->max_rows());
  return {};
}

Status Decoder::Logits(const TokenBatch& batch, std::span<float> logits) {
  PINTLE_RETURN_IF_ERROR(impl_->Check(batch, false));
  const int64_t rows = batch.batch * batch.time;
  PINTLE_CHECK(static_cast<int64_t>(logits.size()) == rows * impl_->config.vocab, "logits take batch x time x vocab");
  Graph& graph = impl_->hidden;
  if (!graph.Has(batch.batch, batch.time)) {
    PINTLE_RETURN_IF_ERROR(impl_->Build(GraphKind::kHidden, batch.batch, batch.time, graph));
  }
  Impl::Bind(graph, batch);
  graph.tape->Forward(rows);
  impl_->Head(graph, 0, rows, logits.data());
  return {};
}

Status Decoder::Impl::CheckTokens(std::span<const int32_t> tokens, const KvCache& cache) const {
  const auto count = static_cast<int64_t>(tokens.size());
  if (cache.length() + count > cache.capacity()) {
    return ValidationError(std::to_string(cache.length()) + " + " + std::to_string(count) +
                               " tokens do not fit into a cache of " + std::to_string(cache.capacity()),
                           "", "shorten the prompt or ask for fewer new tokens");
  }
  for (const int32_t id : tokens) {
    if (id < 0 || id >= config.vocab) {
      return ValidationError("token id " + std::to_string(id) + " is not between 0 and " +
                             std::to_string(config.vocab - 1));
    }
  }
  return {};
}

// Every sequence must have its pages before a pass changes any of them.
Status Decoder::Impl::ReservePages(int64_t rows, KvCache& cache) {
  if (cache.Reserve(rows)) return {};
  return RuntimeError("there is no room left for keys and values");
}

Status Decoder::Impl::PrepareCached() {
  if (cached.tape != nullptr) return {};
  PINTLE_RETURN_IF_ERROR(Build(GraphKind::kCached, 1, kExtendRows, cached));
  cached_positions.resize(static_cast<size_t>(kExtendRows));
  cached_tokens.resize(static_cast<size_t>(kExtendRows));
  const Shape shape = {kExtendRows, config.vocab};
  PINTLE_ASSIGN(logits_arena, Arena::Create(Arena::BytesFor(DType::kF32, shape)));
  const int64_t scratch =
      weights.lm_head->quant.panels != nullptr ? StoredHeadScratch(*weights.lm_head, kExtendRows) : 0;
  PINTLE_ASSIGN(head_scratch, Arena::Create(static_cast<size_t>(scratch)));
  cached.tape->Bind(cached.positions, cached_positions.data());
  return {};
}

Result<std::span<const float>> Decoder::Extend(std::span<const int32_t> tokens, KvCache& cache, int64_t rows) {
  Impl& m = *impl_;
  const auto count = static_cast<int64_t>(tokens.size());
  PINTLE_CHECK(rows >= 1 && rows <= count && rows <= kExtendRows, "1 <= rows <= min(tokens, 256)");
  PINTLE_RETURN_IF_ERROR(m.CheckTokens(tokens, cache));
  PINTLE_RETURN_IF_ERROR(m.PrepareCached());
  PINTLE_RETURN_IF_ERROR(Impl::ReservePages(count, cache));
  float* logits = reinterpret_cast<float*>(m.logits_arena.base());
  Tape& tape = *m.cached.tape;
  for (int64_t first = 0; first < count; first += kExtendRows) {
    const int64_t chunk = std::min(kExtendRows, count - first);
    for (int64_t i = 0; i < chunk; ++i) {
      m.cached_positions[static_cast<size_t>(i)] = static_cast<int32_t>(cache.length() + i);
    }
    tape.Bind(m.cached.tokens, tokens.data() + first);
    const KvSequence sequence = {chunk, cache.length(), cache.layers(), cache.type()};
    tape.BindKv({&sequence, 1});
    tape.Forward(chunk);
    cache.Advance(chunk);
    // The wanted rows of this chunk: tokens [count - rows, count) cut with [first, first + chunk).
    const int64_t begin = std::max(first, count - rows);
    if (begin < first + chunk) {
      m.Head(m.cached, begin - first, first + chunk - begin, logits + (begin - (count - rows)) * m.config.vocab);
    }
  }
  return std::span<const float>(logits, static_cast<size_t>(rows * m.config.vocab));
}

Result<std::span<const float>> Decoder::ExtendBatch(std::span<const Sequence> sequences) {
  static_assert(kMaxBatchTokens == kExtendRows && kMaxBatch == kMaxKvSequences);
  Impl& m = *impl_;
  PINTLE_CHECK(!sequences.empty() && sequences.size() <= static_cast<size_t>(kMaxBatch), "1 to 64 sequences");
  for (const Sequence& sequence : sequences) PINTLE_RETURN_IF_ERROR(m.CheckTokens(sequence.tokens, *sequence.cache));
  PINTLE_RETURN_IF_ERROR(m.PrepareCached());
  for (const Sequence& sequence : sequences) {
    PINTLE_RETURN_IF_ERROR(Impl::ReservePages(static_cast<int64_t>(sequence.tokens.size()), *sequence.cache));
  }
  std::array<KvSequence, kMaxBatch> parts;
  int64_t rows = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& sequence = sequences[i];
    const auto count = static_cast<int64_t>(sequence.tokens.size());
    PINTLE_CHECK(count >= 1 && rows + count <= kMaxBatchTokens, "a batch has at most 256 tokens");
    PINTLE_CHECK(sequence.rows >= 1 && sequence.rows <= count, "logits are wanted of 1 to all tokens");
    parts.at(i) = {count, sequence.cache->length(), sequence.cache->layers(), sequence.cache->type()};
    for (int64_t t = 0; t < count; ++t, ++rows) {
      m.cached_tokens[static_cast<size_t>(rows)] = sequence.tokens[static_cast<size_t>(t)];
      m.cached_positions[static_cast<size_t>(rows)] = static_cast<int32_t>(parts.at(i).first_position + t);
    }
  }
  Tape& tape = *m.cached.tape;
  tape.Bind(m.cached.tokens, m.cached_tokens.data());
  tape.BindKv({parts.data(), sequences.size()});
  tape.Forward(rows);
  float* logits = reinterpret_cast<float*>(m.logits_arena.base());
  // Wanted rows that are neighbours, as those of sequences of one token are, go through the head together.
  int64_t end = 0, done = 0, first = 0, count = 0;
  const auto flush = [&] {
    if (count > 0) m.Head(m.cached, first, count, logits + done * m.config.vocab);
    done += count;
    count = 0;
  };
  for (size_t i = 0; i < sequences.size(); ++i) {
    end += parts.at(i).rows;
    if (end - sequences[i].rows != first + count) flush();
    if (count == 0) first = end - sequences[i].rows;
    count += sequences[i].rows;
  }
  flush();
  for (size_t i = 0; i < sequences.size(); ++i) sequences[i].cache->Advance(parts.at(i).rows);
  return std::span<const float>(logits, static_cast<size_t>(done * m.config.vocab));
}

DecoderMemory Decoder::memory() const {
  DecoderMemory memory;
  memory.weights = impl_->registry.weight_bytes() + impl_->adopted.capacity() + impl_->rope_arena.capacity();
  memory.gradients = impl_->registry.gradient_bytes();
  memory.activations = impl_->logits_arena.capacity() + impl_->head_scratch.capacity();
  for (const Graph* graph : {&impl_->train, &impl_->loss, &impl_->hidden, &impl_->cached}) {
    if (graph->tape != nullptr) memory.activations += graph->tape->memory_bytes();
  }
  return memory;
}

DecoderTimes Decoder::times() const {
  DecoderTimes times;
  times.head = impl_->head_seconds;
  for (const Graph* graph : {&impl_->train, &impl_->loss, &impl_->hidden, &impl_->cached}) {
    if (graph->tape == nullptr) continue;
    const auto& seconds = graph->tape->seconds();
    times.linear += seconds[static_cast<size_t>(OpKind::kLinear)];
    times.head += seconds[static_cast<size_t>(OpKind::kHead)];
    times.attention += seconds[static_cast<size_t>(OpKind::kAttention)];
    times.elementwise += seconds[static_cast<size_t>(OpKind::kElementwise)];
  }
  return times;
}

void Decoder::ResetTimes() {
  impl_->head_seconds = 0;
  for (const Graph* graph : {&impl_->train, &impl_->loss, &impl_->hidden, &impl_->cached}) {
    if (graph->tape != nullptr) graph->tape->ResetTimes();
  }
}

}  // namespace pintle
