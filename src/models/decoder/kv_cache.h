// Keys and values of the positions that a sequence has passed, for all layers, in pages of 64 positions. Pages follow
// the absolute position, as the key blocks of training do, so cached attention gives the training forward's bits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/decoder/config.h"
#include "tensor/arena.h"

namespace pintle {

/// "f32", "f16" or "q8"; anything else is a usage error of the option --kv.
Result<kernels::KvType> ParseKvType(std::string_view name);

/// One sequence, one caller. Memory for `capacity` positions is reserved once; pages are touched as they fill.
class KvCache {
 public:
  static constexpr int64_t kPage = 64;

  /// `capacity` positions, at most config.context (0 = the context), in the type that the config says.
  static Result<KvCache> Create(const DecoderConfig& config, int64_t capacity = 0);

  /// Memory of a cache of config.context positions.
  static int64_t Bytes(const DecoderConfig& config);

  /// Positions held; the next token stands at this position.
  [[nodiscard]] int64_t length() const { return length_; }
  [[nodiscard]] int64_t capacity() const { return capacity_; }
  /// Forgets all positions from `length` on (0 = empty): reuse of a common prefix.
  void Truncate(int64_t length);

  /// For the forward pass: one page table a layer (page layout: kernels/attention.h), and the count after new rows.
  [[nodiscard]] char* const* const* layers() const { return layers_.data(); }
  [[nodiscard]] kernels::KvType type() const { return type_; }
  void Advance(int64_t rows);

 private:
  Arena arena_;
  kernels::KvType type_ = kernels::KvType::kF32;
  std::vector<char*> pages_;          // [layers, pages of one layer]
  std::vector<char* const*> layers_;  // [layers], into pages_
  int64_t capacity_ = 0, length_ = 0;
};

}  // namespace pintle
