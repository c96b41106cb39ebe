// Tensor: dtype, shape and a pointer to contiguous row-major elements. It owns nothing: the memory belongs to an Arena,
// a mapped file or a vector that must live longer. Copying a Tensor copies the pointer. Not a graph node (nn/tape.h),
// and no arithmetic lives here.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/matmul.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace pintle {

/// A view of elements that somebody else owns.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape, void* data) : data_(data), shape_(shape), dtype_(dtype) {}

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int64_t count() const { return shape_.Count(); }
  [[nodiscard]] int64_t bytes() const { return count() * ElementSize(dtype_); }
  [[nodiscard]] bool empty() const { return data_ == nullptr; }
  [[nodiscard]] void* data() const { return data_; }

  /// The elements; asking for another type than dtype() is a CHECK.
  [[nodiscard]] float* f32() const { return static_cast<float*>(Typed(DType::kF32)); }
  [[nodiscard]] kernels::bf16* bf16() const { return static_cast<kernels::bf16*>(Typed(DType::kBF16)); }
  [[nodiscard]] int32_t* i32() const { return static_cast<int32_t*>(Typed(DType::kI32)); }
  [[nodiscard]] std::span<float> F32Span() const { return {f32(), static_cast<size_t>(count())}; }

  /// Rows [first, first + length) of the leading dimension, the same memory.
  [[nodiscard]] Tensor View(int64_t first, int64_t length) const;
  /// The same memory under another shape of the same count.
  [[nodiscard]] Tensor Reshaped(const Shape& shape) const;

 private:
  [[nodiscard]] void* Typed(DType dtype) const;

  void* data_ = nullptr;
  Shape shape_;
  DType dtype_ = DType::kF32;
};

}  // namespace pintle
