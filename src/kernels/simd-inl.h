// Sixteen virtual float lanes on whatever the instruction set offers (one AVX-512 register, two AVX2, four of 128
// bits), so that every kernel is written once and its order of operations is the same everywhere. Included once per
// Highway target (foreach_target); kernels stand in pintle::kernels::HWY_NAMESPACE and are reached through
// PINTLE_DISPATCH.
//
// Add, Mul and the rest are single roundings, never contracted. Only Chain<kFma> fuses.

// Three targets are enough on x86 (the others would only lengthen the build): AVX-512, AVX2, and the compiler's
// baseline.
#ifndef PINTLE_KERNELS_SIMD_TARGETS_
#define PINTLE_KERNELS_SIMD_TARGETS_
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/matmul.h"
#include "kernels/target.h"

/// Calls the version of FUNC for the active target.
#define PINTLE_DISPATCH(FUNC) (::pintle::kernels::ActiveTarget(), HWY_DYNAMIC_DISPATCH(FUNC))
#endif  // PINTLE_KERNELS_SIMD_TARGETS_

#if defined(PINTLE_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PINTLE_KERNELS_SIMD_INL_H_
#undef PINTLE_KERNELS_SIMD_INL_H_
#else
#define PINTLE_KERNELS_SIMD_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// PINTLE_EACHn(f, ...) builds the sixteen lanes from calls of f on each part of its arguments.
#undef PINTLE_PARTS
#undef PINTLE_EACH0
#undef PINTLE_EACH1
#undef PINTLE_EACH2
#undef PINTLE_EACH3
#if HWY_TARGET == HWY_AVX3
#define PINTLE_PARTS 1
#define PINTLE_EACH0(f) {f(0)}
#define PINTLE_EACH1(f, a) {f((a).v0)}
#define PINTLE_EACH2(f, a, b) {f((a).v0, (b).v0)}
#define PINTLE_EACH3(f, a, b, c) {f((a).v0, (b).v0, (c).v0)}
#elif HWY_TARGET == HWY_AVX2
#define PINTLE_PARTS 2
#define PINTLE_EACH0(f) {f(0), f(1)}
#define PINTLE_EACH1(f, a) {f((a).v0), f((a).v1)}
#define PINTLE_EACH2(f, a, b) {f((a).v0, (b).v0), f((a).v1, (b).v1)}
#define PINTLE_EACH3(f, a, b, c) {f((a).v0, (b).v0, (c).v0), f((a).v1, (b).v1, (c).v1)}
#else
#define PINTLE_PARTS 4
#define PINTLE_EACH0(f) {f(0), f(1), f(2), f(3)}
#define PINTLE_EACH1(f, a) {f((a).v0), f((a).v1), f((a).v2), f((a).v3)}
#define PINTLE_EACH2(f, a, b) {f((a).v0, (b).v0), f((a).v1, (b).v1), f((a).v2, (b).v2), f((a).v3, (b).v3)}
#define PINTLE_EACH3(f, a, b, c) \
  {f((a).v0, (b).v0, (c).v0), f((a).v1, (b).v1, (c).v1), f((a).v2, (b).v2, (c).v2), f((a).v3, (b).v3, (c).v3)}
#endif

inline constexpr size_t kPartLanes = 16 / PINTLE_PARTS;
using DF = hn::FixedTag<float, kPartLanes>;
using DI = hn::FixedTag<int32_t, kPartLanes>;
using DU = hn::FixedTag<uint32_t, kPartLanes>;
using DU16 = hn::FixedTag<uint16_t, kPartLanes>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;
using MF = hn::Mask<DF>;

/// The registers that make up sixteen lanes.
template <typename V>
struct Parts {
#if PINTLE_PARTS == 1
  V v0;
#elif PINTLE_PARTS == 2
  V v0, v1;
#else
  V v0, v1, v2, v3;
#endif
};
using F16 = Parts<VF>;
using I16 = Parts<VI>;
using M16 = Parts<MF>;

