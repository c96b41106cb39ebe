// Arena: one anonymous memory region, aligned to 2 MiB and advised to use huge pages, handed out front to back.
// Weights, gradients, optimizer state, activations and KV pages live in arenas, so a training or decoding step never
// calls malloc. Pages are touched (and so paid for) when first written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "tensor/tensor.h"

namespace pintle {

/// One owner, one thread. Moves, does not copy; tensors from a moved arena stay valid.
class Arena {
 public:
  static constexpr size_t kAlignment = 64;  ///< of every allocation: one cache line, one AVX-512 vector

  /// Reserves `bytes` (rounded up to 2 MiB), all zero. The system refusing is a runtime error that says how much was
  /// asked.
  static Result<Arena> Create(size_t bytes);
  Arena() = default;
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  /// The next `bytes`, 64-byte aligned. Running over the capacity is a CHECK: callers size their arenas exactly.
  void* Allocate(size_t bytes);
  Tensor AllocateTensor(DType dtype, const Shape& shape);
  /// What Allocate takes off the capacity for `bytes`.
  static constexpr size_t Rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }
  static size_t BytesFor(DType dtype, const Shape& shape) {
    return Rounded(static_cast<size_t>(shape.Count() * ElementSize(dtype)));
  }

  /// Start of the region, for callers that place buffers by their own plan.
  [[nodiscard]] char* base() const { return base_; }
  [[nodiscard]] size_t used() const { return used_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }

 private:
  char* base_ = nullptr;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace pintle
