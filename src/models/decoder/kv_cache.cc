#include "models/decoder/kv_cache.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "kernels/kv_page.h"
#include "nn/stored_ops.h"

namespace pintle {

static_assert(KvCache::kPage == kernels::kAttentionBlock, "pages are the key blocks of attention");

namespace {

int64_t Pages(int64_t positions) { return (positions + KvCache::kPage - 1) / KvCache::kPage; }

int64_t PageBytes(const DecoderConfig& config) {
  return kernels::KvPageBytes(config.kv, config.kv_heads, PaddedHeadDim(config.head_dim));
}

}  // namespace

Result<kernels::KvType> ParseKvType(std::string_view name) {
  constexpr std::pair<std::string_view, kernels::KvType> kTypes[] = {
      {"f32", kernels::KvType::kF32}, {"f16", kernels::KvType::kF16}, {"q8", kernels::KvType::kQ8}};
  for (const auto& [known, type] : kTypes) {
    if (name == known) return type;
  }
  return UsageError("keys and values are kept as f32, f16 or q8, not '" + std::string(name) + "'", "--kv");
}

int64_t KvCache::Bytes(const DecoderConfig& config) {
  return config.layers * Pages(config.context) * PageBytes(config);
}

Result<KvCache> KvCache::Create(const DecoderConfig& config, int64_t capacity) {
  if (capacity == 0) capacity = config.context;
  if (capacity < 0 || capacity > config.context) {
    return ValidationError("a cache of " + std::to_string(capacity) + " positions; the context is " +
                           std::to_string(config.context));
  }
  const int64_t pages = Pages(capacity), page_bytes = PageBytes(config);
  KvCache cache;
  cache.capacity_ = capacity;
  cache.type_ = config.kv;
  PINTLE_ASSIGN(cache.arena_, Arena::Create(static_cast<size_t>(config.layers * pages * page_bytes)));
  for (int64_t page = 0; page < config.layers * pages; ++page) {
    cache.pages_.push_back(cache.arena_.base() + page * page_bytes);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) cache.layers_.push_back(cache.pages_.data() + layer * pages);
  return cache;
}

void KvCache::Truncate(int64_t length) {
  PINTLE_CHECK(length >= 0 && length <= length_, "a cache is only cut shorter");
  length_ = length;
}

void KvCache::Advance(int64_t rows) {
  PINTLE_CHECK(rows >= 0 && length_ + rows <= capacity_, "a cache does not grow over its capacity");
  length_ += rows;
}

}  // namespace pintle
