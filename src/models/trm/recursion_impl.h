// What a TrmRecursion consists of: the memory plan and the pieces of a step. For recursion.cc, recursion_plan.cc and
// recursion_gradient.cc alone.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "models/trm/recursion.h"

namespace pintle {

/// Hands out pieces of an arena twice: first to count, then for real.
class TrmLayout {
 public:
  explicit TrmLayout(char* base) : base_(base) {}
  template <typename T>
  T* Take(int64_t count) {
    T* at = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
    used_ += Arena::Rounded(static_cast<size_t>(count) * sizeof(T));
    return at;
  }
  Operand TakeOperand(DType dtype, int64_t count) {
    if (dtype == DType::kBF16) return {nullptr, Take<kernels::bf16>(count)};
    return {Take<float>(count), nullptr};
  }
  [[nodiscard]] size_t used() const { return used_; }

 private:
  char* base_;
  size_t used_ = 0;
};

/// The buffers of one thread, for one group.
struct TrmScratch {
  TrmLayerScratch layer;
  TrmLayerKept free;                  // what a layer keeps where nothing is kept
  float *e, *z_h, *z_l, *inject, *x;  // [rows, D]
  Operand x_operand;                  // in fp32: x
  float* logits;                      // [S c, V]
};

/// What training keeps of one layer in one evaluation, or of the gradients of a layer, for all slots.
struct TrmKeptSet {
  Operand x;  // of the evaluation (its first layer)
  std::vector<TrmLayerKept> layers;
};

/// The plan and the buffers of a recursion.
struct TrmRecursion::Impl {
  TrmConfig config;
  TrmWeights* weights = nullptr;
  ThreadPool* pool = nullptr;
  int64_t group = 1;
  int64_t slots = 0;  // planned for training; 0: none
  bool recompute = false;
  float scale = 1;  // of embeddings: sqrt(D)
  std::vector<std::unique_ptr<ThreadPool>> alone;
  std::vector<TrmScratch> scratch;                // one a thread
  std::vector<TrmLayerPacked> forward, backward;  // one a layer, packed anew each step
  std::vector<float> cos, sin;
  std::vector<int32_t> position;
  Arena scratch_arena, kept_arena;

  // Training, for all slots:
  std::vector<TrmKeptSet> kept;  // one an evaluation of the last cycle; with recompute one in all
  std::vector<float*> inputs;    // with recompute: x of each evaluation, fp32
  TrmLayerDeltas deltas;
  Operand last_z;  // z_H
  float *dz = nullptr, *de = nullptr;
  Operand dlogits;

  [[nodiscard]] int64_t Length() const { return config.positions_count(); }
  [[nodiscard]] int64_t Cells() const { return Length() * config.width; }  // of one slot's state
  [[nodiscard]] bool Bf16() const { return config.dtype == DType::kBF16; }
  [[nodiscard]] int64_t Evaluations() const { return config.l_cycles + 1; }

  void PlanScratch(TrmLayout& layout);
  void PlanKept(TrmLayout& layout);
  TrmLayerKept TakeKept(TrmLayout& layout, int64_t count) const;
  void BuildRotation();
  void Pack(kernels::MatMulOp op, std::vector<TrmLayerPacked>& layers) const;

  [[nodiscard]] TrmLayerContext Context(int64_t count, ThreadPool& threads) const {
    return {&config,         count,   cos.empty() ? nullptr : cos.data(), cos.empty() ? nullptr : sin.data(),
            position.data(), &threads};
  }
  [[nodiscard]] TrmKeptSet KeptOf(int64_t evaluation, int64_t first) const;
  [[nodiscard]] TrmLayerDeltas DeltasOf(int64_t first) const;

  // work(first slot, slots, scratch, pool) for each group.
  template <typename Work>
  void ForGroups(int64_t count, const Work& work) {
    const int64_t groups = (count + group - 1) / group;
    if (groups >= pool->threads()) {
      pool->ParallelForWithThread(groups, [&](int64_t i, int thread) {
        work(i * group, std::min(group, count - i * group), scratch[static_cast<size_t>(thread)],
             *alone[static_cast<size_t>(thread)]);
      });
    } else {
      for (int64_t i = 0; i < groups; ++i) {
        work(i * group, std::min(group, count - i * group), scratch[0], *pool);
      }
    }
  }

  void Evaluate(const TrmLayerContext& context, TrmScratch& s, const float* x, const TrmKeptSet& set,
                const kernels::UnitNormOutput& out) const;
  // The whole step of one group. `keep`: for a backward pass. Leaves z_H's operand in `head`.
  void Step(const TrmBatch& batch, int64_t first, int64_t count, bool keep, TrmCarry& carry, TrmScratch& s,
            ThreadPool& threads, const TrmObserver& observer, Operand& head, float*& z_h);
  void Read(const Operand& z, int64_t count, TrmScratch& s, ThreadPool& threads) const;
  void Answer(const float* z_h, int64_t first, int64_t count, const TrmScratch& s, TrmAnswer& answer) const;
  void Loss(const TrmBatch& batch, double gradient_scale, int64_t first, int64_t count, const TrmAnswer& answer,
            TrmScratch& s, ThreadPool& threads, std::vector<TrmSlotScore>& scores,
            std::vector<float>& q_gradient) const;
  void HeadGradients(int64_t count, const std::vector<float>& q_gradient, const TrmCarry& carry);
  void LayerGradients(const TrmLayerWeights& layer, const TrmKeptSet& set, size_t index, const Operand& x);
  void EmbeddingGradients(const TrmBatch& batch, std::vector<float>& puzzle_gradient);
};

}  // namespace pintle
