// The recursion of one supervision step, read from top to bottom, and its gradient:
//   e = sqrt(D) * (prefix | embed_tokens[inputs])
//   T times:  n times z_L = net(z_L + (z_H + e)),  then z_H = net(z_H + z_L)
//   logits = lm_head(z_H), q = q_head(z_H at position 0)
// The gradient goes through the last of the T cycles alone and stops at the carry, so it is one chain of n + 1
// evaluations: no tape is needed, the backward pass walks the chain.
//
// Puzzles go through in groups of TrmGroup(config) that depend on nothing else: with enough groups every thread takes
// whole groups through the whole step without waiting for anybody; with few, all threads work on each matmul. Weight
// gradients are made for all groups together, rows in the order (group, position, puzzle), evaluations from the last
// to the first. Neither threads nor the batch's other puzzles show in a puzzle's numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/config.h"
#include "models/trm/layer.h"
#include "models/trm/trm.h"
#include "nn/parameters.h"
#include "tensor/arena.h"

namespace pintle {

/// All weights of a TRM; the parameters belong to its registry, the fixed tensors to this object.
struct TrmWeights {
  Parameter *embed_tokens, *lm_head, *q_head_weight, *q_head_bias;
  std::vector<TrmLayerWeights> layers;
  std::vector<float> h_init, l_init;  ///< [D] each
  std::vector<float> puzzle_emb;      ///< [puzzle_ids, D]
};

/// Declares all parameters in checkpoint order; the caller allocates the registry.
TrmWeights DeclareTrm(const TrmConfig& config, ParameterRegistry& registry);

/// Puzzles that stand side by side: as many as make a mixer's inner activations half a megabyte (the token mixer's,
/// where there is one), at most 16; one with attention.
/// Part of the numeric contract, because it orders the rows of weight gradients.
int64_t TrmGroup(const TrmConfig& config);

/// Inputs, labels and puzzle ids of the slots with take[slot] != 0 (null: all) within their ranges, and all extents.
Status CheckTrmBatch(const TrmConfig& config, const TrmBatch& batch, bool labels, const uint8_t* take);

/// Loss and score of one slot.
struct TrmSlotScore {
  double lm_loss = 0;  ///< mean over its scored cells
  double q_loss = 0;   ///< binary cross-entropy of q against `exact`
  int64_t cells = 0, right = 0;
  bool exact = false;  ///< every scored cell right
};

/// One owner, one thread. Weights and pool must outlive it.
class TrmRecursion {
 public:
  /// `slots` > 0 reserves what training of so many slots needs; 0: inference alone.
  static Result<std::unique_ptr<TrmRecursion>> Create(const TrmConfig& config, TrmWeights& weights, int64_t slots,
                                                      bool recompute, ThreadPool& pool);
  ~TrmRecursion();
  TrmRecursion(const TrmRecursion&) = delete;
  TrmRecursion& operator=(const TrmRecursion&) = delete;

  /// The forward pass of a checked batch.
  void Forward(const TrmBatch& batch, TrmCarry& carry, TrmAnswer& answer, const TrmObserver& observer);
  /// The head on any state: z [slots, L, D] -> logits [slots, S, V].
  void Decode(std::span<const float> z, int64_t slots, std::vector<float>& logits);
  /// Forward, loss, and the gradient of scale * sum over slots of (lm_loss + q_loss / 2), added to the registry's
  /// gradients and written to puzzle_gradient [slots, D] (the learned prefix row of each slot). The batch has the
  /// planned number of slots.
  void ForwardBackward(const TrmBatch& batch, double scale, TrmCarry& carry, TrmAnswer& answer,
                       std::vector<TrmSlotScore>& scores, std::vector<float>& puzzle_gradient);

  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Impl;
  explicit TrmRecursion(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pintle
