#include "models/decoder/kv_cache.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "kernels/kv_page.h"
#include "nn/stored_ops.h"

namespace pintle {

static_assert(KvCache::kPage == kernels::kAttentionBlock, "pages are the key blocks of attention");

namespace {

int64_t LayerPageBytes(const DecoderConfig& config) {
  return kernels::KvPageBytes(config.kv, config.kv_heads, PaddedHeadDim(config.head_dim));
}

}  // namespace

std::string_view KvTypeName(kernels::KvType type) {
  return type == kernels::KvType::kF32 ? "f32" : type == kernels::KvType::kF16 ? "f16" : "q8";
}

Result<kernels::KvType> ParseKvType(std::string_view name) {
  for (const kernels::KvType type : {kernels::KvType::kF32, kernels::KvType::kF16, kernels::KvType::kQ8}) {
    if (name == KvTypeName(type)) return type;
  }
  return UsageError("keys and values are kept as f32, f16 or q8, not '" + std::string(name) + "'", "--kv");
}

Result<std::shared_ptr<KvPool>> KvPool::Create(const DecoderConfig& config, int64_t pages) {
  auto pool = std::make_shared<KvPool>();
  pool->config_ = config;
  pool->layer_bytes_ = LayerPageBytes(config);
  pool->bytes_ = config.layers * pool->layer_bytes_;
  PINTLE_ASSIGN(pool->arena_, Arena::Create(static_cast<size_t>(pages * pool->bytes_)));
  pool->users_.resize(static_cast<size_t>(pages));
  // The first pages are taken first, and those that were just given back: memory that has been touched.
  for (int64_t page = pages; page-- > 0;) pool->free_.push_back(static_cast<int32_t>(page));
  return pool;
}

int32_t KvPool::Take() {
  if (free_.empty()) return -1;
  const int32_t page = free_.back();
  free_.pop_back();
  users_[static_cast<size_t>(page)] = 1;
  return page;
}

int32_t KvPool::TakeCopy(int32_t page) {
  const int32_t copy = Take();
  if (copy < 0) return copy;
  std::memcpy(At(copy, 0), At(page, 0), static_cast<size_t>(bytes_));
  Release(page);
  return copy;
}

void KvPool::Release(int32_t page) {
  if (--users_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

int64_t KvCache::Bytes(const DecoderConfig& config) {
  return config.layers * Pages(config.context) * LayerPageBytes(config);
}

KvCache::KvCache(std::shared_ptr<KvPool> pool, int64_t capacity) : pool_(std::move(pool)) {
  const DecoderConfig& config = pool_->config();
  capacity_ = capacity == 0 ? config.context : capacity;
  const int64_t pages = Pages(capacity_);
  table_.resize(static_cast<size_t>(config.layers * pages));
  for (int64_t layer = 0; layer < config.layers; ++layer) layers_.push_back(table_.data() + layer * pages);
}

Result<KvCache> KvCache::Create(const DecoderConfig& config, int64_t capacity) {
  if (capacity == 0) capacity = config.context;
  if (capacity < 0 || capacity > config.context) {
    return ValidationError("a cache of " + std::to_string(capacity) + " positions; the context is " +
                           std::to_string(config.context));
  }
  PINTLE_ASSIGN(std::shared_ptr<KvPool> pool, KvPool::Create(config, Pages(capacity)));
  return KvCache(std::move(pool), capacity);
}

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  Drop(0);
  pool_ = std::move(other.pool_);
  pages_ = std::move(other.pages_);
  table_ = std::move(other.table_);
  layers_ = std::move(other.layers_);
  capacity_ = other.capacity_;
  length_ = other.length_;
  return *this;
}

KvCache::~KvCache() { Drop(0); }

void KvCache::SetPage(size_t index, int32_t page) {
  const size_t row = table_.size() / layers_.size();
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    table_[layer * row + index] = pool_->At(page, static_cast<int64_t>(layer));
  }
}

// Keeps the first `pages`.
void KvCache::Drop(size_t pages) {
  for (; pages_.size() > pages; pages_.pop_back()) pool_->Release(pages_.back());
}

void KvCache::Truncate(int64_t length) {
  PINTLE_CHECK(length >= 0 && length <= length_, "a cache is only cut shorter");
  length_ = length;
  Drop(static_cast<size_t>(Pages(length)));
}

void KvCache::ShareBeginning(const KvCache& other, int64_t length) {
  PINTLE_CHECK(pool_ == other.pool_ && length <= other.length_ && length <= capacity_, "it is shared within a pool");
  const std::vector<int32_t> pages(other.pages_.begin(), other.pages_.begin() + Pages(length));
  for (const int32_t page : pages) pool_->Share(page);
  Drop(0);
  pages_ = pages;
  for (size_t i = 0; i < pages.size(); ++i) SetPage(i, pages[i]);
  length_ = length;
}

bool KvCache::Reserve(int64_t rows) {
  PINTLE_CHECK(rows >= 0 && length_ + rows <= capacity_, "a cache does not grow over its capacity");
  const auto own = static_cast<size_t>(length_ / kPage);
  if (rows > 0 && own < pages_.size() && pool_->shared(pages_[own])) {
    const int32_t page = pool_->TakeCopy(pages_[own]);
    if (page < 0) return false;
    pages_[own] = page;
    SetPage(own, page);
  }
  while (static_cast<int64_t>(pages_.size()) < Pages(length_ + rows)) {
    const int32_t page = pool_->Take();
    if (page < 0) return false;
    pages_.push_back(page);
    SetPage(pages_.size() - 1, page);
  }
  return true;
}

void KvCache::Advance(int64_t rows) {
  PINTLE_CHECK(rows >= 0 && length_ + rows <= capacity_, "a cache does not grow over its capacity");
  length_ += rows;
}

}  // namespace pintle
