// Element types of tensors: what the kernels compute in (f32, bf16) and index with (i32). Files know more types
// (formats/safetensors.h); they are converted when read.
#pragma once

#include <cstdint>

namespace pintle {

enum class DType : uint8_t { kF32, kBF16, kI32 };

/// Bytes of one element.
constexpr int64_t ElementSize(DType dtype) { return dtype == DType::kBF16 ? 2 : 4; }

/// "f32", "bf16", "i32".
constexpr const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "f32";
    case DType::kBF16:
      return "bf16";
    case DType::kI32:
      return "i32";
  }
  return "?";
}

}  // namespace pintle
