// Keys and values of the positions that a sequence has passed, for all layers, in pages of 64 positions. Pages follow
// the absolute position, as the key blocks of training do, so cached attention gives the training forward's bits.
// Sequences of one pool share the pages of a common beginning; a page that is shared is copied before it is written.
// Not here: who shares with whom (generate/engine.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/decoder/config.h"
#include "tensor/arena.h"

namespace pintle {

/// "f32", "f16" or "q8"; anything else is a usage error of the option --kv.
Result<kernels::KvType> ParseKvType(std::string_view name);
std::string_view KvTypeName(kernels::KvType type);

/// Pages that caches take, share and give back, each for all layers. Memory is reserved once and touched as pages fill.
/// One thread.
class KvPool {
 public:
  static Result<std::shared_ptr<KvPool>> Create(const DecoderConfig& config, int64_t pages);

  [[nodiscard]] const DecoderConfig& config() const { return config_; }
  /// A page for one user; -1 if none is left.
  int32_t Take();
  /// As Take, with the contents of `page`, which loses a user.
  int32_t TakeCopy(int32_t page);
  void Share(int32_t page) { ++users_[static_cast<size_t>(page)]; }
  void Release(int32_t page);
  [[nodiscard]] bool shared(int32_t page) const { return users_[static_cast<size_t>(page)] > 1; }
  [[nodiscard]] char* At(int32_t page, int64_t layer) const {
    return arena_.base() + page * bytes_ + layer * layer_bytes_;
  }
  [[nodiscard]] int64_t free_pages() const { return static_cast<int64_t>(free_.size()); }

 private:
  DecoderConfig config_;
  Arena arena_;
  int64_t layer_bytes_ = 0, bytes_ = 0;  // of a page in one layer, in all
  std::vector<int32_t> users_, free_;
};

/// One sequence, one caller.
class KvCache {
 public:
  static constexpr int64_t kPage = 64;

  /// `capacity` positions, at most config.context (0 = the context), in the type that the config says; a pool of its
  /// own.
  static Result<KvCache> Create(const DecoderConfig& config, int64_t capacity = 0);
  /// A sequence of at most the context, empty, with pages of `pool`.
  explicit KvCache(std::shared_ptr<KvPool> pool) : KvCache(std::move(pool), 0) {}
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&& other) noexcept;
  ~KvCache();

  /// Pages of so many positions, and the memory of a cache of config.context positions.
  static constexpr int64_t Pages(int64_t positions) { return (positions + kPage - 1) / kPage; }
  static int64_t Bytes(const DecoderConfig& config);

  /// Positions held; the next token stands at this position.
  [[nodiscard]] int64_t length() const { return length_; }
  [[nodiscard]] int64_t capacity() const { return capacity_; }
  /// Forgets all positions from `length` on (0 = empty): reuse of a common prefix.
  void Truncate(int64_t length);
  /// Forgets everything for the first `length` positions of another sequence of the pool.
  void ShareBeginning(const KvCache& other, int64_t length);

  /// Pages for `rows` more positions, none of them shared. False if the pool has too few left. A pass does that itself.
  bool Reserve(int64_t rows);
  /// For the forward pass: one page table a layer (page layout: kernels/kv_page.h), and the count after new rows.
  [[nodiscard]] char* const* const* layers() const { return layers_.data(); }
  [[nodiscard]] kernels::KvType type() const { return pool_->config().kv; }
  void Advance(int64_t rows);

 private:
  KvCache(std::shared_ptr<KvPool> pool, int64_t capacity);
  void SetPage(size_t index, int32_t page);
  void Drop(size_t pages);

  std::shared_ptr<KvPool> pool_;
  std::vector<int32_t> pages_;        // of the pool
  std::vector<char*> table_;          // [layers, pages of the capacity]
  std::vector<char* const*> layers_;  // [layers], into table_
  int64_t capacity_ = 0, length_ = 0;
};

}  // namespace pintle