HWY_INLINE F16 Set(float x) {
#define PINTLE_F(i) hn::Set(DF(), x)
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}
HWY_INLINE F16 Zero() { return Set(0.0f); }
HWY_INLINE F16 Load(const float* p) {
#define PINTLE_F(i) hn::LoadU(DF(), p + (i) * kPartLanes)
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}
HWY_INLINE void Store(F16 x, float* p) {
#define PINTLE_F(i) hn::StoreU(x.v##i, DF(), p + (i) * kPartLanes)
  static_cast<void>(x);
#if PINTLE_PARTS == 1
  PINTLE_F(0);
#elif PINTLE_PARTS == 2
  PINTLE_F(0), PINTLE_F(1);
#else
  PINTLE_F(0), PINTLE_F(1), PINTLE_F(2), PINTLE_F(3);
#endif
#undef PINTLE_F
}
HWY_INLINE I16 LoadInt(const int32_t* p) {
#define PINTLE_F(i) hn::LoadU(DI(), p + (i) * kPartLanes)
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}
/// ids[first] .. ids[first + 15]; those at `end` and behind read as 0.
HWY_INLINE I16 LoadIds(const int32_t* ids, int64_t first, int64_t end) {
  if (first + 16 <= end) return LoadInt(ids + first);
  int32_t buffer[16] = {};
  for (int64_t i = first; i < end; ++i) buffer[i - first] = ids[i];
  return LoadInt(buffer);
}
HWY_INLINE I16 SetInt(int32_t x) {
#define PINTLE_F(i) hn::Set(DI(), x)
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}
/// first, first + 1, ...
HWY_INLINE I16 Iota(int32_t first) {
#define PINTLE_F(i) hn::Iota(DI(), static_cast<int32_t>(first + static_cast<int32_t>((i) * kPartLanes)))
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}

#define PINTLE_BINARY(NAME) \
  HWY_INLINE F16 NAME(F16 a, F16 b) { return PINTLE_EACH2(hn::NAME, a, b); }
PINTLE_BINARY(Add)
PINTLE_BINARY(Sub)
PINTLE_BINARY(Mul)
PINTLE_BINARY(Div)
PINTLE_BINARY(Max)
#undef PINTLE_BINARY
HWY_INLINE F16 Sqrt(F16 a) { return PINTLE_EACH1(hn::Sqrt, a); }
HWY_INLINE F16 Neg(F16 a) { return PINTLE_EACH1(hn::Neg, a); }
HWY_INLINE F16 Abs(F16 a) { return PINTLE_EACH1(hn::Abs, a); }
HWY_INLINE M16 Lt(F16 a, F16 b) { return PINTLE_EACH2(hn::Lt, a, b); }
HWY_INLINE M16 Gt(F16 a, F16 b) { return PINTLE_EACH2(hn::Gt, a, b); }
HWY_INLINE M16 Eq(F16 a, F16 b) { return PINTLE_EACH2(hn::Eq, a, b); }
HWY_INLINE F16 IfThenElse(M16 m, F16 a, F16 b) { return PINTLE_EACH3(hn::IfThenElse, m, a, b); }
HWY_INLINE F16 CopySign(F16 magnitude, F16 sign) { return PINTLE_EACH2(hn::CopySign, magnitude, sign); }
HWY_INLINE M16 And(M16 a, M16 b) { return PINTLE_EACH2(hn::And, a, b); }
/// a <= b and a == b for integers, as masks of floats.
HWY_INLINE M16 IntLe(I16 a, I16 b) {
#define PINTLE_F(x, y) hn::Not(hn::RebindMask(DF(), hn::Gt(x, y)))
  return PINTLE_EACH2(PINTLE_F, a, b);
#undef PINTLE_F
}
HWY_INLINE M16 IntEq(I16 a, I16 b) {
#define PINTLE_F(x, y) hn::RebindMask(DF(), hn::Eq(x, y))
  return PINTLE_EACH2(PINTLE_F, a, b);
#undef PINTLE_F
}
HWY_INLINE bool AnyTrue(M16 m) {
#if PINTLE_PARTS == 1
  return !hn::AllFalse(DF(), m.v0);
#elif PINTLE_PARTS == 2
  return !hn::AllFalse(DF(), hn::Or(m.v0, m.v1));
#else
  return !hn::AllFalse(DF(), hn::Or(hn::Or(m.v0, m.v1), hn::Or(m.v2, m.v3)));
#endif
}

