#include "models/decoder/kv_cache.h"

#include "base/check.h"
#include "kernels/attention.h"
#include "nn/stored_ops.h"

namespace pintle {

static_assert(KvCache::kPage == kernels::kAttentionBlock, "pages are the key blocks of attention");

Result<KvCache> KvCache::Create(const DecoderConfig& config, int64_t capacity) {
  if (capacity == 0) capacity = config.context;
  if (capacity < 0 || capacity > config.context) {
    return ValidationError("a cache of " + std::to_string(capacity) + " positions; the context is " +
                           std::to_string(config.context));
  }
  const int64_t pages = (capacity + kPage - 1) / kPage;
  const int64_t page_floats = kernels::KvPageFloats(config.kv_heads, PaddedHeadDim(config.head_dim));
  KvCache cache;
  cache.capacity_ = capacity;
  PINTLE_ASSIGN(cache.arena_, Arena::Create(static_cast<size_t>(config.layers * pages * page_floats) * sizeof(float)));
  float* base = reinterpret_cast<float*>(cache.arena_.base());
  for (int64_t page = 0; page < config.layers * pages; ++page) cache.pages_.push_back(base + page * page_floats);
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
