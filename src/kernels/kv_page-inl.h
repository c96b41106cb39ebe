// Rows of keys and values as attention reads them, from floats or straight from a page of a narrower type; the layouts
// are those of kv_page.h. A cursor stands on one row: Get(column) gives sixteen of its values, Next() moves on by one
// row. Those of pages ask for the same row of the next page as they go: reading is what their time goes into. Included
// once per Highway target.
#ifndef PINTLE_KERNELS_KV_PAGE_LAYOUT_
#define PINTLE_KERNELS_KV_PAGE_LAYOUT_
#include "kernels/kv_page.h"

namespace pintle::kernels {

inline constexpr int64_t kKvScaleBlock = 32;

/// Where the parts of one head of a page in q8 stand.
template <typename Byte, typename Scale>
struct KvQ8Head {
  template <typename Char>
  KvQ8Head(Char* head, int64_t head_dim) : blocks((head_dim + kKvScaleBlock - 1) / kKvScaleBlock) {
    keys = reinterpret_cast<Byte*>(head);
    values = keys + kAttentionBlock * head_dim;
    key_scales = reinterpret_cast<Scale*>(values + kAttentionBlock * head_dim);
    value_scales = key_scales + kAttentionBlock * blocks;
  }
  int64_t blocks;
  Byte *keys, *values;
  Scale *key_scales, *value_scales;
};

}  // namespace pintle::kernels
#endif  // PINTLE_KERNELS_KV_PAGE_LAYOUT_

#if defined(PINTLE_KERNELS_KV_PAGE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PINTLE_KERNELS_KV_PAGE_INL_H_
#undef PINTLE_KERNELS_KV_PAGE_INL_H_
#else
#define PINTLE_KERNELS_KV_PAGE_INL_H_
#endif

#include "kernels/simd-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

HWY_INLINE VF FromHalfPart(const uint16_t* from) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const hn::Rebind<hwy::float16_t, DF> half;
  return hn::PromoteTo(DF(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(from)));
#else
  const DU du;
  const auto bits = hn::PromoteTo(du, hn::LoadU(DU16(), from));
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(du, 0x8000u)));
  const auto size = hn::ShiftLeft<13>(hn::And(bits, hn::Set(du, 0x7FFFu)));
  const auto value = hn::BitCast(du, hn::Mul(hn::BitCast(DF(), size), hn::Set(DF(), 0x1p112f)));
  const auto nan = hn::RebindMask(du, hn::Gt(hn::BitCast(DI(), size), hn::Set(DI(), 0x0F800000)));
  return hn::BitCast(DF(), hn::Or(sign, hn::IfThenElse(nan, hn::Set(du, 0x7FC00000u), value)));
#endif
}

template <typename T>
HWY_INLINE void PrefetchAhead(const T* from, int64_t bytes) {
  __builtin_prefetch(reinterpret_cast<const char*>(from) + bytes);
}

/// Rows of a page in f16, of keys or of values; the next page is `ahead` bytes on.
struct HalfRows {
  const uint16_t* row;
  int64_t ld, ahead;
  HWY_INLINE F16 Get(int64_t column) const {
    PrefetchAhead(row + column, ahead);
#define PINTLE_F(i) FromHalfPart(row + column + (i) * kPartLanes)
    return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
  }
  HWY_INLINE void Next() { row += ld; }
};

HWY_INLINE F16 LoadBytes(const int8_t* p) {
  const hn::Rebind<int8_t, DI> bytes;
#define PINTLE_F(i) hn::ConvertTo(DF(), hn::PromoteTo(DI(), hn::LoadU(bytes, p + (i) * kPartLanes)))
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}

/// Keys of a page in q8: a row is one of the D values of all 64 keys.
struct ByteKeys {
  const int8_t* row;
  const float* scales;
  int64_t ahead, d = 0;
  HWY_INLINE F16 Get(int64_t column) const {
    PrefetchAhead(row + column, ahead);
    return Mul(LoadBytes(row + column), Load(scales + column));
  }
  HWY_INLINE void Next() {
    row += kAttentionBlock;
    if (++d % kKvScaleBlock != 0) return;
    for (int64_t c = 0; c < kAttentionBlock; c += 16) PrefetchAhead(scales + c, ahead);
    scales += kAttentionBlock;
  }
};

/// Values of a page in q8: a row is all D values of one position.
struct ByteValues {
  const int8_t* row;
  const float* scales;
  int64_t ld, blocks, ahead;
  HWY_INLINE F16 Get(int64_t column) const {
    PrefetchAhead(row + column, ahead);
    return Mul(LoadBytes(row + column), Set(scales[column / kKvScaleBlock]));
  }
  HWY_INLINE void Next() {
    PrefetchAhead(scales, ahead);
    row += ld;
    scales += blocks;
  }
};

/// The keys and values of one head of one block.
struct FloatBlock {
  const float* at;
  int64_t head_dim;
  HWY_INLINE FloatRows Keys() const { return {at, kAttentionBlock}; }
  HWY_INLINE FloatRows Values() const { return {at + kAttentionBlock * head_dim, head_dim}; }
};
/// The same in f16; `ahead` bytes from here to the block that is read next.
struct HalfBlock {
  HalfBlock(const char* head, int64_t dim, int64_t to_next = 0)
      : at(reinterpret_cast<const uint16_t*>(head)), head_dim(dim), ahead(to_next) {}
  const uint16_t* at;
  int64_t head_dim, ahead;
  HWY_INLINE HalfRows Keys() const { return {at, kAttentionBlock, ahead}; }
  HWY_INLINE HalfRows Values() const { return {at + kAttentionBlock * head_dim, head_dim, ahead}; }
};
/// The same in q8.
struct ByteBlock {
  ByteBlock(const char* head, int64_t dim, int64_t to_next = 0) : q8(head, dim), head_dim(dim), ahead(to_next) {}
  KvQ8Head<const int8_t, const float> q8;
  int64_t head_dim, ahead;
  HWY_INLINE ByteKeys Keys() const { return {q8.keys, q8.key_scales, ahead}; }
  HWY_INLINE ByteValues Values() const { return {q8.values, q8.value_scales, head_dim, q8.blocks, ahead}; }
};

/// All of a block as floats: keys [D, 64], then values [64, D].
template <typename Block>
HWY_INLINE void UnpackBlock(const Block& block, float* to) {
  auto keys = block.Keys();
  for (int64_t d = 0; d < block.head_dim; ++d, keys.Next()) {
    for (int64_t c = 0; c < kAttentionBlock; c += 16, to += 16) Store(keys.Get(c), to);
  }
  auto values = block.Values();
  for (int64_t slot = 0; slot < kAttentionBlock; ++slot, values.Next()) {
    for (int64_t d = 0; d < block.head_dim; d += 16, to += 16) Store(values.Get(d), to);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