HWY_INLINE I16 Bits(F16 a) {
#define PINTLE_F(x) hn::BitCast(DI(), x)
  return PINTLE_EACH1(PINTLE_F, a);
#undef PINTLE_F
}
HWY_INLINE F16 FromBits(I16 a) {
#define PINTLE_F(x) hn::BitCast(DF(), x)
  return PINTLE_EACH1(PINTLE_F, a);
#undef PINTLE_F
}
HWY_INLINE I16 IntAdd(I16 a, I16 b) { return PINTLE_EACH2(hn::Add, a, b); }
HWY_INLINE I16 IntSub(I16 a, I16 b) { return PINTLE_EACH2(hn::Sub, a, b); }
HWY_INLINE I16 IntAnd(I16 a, I16 b) { return PINTLE_EACH2(hn::And, a, b); }
template <int kBits>
HWY_INLINE I16 ShiftLeft(I16 a) {
  return PINTLE_EACH1(hn::ShiftLeft<kBits>, a);
}
template <int kBits>
HWY_INLINE I16 ShiftRight(I16 a) {
  return PINTLE_EACH1(hn::ShiftRight<kBits>, a);
}
HWY_INLINE F16 ToFloat(I16 a) {
#define PINTLE_F(x) hn::ConvertTo(DF(), x)
  return PINTLE_EACH1(PINTLE_F, a);
#undef PINTLE_F
}

/// One link of a matmul chain: fma(a, b, acc), or acc + (a * b) with two roundings.
template <Profile kProfile>
HWY_INLINE VF ChainPart(VF a, VF b, VF acc) {
  if constexpr (kProfile == Profile::kMuladd) return hn::Add(acc, hn::Mul(a, b));
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  return hn::MulAdd(a, b, acc);
#else
  alignas(16) float x[kPartLanes], y[kPartLanes], z[kPartLanes];
  hn::StoreU(a, DF(), x), hn::StoreU(b, DF(), y), hn::StoreU(acc, DF(), z);
  for (size_t i = 0; i < kPartLanes; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  return hn::LoadU(DF(), z);
#endif
}
template <Profile kProfile>
HWY_INLINE F16 Chain(F16 a, F16 b, F16 acc) {
  return PINTLE_EACH3(ChainPart<kProfile>, a, b, acc);
}

/// `count` < 16 elements; the other lanes are `fill`.
HWY_INLINE F16 LoadPartial(const float* p, int64_t count, float fill = 0.0f) {
  float buffer[16];
  for (float& x : buffer) x = fill;
  std::memcpy(buffer, p, static_cast<size_t>(count) * sizeof(float));
  return Load(buffer);
}
HWY_INLINE void StorePartial(F16 x, float* p, int64_t count) {
  float buffer[16];
  Store(x, buffer);
  std::memcpy(p, buffer, static_cast<size_t>(count) * sizeof(float));
}

/// Round to nearest even; NaN keeps its upper bits with the quiet bit set.
HWY_INLINE hn::Vec<DU16> ToBF16Part(VF x) {
  const DU du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFu))));
  const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40u));
  const auto nan = hn::RebindMask(du, hn::IsNaN(x));
  const auto result = hn::IfThenElse(nan, quiet, rounded);
  return hn::DemoteTo(DU16(), hn::BitCast(DI(), result));
}
HWY_INLINE void StoreBF16(F16 x, bf16* p) {
#define PINTLE_F(i) hn::StoreU(ToBF16Part(x.v##i), DU16(), p + (i) * kPartLanes)
#if PINTLE_PARTS == 1
  PINTLE_F(0);
#elif PINTLE_PARTS == 2
  PINTLE_F(0), PINTLE_F(1);
#else
  PINTLE_F(0), PINTLE_F(1), PINTLE_F(2), PINTLE_F(3);
#endif
#undef PINTLE_F
}
HWY_INLINE void StoreBF16Partial(F16 x, bf16* p, int64_t count) {
  bf16 buffer[16];
  StoreBF16(x, buffer);
  std::memcpy(p, buffer, static_cast<size_t>(count) * sizeof(bf16));
}

/// bf16 to float, exactly.
HWY_INLINE VF FromBF16Part(hn::Vec<DU16> x) { return hn::BitCast(DF(), hn::ShiftLeft<16>(hn::PromoteTo(DU(), x))); }
HWY_INLINE F16 LoadBF16(const bf16* p) {
#define PINTLE_F(i) FromBF16Part(hn::LoadU(DU16(), p + (i) * kPartLanes))
  return PINTLE_EACH0(PINTLE_F);
#undef PINTLE_F
}

