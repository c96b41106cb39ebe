#include "nn/parameters.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul.h"

namespace pintle {
namespace {

size_t Bytes(DType dtype, const Shape& shape) { return static_cast<size_t>(shape.Count() * ElementSize(dtype)); }

// Where the arenas of the registry put their next tensor: aligned, except that a stacked matrix follows the one before.
struct Cursor {
  size_t offset = 0;

  size_t Take(size_t bytes, bool continues) {
    if (!continues) offset = Arena::Rounded(offset);
    const size_t begin = offset;
    offset += bytes;
    return begin;
  }
};

}  // namespace

Parameter& ParameterRegistry::Declare(const Declaration& declaration) {
  PINTLE_CHECK(Find(declaration.name) == nullptr, "parameter declared twice: " + declaration.name);
  Parameter& parameter = parameters_.emplace_back();
  parameter.name = declaration.name;
  parameter.shape = declaration.shape;
  parameter.group = declaration.group;
  parameter.weight_decay = declaration.weight_decay;
  wishes_.push_back({declaration.bf16_copy, declaration.second_gradient, false});
  return parameter;
}

std::vector<Parameter*> ParameterRegistry::DeclareStacked(const std::vector<Declaration>& declarations) {
  std::vector<Parameter*> stacked;
  for (const Declaration& declaration : declarations) {
    PINTLE_CHECK(declaration.shape.rank() == 2 && declaration.shape[1] == declarations[0].shape[1] &&
                     declaration.bf16_copy == declarations[0].bf16_copy && !declaration.second_gradient,
                 "stacked parameters are matrices of one width and kind: " + declaration.name);
    stacked.push_back(&Declare(declaration));
    wishes_.back().continues = stacked.size() > 1;
  }
  return stacked;
}

Status ParameterRegistry::Allocate(bool gradients) {
  // Two walks over the same cursors: the first for the sizes, the second hands out.
  for (const bool hand_out : {false, true}) {
    Cursor weights, copies, grads;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      Parameter& p = parameters_[i];
      const Wish& wish = wishes_[i];
      const size_t weight = weights.Take(Bytes(DType::kF32, p.shape), wish.continues);
      const size_t copy = wish.bf16_copy ? copies.Take(Bytes(DType::kBF16, p.shape), wish.continues) : 0;
      const size_t gradient = gradients ? grads.Take(Bytes(DType::kF32, p.shape), wish.continues) : 0;
      const bool two = gradients && wish.second_gradient;
      const size_t second = two ? grads.Take(Bytes(DType::kF32, p.shape), false) : 0;
      if (!hand_out) continue;
      p.weight = Tensor(DType::kF32, p.shape, weight_arena_.base() + weight);
      if (wish.bf16_copy) p.weight_bf16 = Tensor(DType::kBF16, p.shape, bf16_arena_.base() + copy);
      if (gradients) p.gradient = Tensor(DType::kF32, p.shape, gradient_arena_.base() + gradient);
      if (two) p.second_gradient = Tensor(DType::kF32, p.shape, gradient_arena_.base() + second);
    }
    if (hand_out) break;
    PINTLE_ASSIGN(weight_arena_, Arena::Create(weights.offset));
    PINTLE_ASSIGN(bf16_arena_, Arena::Create(copies.offset));
    PINTLE_ASSIGN(gradient_arena_, Arena::Create(grads.offset));
  }
  return {};
}

Parameter* ParameterRegistry::Find(std::string_view name) {
  for (Parameter& parameter : parameters_) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

int64_t ParameterRegistry::Count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.shape.Count();
  return count;
}

std::vector<NamedTensor> ParameterRegistry::Weights() const {
  std::vector<NamedTensor> weights;
  weights.reserve(parameters_.size());
  for (const Parameter& parameter : parameters_) weights.push_back({parameter.name, parameter.weight});
  return weights;
}

void ParameterRegistry::RefreshBF16(ThreadPool& pool) {
  for (Parameter& p : parameters_) {
    if (!p.weight_bf16.empty()) {
      kernels::ConvertF32ToBF16(p.weight.f32(), p.weight_bf16.bf16(), p.shape.Count(), pool);
    }
  }
}

void ParameterRegistry::ZeroGradients(ThreadPool& pool) {
  constexpr int64_t kPiece = int64_t{1} << 20;
  const auto bytes = static_cast<int64_t>(gradient_arena_.capacity());
  pool.ParallelFor((bytes + kPiece - 1) / kPiece, [&](int64_t i) {
    std::memset(gradient_arena_.base() + i * kPiece, 0, static_cast<size_t>(std::min(kPiece, bytes - i * kPiece)));
  });
}

void ParameterRegistry::CombineGradients(ThreadPool& pool) {
  constexpr int64_t kPiece = int64_t{1} << 16;
  for (Parameter& p : parameters_) {
    if (p.second_gradient.empty()) continue;
    float* gradient = p.gradient.f32();
    const float* second = p.second_gradient.f32();
    const int64_t count = p.shape.Count();
    pool.ParallelFor((count + kPiece - 1) / kPiece, [&](int64_t piece) {
      const int64_t end = std::min(count, (piece + 1) * kPiece);
      for (int64_t i = piece * kPiece; i < end; ++i) gradient[i] += second[i];
    });
  }
}

}  // namespace pintle
