// Pages of keys and values, written and read on every instruction set; see kv_page.h.
#include "kernels/kv_page.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/parallel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kv_page.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/kv_page-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// binary16 by integers alone: the same on every target, and seldom enough to take its time.
HWY_INLINE hn::Vec<DU16> ToHalfPart(VF x) {
  const DU du;
  const VF size = hn::Min(hn::Abs(x), hn::Set(DF(), 65504.0f));
  const auto sign = hn::And(hn::ShiftRight<16>(hn::BitCast(du, x)), hn::Set(du, 0x8000u));
  const auto rebased = hn::Sub(hn::BitCast(du, size), hn::Set(du, 0x38000000u));
  const auto odd = hn::And(hn::ShiftRight<13>(rebased), hn::Set(du, 1u));
  const auto normal = hn::ShiftRight<13>(hn::Add(rebased, hn::Add(odd, hn::Set(du, 0xFFFu))));
  // Beside 0.5 a float counts units of 2^-24, as subnormal halves do.
  const auto small = hn::Sub(hn::BitCast(du, hn::Add(size, hn::Set(DF(), 0.5f))), hn::Set(du, 0x3F000000u));
  const auto is_small = hn::RebindMask(du, hn::Lt(size, hn::Set(DF(), 0x1p-14f)));
  const auto bits = hn::Or(sign, hn::IfThenElse(is_small, small, normal));
  const auto result = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), hn::Set(du, 0x7E00u), bits);
  return hn::DemoteTo(DU16(), hn::BitCast(DI(), result));
}

void ToHalves(const float* x, int64_t count, uint16_t* to) {
  for (int64_t i = 0; i < count; i += kPartLanes) hn::StoreU(ToHalfPart(hn::LoadU(DF(), x + i)), DU16(), to + i);
}

// Row x of one head as bytes; scale of block b at scales[b * step].
void ToBytes(const float* x, int64_t head_dim, int8_t* to, float* scales, int64_t step) {
  const F16 infinity = Set(__builtin_inff()), one = Set(1.0f);
  const F16 round = Set(0x1.8p23f);  // added and taken off again: to nearest even
  for (int64_t first = 0; first < head_dim; first += kKvScaleBlock, scales += step) {
    const int64_t count = std::min(kKvScaleBlock, head_dim - first);
    const F16 low = Load(x + first), high = count > 16 ? Load(x + first + 16) : Zero();
    const F16 low_size = Abs(low), high_size = Abs(high);
    const F16 bad =
        Max(IfThenElse(Lt(low_size, infinity), Zero(), one), IfThenElse(Lt(high_size, infinity), Zero(), one));
    const float largest = MaxTree(Max(low_size, high_size));
    const bool finite = MaxTree(bad) == 0.0f, zero = finite && largest < 0x1p-100f;
    *scales = !finite ? __builtin_nanf("") : zero ? 0.0f : largest / 127.0f;
    alignas(64) float rounded[kKvScaleBlock] = {};
    if (finite && !zero) {
      const F16 inverse = Set(127.0f / largest);
      Store(Sub(Add(Mul(low, inverse), round), round), rounded);
      Store(Sub(Add(Mul(high, inverse), round), round), rounded + 16);
    }
    for (int64_t i = 0; i < count; ++i) to[first + i] = static_cast<int8_t>(rounded[i]);
  }
}

// A row of keys, [D], into its column of [D, 64].
template <typename T>
HWY_INLINE void Scatter(const T* row, int64_t head_dim, T* column) {
  for (int64_t i = 0; i < head_dim; ++i) column[i * kAttentionBlock] = row[i];
}

// `rows` rows of one head from position `slot` of a page on.
void AppendHead(KvType type, const float* k, int64_t ldk, const float* v, int64_t ldv, int64_t rows, int64_t slot,
                int64_t head_dim, char* head) {
  for (const int64_t end = slot + rows; slot < end; ++slot, k += ldk, v += ldv) {
    if (type == KvType::kF32) {
      auto* keys = reinterpret_cast<float*>(head);
      Scatter(k, head_dim, keys + slot);
      std::copy(v, v + head_dim, keys + (kAttentionBlock + slot) * head_dim);
    } else if (type == KvType::kF16) {
      auto* keys = reinterpret_cast<uint16_t*>(head);
      alignas(64) uint16_t row[kMaxAttentionHeadDim];
      ToHalves(k, head_dim, row);
      Scatter(row, head_dim, keys + slot);
      ToHalves(v, head_dim, keys + (kAttentionBlock + slot) * head_dim);
    } else {
      const KvQ8Head<int8_t, float> q8(head, head_dim);
      alignas(64) int8_t row[kMaxAttentionHeadDim];
      ToBytes(k, head_dim, row, q8.key_scales + slot, kAttentionBlock);
      Scatter(row, head_dim, q8.keys + slot);
      ToBytes(v, head_dim, q8.values + slot * head_dim, q8.value_scales + slot * q8.blocks, 1);
    }
  }
}

void Unpack(KvType type, const char* head, int64_t head_dim, float* to) {
  if (type == KvType::kF32) {
    UnpackBlock(FloatBlock{reinterpret_cast<const float*>(head), head_dim}, to);
  } else if (type == KvType::kF16) {
    UnpackBlock(HalfBlock(head, head_dim), to);
  } else {
    UnpackBlock(ByteBlock(head, head_dim), to);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(AppendHead);
HWY_EXPORT(Unpack);
}  // namespace

int64_t KvHeadBytes(KvType type, int64_t head_dim) {
  const int64_t values = 2 * kAttentionBlock * head_dim;
  const int64_t scales = 2 * kAttentionBlock * ((head_dim + kKvScaleBlock - 1) / kKvScaleBlock);
  return type == KvType::kF32 ? 4 * values : type == KvType::kF16 ? 2 * values : values + 4 * scales;
}

void AppendKv(const CachedSequence& sequence, int64_t kv_heads, int64_t head_dim, const float* k, int64_t ldk,
              const float* v, int64_t ldv, ThreadPool& pool) {
  PINTLE_CHECK(head_dim % 16 == 0 && head_dim <= kMaxAttentionHeadDim, "head_dim is not a multiple of 16 up to 256");
  const int64_t head_bytes = KvHeadBytes(sequence.type, head_dim), end = sequence.first_position + sequence.rows;
  const auto append = [&](int64_t g) {
    for (int64_t position = sequence.first_position; position < end;) {
      const int64_t slot = position % kAttentionBlock, row = position - sequence.first_position;
      const int64_t rows = std::min(kAttentionBlock - slot, end - position);
      PINTLE_DISPATCH(AppendHead)
      (sequence.type, k + row * ldk + g * head_dim, ldk, v + row * ldv + g * head_dim, ldv, rows, slot, head_dim,
       sequence.pages[position / kAttentionBlock] + g * head_bytes);
      position += rows;
    }
  };
  if (sequence.rows * kv_heads * head_dim >= kPieceElements) {
    pool.ParallelFor(kv_heads, append);
  } else {
    for (int64_t g = 0; g < kv_heads; ++g) append(g);
  }
}

void UnpackKv(KvType type, const char* head, int64_t head_dim, float* to) {
  PINTLE_DISPATCH(Unpack)(type, head, head_dim, to);
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
