// exp, log, tanh, atan2 and sigmoid on sixteen lanes: the same operations in the same order as the scalar functions in
// math.cc. Included once per Highway target, like simd-inl.h.
#if defined(PINTLE_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PINTLE_KERNELS_MATH_INL_H_
#undef PINTLE_KERNELS_MATH_INL_H_
#else
#define PINTLE_KERNELS_MATH_INL_H_
#endif

#include <limits>

#include "kernels/math_constants.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

/// kNonPositive promises x <= 0 or -inf (never NaN) and leaves out the two selects that cannot matter then.
template <bool kNonPositive = false>
HWY_INLINE F16 VectorExp(F16 x) {
  const F16 shifted = Add(Mul(x, Set(kLog2E)), Set(kExpMagic));
  const F16 n = Sub(shifted, Set(kExpMagic));
  const F16 r = Sub(Sub(x, Mul(n, Set(kLn2High))), Mul(n, Set(kLn2Low)));
  F16 p = Set(kExp5);
  p = Add(Mul(p, r), Set(kExp4));
  p = Add(Mul(p, r), Set(kExp3));
  p = Add(Mul(p, r), Set(kExp2));
  p = Add(Mul(p, r), Set(kExp1));
  p = Add(Mul(p, r), Set(kExp0));
  p = Add(Add(Mul(p, Mul(r, r)), r), Set(1.0f));
  F16 y = FromBits(IntAdd(Bits(p), ShiftLeft<23>(Bits(shifted))));
  y = IfThenElse(Lt(x, Set(kExpLowest)), Zero(), y);
  if constexpr (!kNonPositive) {
    y = IfThenElse(Gt(x, Set(kExpHighest)), Set(std::numeric_limits<float>::infinity()), y);
    y = IfThenElse(Eq(x, x), y, x);
  }
  return y;
}

HWY_INLINE F16 VectorLog(F16 x) {
  const I16 offset = IntSub(Bits(x), SetInt(kSqrtHalfBits));
  const F16 e = ToFloat(ShiftRight<23>(offset));
  const F16 m = FromBits(IntAdd(IntAnd(offset, SetInt(0x007FFFFF)), SetInt(kSqrtHalfBits)));
  const F16 f = Sub(m, Set(1.0f));
  const F16 s = Div(f, Add(Set(2.0f), f));
  const F16 z = Mul(s, s);
  F16 series = Set(kLog3);
  series = Add(Mul(series, z), Set(kLog2));
  series = Add(Mul(series, z), Set(kLog1));
  series = Add(Mul(series, z), Set(kLog0));
  const F16 half_square = Mul(Mul(Set(0.5f), f), f);
  const F16 tail = Mul(s, Add(half_square, Mul(z, series)));
  const F16 low = Sub(half_square, Add(tail, Mul(e, Set(kLogLn2Low))));
  F16 y = Add(Mul(e, Set(kLogLn2High)), Sub(f, low));
  const F16 infinity = Set(std::numeric_limits<float>::infinity());
  y = IfThenElse(Lt(x, Set(std::numeric_limits<float>::min())), Neg(infinity), y);
  y = IfThenElse(Eq(x, infinity), infinity, y);
  y = IfThenElse(Lt(x, Zero()), Set(std::numeric_limits<float>::quiet_NaN()), y);
  return IfThenElse(Eq(x, x), y, x);
}

HWY_INLINE F16 VectorTanh(F16 x) {
  const F16 a = Abs(x);
  const F16 z = Mul(x, x);
  F16 p = Set(kTanh5);
  p = Add(Mul(p, z), Set(kTanh4));
  p = Add(Mul(p, z), Set(kTanh3));
  p = Add(Mul(p, z), Set(kTanh2));
  p = Add(Mul(p, z), Set(kTanh1));
  p = Add(Mul(p, z), Set(kTanh0));
  const F16 small = Add(x, Mul(x, Mul(z, p)));
  const F16 e = VectorExp(Mul(Set(2.0f), a));
  const F16 large = Sub(Set(1.0f), Div(Set(2.0f), Add(e, Set(1.0f))));
  return IfThenElse(Lt(a, Set(kTanhSmall)), small, CopySign(large, x));
}

/// x >= 0 (not NaN); see Atan2 in math.h.
HWY_INLINE F16 VectorAtan2(F16 y, F16 x) {
  const F16 a = Abs(y);
  const M16 steep = Gt(a, x);
  const F16 low = IfThenElse(steep, x, a), high = IfThenElse(steep, a, x);
  const F16 t = IfThenElse(Eq(high, Zero()), Zero(), Div(low, IfThenElse(Eq(high, Zero()), Set(1.0f), high)));
  const F16 z = Mul(t, t);
  F16 p = Set(kAtan8);
  p = Add(Mul(p, z), Set(kAtan7));
  p = Add(Mul(p, z), Set(kAtan6));
  p = Add(Mul(p, z), Set(kAtan5));
  p = Add(Mul(p, z), Set(kAtan4));
  p = Add(Mul(p, z), Set(kAtan3));
  p = Add(Mul(p, z), Set(kAtan2));
  p = Add(Mul(p, z), Set(kAtan1));
  p = Add(Mul(p, z), Set(kAtan0));
  const F16 r = Add(t, Mul(t, Mul(z, p)));
  return CopySign(IfThenElse(steep, Sub(Set(kHalfPi), r), r), y);
}

HWY_INLINE F16 VectorSigmoid(F16 x) { return Div(Set(1.0f), Add(Set(1.0f), VectorExp(Neg(x)))); }

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
