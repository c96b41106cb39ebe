// Element types of tensors. The kernels compute in f32 and bf16 (and count in i32); f16 and f64 are storage only, for
// files that come from or go to others.
#pragma once

#include <cstdint>

namespace pintle {

enum class DType : uint8_t { kF32, kBF16, kF16, kF64, kI32 };

/// Bytes of one element.
constexpr int64_t ElementSize(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kBF16:
    case DType::kF16:
      return 2;
    case DType::kF64:
      return 8;
  }
  return 0;
}

/// "f32", "bf16", "f16", "f64", "i32".
constexpr const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "f32";
    case DType::kBF16:
      return "bf16";
    case DType::kF16:
      return "f16";
    case DType::kF64:
      return "f64";
    case DType::kI32:
      return "i32";
  }
  return "?";
}

}  // namespace pintle
