// The parameter registry: every trained tensor of a model by its checkpoint name, in one fixed order. Weights are fp32;
// in bf16 models each 2-D weight has a bf16 copy that the optimizer writes in the same pass. Order is declaration
// order, and every sum over parameters (norms, counts, hashes) goes in that order.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/quant.h"
#include "tensor/arena.h"
#include "tensor/tensor.h"

namespace pintle {

/// Which optimizer a parameter goes to under Muon: the 2-D matrices inside the blocks, or everything else.
enum class ParameterGroup : uint8_t { kMatrix, kOther };

/// One trained tensor with its copies and gradients; the memory is the registry's.
struct Parameter {
  std::string name;  ///< Hugging Face name
  Shape shape;
  ParameterGroup group = ParameterGroup::kOther;
  bool weight_decay = false;   ///< decoupled decay applies (2-D tensors)
  Tensor weight;               ///< fp32
  Tensor weight_bf16;          ///< round-to-nearest-even copy, or empty
  kernels::QuantMatrix quant;  ///< instead of both, in a model for use only: the matrix as the file has it
  Tensor gradient;             ///< fp32, or empty in a model for use only
  Tensor second_gradient;      ///< of a tied table's other use, or empty; see CombineGradients
};

/// Where a matrix of a model for use only is held, when not as floats in `weight` alone: see stored_ops.h.
inline bool IsStored(const Parameter& p) {
  return p.quant.panels != nullptr || (p.weight.empty() && !p.weight_bf16.empty());
}

/// A tensor with the name it has in files.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// One owner. Declare, then Allocate once; pointers to parameters stay valid for the registry's life.
class ParameterRegistry {
 public:
  /// What a model says about a parameter before memory is reserved.
  struct Declaration {
    std::string name;
    Shape shape;
    ParameterGroup group = ParameterGroup::kOther;
    bool weight_decay = false;
    bool bf16_copy = false;
    bool second_gradient = false;
  };

  Parameter& Declare(const Declaration& declaration);
  /// Matrices [rows_i, columns] that lie one behind the other, so that one matmul may run over all of them.
  std::vector<Parameter*> DeclareStacked(const std::vector<Declaration>& declarations);

  /// Reserves the memory. bf16 copies are made where declared; gradients only if asked for. All values start at 0.
  Status Allocate(bool gradients);

  [[nodiscard]] std::deque<Parameter>& all() { return parameters_; }
  [[nodiscard]] const std::deque<Parameter>& all() const { return parameters_; }
  /// Null if there is none of that name.
  Parameter* Find(std::string_view name);
  /// Sum of all element counts.
  [[nodiscard]] int64_t Count() const;
  /// Weights by name, for writing a model.
  [[nodiscard]] std::vector<NamedTensor> Weights() const;

  /// Rewrites the bf16 copies after weights changed from outside (loading, initialisation, EMA).
  void RefreshBF16(ThreadPool& pool);
  /// Sets all gradients to +0; once before the first micro-batch of a step.
  void ZeroGradients(ThreadPool& pool);
  /// gradient += second_gradient where there are two, once after the last micro-batch.
  void CombineGradients(ThreadPool& pool);

  /// Bytes reserved for weights with their copies, and for gradients.
  [[nodiscard]] size_t weight_bytes() const { return weight_arena_.capacity() + bf16_arena_.capacity(); }
  [[nodiscard]] size_t gradient_bytes() const { return gradient_arena_.capacity(); }

 private:
  struct Wish {
    bool bf16_copy, second_gradient, continues;  // continues: no gap to the parameter before
  };
  std::deque<Parameter> parameters_;
  std::vector<Wish> wishes_;
  Arena weight_arena_, bf16_arena_, gradient_arena_;
};

}  // namespace pintle
