// The tape: a model's forward pass records fused layer-level ops (ops.h) once for a shape; the memory plan follows from
// the recorded lifetimes; from then on every step runs the same list over the same bytes, forward and backward, without
// allocating. Gradients of parameters are added to the registry's tensors; a value's gradient lives between its
// consumers and its producer only.
//
// Numbers: linear layers compute in the tape's dtype. In bf16 an op that feeds a linear layer writes the bf16 copy
// itself, forward and backward; sums, norms, softmax and attention are fp32 always. Recomputation: ops between
// BeginBlock and EndBlock may be run again just before their backward, so that only the values that cross block borders
// stay alive. The bits are the same. Not here: parameters (parameters.h), the update (optimizer.h), any model.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/kv_page.h"
#include "kernels/matmul.h"
#include "nn/parameters.h"
#include "tensor/arena.h"

namespace pintle {

class Op;

/// A buffer of the plan; -1 = none.
using Slot = int32_t;

/// A value or an integer input on the tape; -1 = none.
struct Var {
  int32_t id = -1;
  [[nodiscard]] bool valid() const { return id >= 0; }
};

/// What a recorded value consists of. Slots that no op touches take no memory.
struct Value {
  int64_t columns = 0;  ///< [rows, columns]
  Slot f32 = -1, bf16 = -1;
  Slot gradient = -1, gradient_bf16 = -1;
  bool from_linear = false;  ///< its producer wants the gradient in the tape's dtype
  bool residual = false;     ///< an op recorded later hands its gradient on to this one, in place
};

/// Where time goes, for `bench train`.
enum class OpKind : uint8_t { kLinear, kHead, kAttention, kElementwise };

/// One sequence of the cached form of attention: its next `rows` rows stand at positions first_position and up;
/// pages[layer] is that layer's page table, its pages hold `type`.
struct KvSequence {
  int64_t rows = 0, first_position = 0;
  char* const* const* pages = nullptr;
  kernels::KvType type = kernels::KvType::kF32;
};
inline constexpr int64_t kMaxKvSequences = 64;
/// The sequences whose rows one pass takes, one behind the other; at most kMaxKvSequences.
using KvBinding = std::span<const KvSequence>;

/// Fixed for the life of a tape.
struct TapeOptions {
  DType dtype = DType::kF32;
  kernels::Profile profile = kernels::Profile::kFma;
  bool training = false;   ///< record what the backward pass needs
  bool recompute = false;  ///< run blocks again in the backward pass
  int64_t batch = 1;       ///< B
  int64_t time = 1;        ///< T; a tape without training may run fewer rows of a batch of 1
};

/// One owner, one thread.
class Tape {
 public:
  Tape(const TapeOptions& options, ThreadPool& pool);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Recording, in order of execution.

  /// An integer input of one element a row; bound before each run.
  Var Input();
  /// A value of `columns` columns, and a buffer of its own for an op.
  Var NewValue(int64_t columns, bool from_linear);
  Slot NewSlot(int64_t bytes);
  Value& value(Var v) { return values_[static_cast<size_t>(v.id)]; }
  [[nodiscard]] const Value& value(Var v) const { return values_[static_cast<size_t>(v.id)]; }
  void Record(std::unique_ptr<Op> op);
  void BeginBlock();
  void EndBlock();
  /// Ends the recording: `kept` stays readable after Forward. Reserves the memory.
  Status Plan(Var kept = {});

  // Running.

  void Bind(Var input, const int32_t* data);
  /// The sequences must stay until the pass is over.
  void BindKv(KvBinding kv) { kv_ = kv; }
  /// 1 / target tokens of the whole step; the head's gradients are scaled by it.
  void set_gradient_scale(float scale) { gradient_scale_ = scale; }
  /// Runs all ops on the first `rows` rows (all of them when training).
  void Forward(int64_t rows);
  /// The reverse; only after Forward on a training tape.
  void Backward();
  /// A kept value after Forward: fp32, or the bf16 copy in a bf16 tape for values that feed linear layers alone.
  [[nodiscard]] void* Data(Slot slot) const;
  /// Losses of the rows of the last Forward (of a tape with a head), added in row order.
  double* loss_sum = nullptr;

  [[nodiscard]] const TapeOptions& options() const { return options_; }
  [[nodiscard]] bool bf16() const { return options_.dtype == DType::kBF16; }
  [[nodiscard]] ThreadPool& pool() const { return *pool_; }
  [[nodiscard]] int64_t max_rows() const { return options_.batch * options_.time; }
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] float gradient_scale() const { return gradient_scale_; }
  [[nodiscard]] KvBinding kv() const { return kv_; }
  [[nodiscard]] const int32_t* InputData(Var input) const { return inputs_[static_cast<size_t>(input.id)]; }
  template <typename T>
  [[nodiscard]] T* Get(Slot slot) const {
    return static_cast<T*>(Data(slot));
  }
  [[nodiscard]] size_t memory_bytes() const { return arena_.capacity(); }
  /// Seconds by OpKind since the last ResetTimes.
  [[nodiscard]] const std::array<double, 4>& seconds() const { return seconds_; }
  void ResetTimes() { seconds_ = {}; }

 private:
  struct SlotState {
    int64_t bytes = 0;
    std::array<size_t, 2> offset{};  ///< in the forward pass, and in recomputation and backward
  };
  struct Step {
    const Op* op;
    bool forward;
  };
  void Run(const Step& step);

  TapeOptions options_;
  ThreadPool* pool_;
  std::vector<std::unique_ptr<Op>> ops_;
  std::vector<Value> values_;
  std::vector<SlotState> slots_;
  std::vector<const int32_t*> inputs_;
  std::vector<Step> backward_;  ///< the backward pass with its recomputations, in order
  Arena arena_;
  KvBinding kv_;
  int64_t rows_ = 0;
  float gradient_scale_ = 1;
  int pass_ = 0;    ///< which of a slot's two offsets counts
  int block_ = -1;  ///< the open block while recording
  int blocks_ = 0;
  bool planned_ = false;
  std::array<double, 4> seconds_{};
};

/// One recorded op. Its buffers are listed when it is recorded; Forward and Backward only compute.
class Op {
 public:
  explicit Op(OpKind op_kind) : kind(op_kind) {}
  virtual ~Op() = default;
  virtual void Forward(const Tape& tape) const = 0;
  virtual void Backward(const Tape& tape) const = 0;

  const OpKind kind;
  std::vector<Slot> outputs;         ///< written by Forward and read by others or by Backward
  std::vector<Slot> forward_slots;   ///< all that Forward touches
  std::vector<Slot> backward_slots;  ///< all that Backward touches
  int block = -1;                    ///< set by Record
  bool again = false;                ///< run again before the block's backward; set by Plan
};

}  // namespace pintle
