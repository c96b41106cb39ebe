// The decoder language model: weights, training micro-batches, loss without training, and cached logits for generation.
// There is one forward (forward.h); training and generation differ in the attention op alone, and a test holds their
// logits equal bit for bit. Not here: the optimizer (nn/optimizer.h), files (formats, the stages), sampling (generate).
//
// Numeric contract: same weights and tokens give the same bytes for any number of threads, instruction set, cache state
// or chunking of the prompt. Micro-batches 4x1 equal 1x4 bit for bit when T is a multiple of 64.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/decoder/batch.h"
#include "models/decoder/config.h"
#include "models/decoder/kv_cache.h"
#include "nn/parameters.h"
#include "tensor/arena.h"

namespace pintle {

/// How a Decoder is going to be used.
struct DecoderOptions {
  bool training = false;   ///< with gradients; without, only LossSum, Logits and Extend work
  bool recompute = false;  ///< forget the activations inside each block and compute them again in the backward pass
};

/// Bytes reserved: what the plan before a run prints is what the arenas hold.
struct DecoderMemory {
  size_t weights = 0, gradients = 0, activations = 0;
};

/// Where the seconds of the passes since ResetTimes went.
struct DecoderTimes {
  double linear = 0, head = 0, attention = 0, elementwise = 0;
};

/// One caller at a time; `pool` must outlive it.
class Decoder {
 public:
  /// Weights are zero until Init or until they are written through parameters() followed by WeightsChanged().
  static Result<std::unique_ptr<Decoder>> Create(const DecoderConfig& config, const DecoderOptions& options,
                                                 ThreadPool& pool);
  /// For loaders of foreign models: the parameters are declared but hold nothing; the loader points each of them into
  /// memory that it hands over by AdoptWeights. Only for use; LossSum and Logits want float weights.
  static Result<std::unique_ptr<Decoder>> CreateEmpty(const DecoderConfig& config, ThreadPool& pool);
  void AdoptWeights(Arena memory);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  [[nodiscard]] const DecoderConfig& config() const;
  /// Weights and gradients by Hugging Face name.
  [[nodiscard]] ParameterRegistry& parameters();
  [[nodiscard]] const ParameterRegistry& parameters() const;

  /// Random weights: normal with standard deviation 0.02, cut at three deviations, the projections back into the
  /// residual stream (o_proj, down_proj) divided by sqrt(2 L); gains 1. A pure function of (seed, tensor number,
  /// element).
  void Init(uint64_t seed);
  /// After weights were written from outside: rewrites the bf16 copies.
  void WeightsChanged();

  /// Reserves the activations for micro-batches of [batch, time]. TrainMicroBatch and LossSum do it on their first
  /// call; calling it before lets a plan print the memory. Another shape later is a validation error that names both.
  Status Prepare(int64_t batch, int64_t time);

  /// Forward and backward of one micro-batch. Adds to the gradients (zero them before the first micro-batch of a step),
  /// each target's loss divided by `target_count`, the number of scored targets of the WHOLE step. Adds each row's loss
  /// in nats (not divided) to `loss_sum`, in row order. Ids and targets out of range are validation errors.
  Status TrainMicroBatch(const TokenBatch& batch, int64_t target_count, double& loss_sum);
  /// Forward alone: adds the losses to `loss_sum`. The same arithmetic as training. Any shape up to the context; memory
  /// is planned anew when the shape changes.
  Status LossSum(const TokenBatch& batch, double& loss_sum);
  /// The training forward's logits of every position: `logits` takes [batch * time, V]. For tests, parity and analysis.
  Status Logits(const TokenBatch& batch, std::span<float> logits);

  /// Appends `tokens` to the sequence in `cache` and returns the logits [rows, V] of the last `rows` of them (1 <= rows
  /// <= tokens.size(), rows <= 256), valid until the next call. Long prompts are cut into chunks inside; chunking does
  /// not show. A sequence that would pass the cache's capacity is a validation error and changes nothing.
  Result<std::span<const float>> Extend(std::span<const int32_t> tokens, KvCache& cache, int64_t rows = 1);

  /// One sequence of a batch.
  struct Sequence {
    std::span<const int32_t> tokens;  ///< at least one
    KvCache* cache;                   ///< each sequence its own
    int64_t rows = 1;                 ///< logits wanted of so many of its last tokens
  };
  /// Extend for several sequences at once: the logits [sum of rows, V], sequence by sequence, valid until the next
  /// call. The same bits as one by one. At most kMaxBatch sequences with kMaxBatchTokens tokens together.
  static constexpr int64_t kMaxBatch = 64, kMaxBatchTokens = 256;
  Result<std::span<const float>> ExtendBatch(std::span<const Sequence> sequences);

  [[nodiscard]] DecoderMemory memory() const;
  [[nodiscard]] DecoderTimes times() const;
  void ResetTimes();

 private:
  struct Impl;
  explicit Decoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pintle