/// Sixteen elements, or the last few of a row. Kernels state their arithmetic once, in a lambda over one of the two.
struct Whole {};
/// The lanes of the last, partial vector.
struct Tail {
  int64_t count;
};
HWY_INLINE F16 Load(const float* p, Whole) { return Load(p); }
HWY_INLINE F16 Load(const float* p, Tail tail) { return LoadPartial(p, tail.count); }
HWY_INLINE F16 Load(const bf16* p, Whole) { return LoadBF16(p); }
HWY_INLINE F16 Load(const bf16* p, Tail tail) {
  bf16 buffer[16] = {};
  std::memcpy(buffer, p, static_cast<size_t>(tail.count) * sizeof(bf16));
  return LoadBF16(buffer);
}
HWY_INLINE void Store(F16 x, float* p, Whole) { Store(x, p); }
HWY_INLINE void Store(F16 x, float* p, Tail tail) { StorePartial(x, p, tail.count); }
HWY_INLINE void StoreBF16(F16 x, bf16* p, Whole) { StoreBF16(x, p); }
HWY_INLINE void StoreBF16(F16 x, bf16* p, Tail tail) { StoreBF16Partial(x, p, tail.count); }

/// Zeros behind the last element, where a function of the padding need not be zero.
HWY_INLINE F16 MaskTail(F16 x, Whole) { return x; }
HWY_INLINE F16 MaskTail(F16 x, Tail tail) {
  float buffer[16] = {};
  StorePartial(x, buffer, tail.count);
  return Load(buffer);
}
/// One float, as StoreBF16 rounds it.
HWY_INLINE bf16 OneToBF16(float x) {
  bf16 buffer[16];
  StoreBF16(Set(x), buffer);
  return buffer[0];
}

/// body(i, Whole or Tail) for i = begin, begin + 16, ... The lambda needs HWY_ATTR.
template <typename Body>
HWY_INLINE void ForEach16(int64_t begin, int64_t end, const Body& body) {
  int64_t i = begin;
  for (; i + 16 <= end; i += 16) body(i, Whole());
  if (i < end) body(i, Tail{end - i});
}

// The last levels of the fixed tree: lanes j and j + 8, then + 4, + 2, + 1. The argument already holds lanes j (+) j
// + 16.
using D4 = hn::FixedTag<float, 4>;
#define PINTLE_TREE(NAME, OP)                              \
  HWY_INLINE float NAME(F16 a) {                           \
    const auto four = NAME##Four(a);                       \
    const auto two = hn::OP(four, hn::Shuffle1032(four));  \
    return hn::GetLane(hn::OP(two, hn::Shuffle2301(two))); \
  }
#if PINTLE_PARTS == 1
#define PINTLE_TREE_FOUR(NAME, OP)                                               \
  HWY_INLINE hn::Vec<D4> NAME##Four(F16 a) {                                     \
    const hn::FixedTag<float, 8> d8;                                             \
    const auto eight = hn::OP(hn::LowerHalf(d8, a.v0), hn::UpperHalf(d8, a.v0)); \
    return hn::OP(hn::LowerHalf(D4(), eight), hn::UpperHalf(D4(), eight));       \
  }
#elif PINTLE_PARTS == 2
#define PINTLE_TREE_FOUR(NAME, OP)                                         \
  HWY_INLINE hn::Vec<D4> NAME##Four(F16 a) {                               \
    const auto eight = hn::OP(a.v0, a.v1);                                 \
    return hn::OP(hn::LowerHalf(D4(), eight), hn::UpperHalf(D4(), eight)); \
  }
#else
#define PINTLE_TREE_FOUR(NAME, OP) \
  HWY_INLINE hn::Vec<D4> NAME##Four(F16 a) { return hn::OP(hn::OP(a.v0, a.v2), hn::OP(a.v1, a.v3)); }
#endif
PINTLE_TREE_FOUR(AddTree, Add)
PINTLE_TREE(AddTree, Add)
PINTLE_TREE_FOUR(MaxTree, Max)
PINTLE_TREE(MaxTree, Max)
#undef PINTLE_TREE
#undef PINTLE_TREE_FOUR

/// Sum over i < count of term(i, Whole or Tail) by 32 lanes.
template <typename Term>
HWY_INLINE float SumOf(int64_t count, const Term& term) {
  F16 low = Zero(), high = Zero();
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    low = Add(low, term(i, Whole()));
    high = Add(high, term(i + 16, Whole()));
  }
  if (i + 16 <= count) {
    low = Add(low, term(i, Whole()));
    if (i + 16 < count) high = Add(high, term(i + 16, Tail{count - i - 16}));
  } else if (i < count) {
    low = Add(low, term(i, Tail{count - i}));
  }
  return AddTree(Add(low, high));
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
