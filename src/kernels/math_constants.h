// The constants of exp, log, tanh and atan2, shared by the scalar functions (math.cc) and the vector ones (math-inl.h).
// The fits are our own: interpolation at Chebyshev nodes in 60 digits, rounded once.
#pragma once

namespace pintle::kernels {

// exp(x) = 2^n * exp(r), r = x - n * ln 2 in [-0.347, 0.347]; exp(r) = 1 + r + r^2 * P(r), P of degree 5
// (error 2.2e-10). Adding kExpMagic = 1.5 * 2^23 rounds to an integer and leaves that integer in the low bits.
inline constexpr float kExpMagic = 12582912.0f;
inline constexpr float kLog2E = 1.44269502f;
inline constexpr float kLn2High = 0.693115234f;  // 12 bits: n * kLn2High is exact
inline constexpr float kLn2Low = 3.19461833e-05f;
inline constexpr float kExp0 = 0.5f;
inline constexpr float kExp1 = 0.166666672f;
inline constexpr float kExp2 = 0.041666463f;
inline constexpr float kExp3 = 0.00833331048f;
inline constexpr float kExp4 = 0.00139336672f;
inline constexpr float kExp5 = 0.0001989101f;
inline constexpr float kExpLowest = -87.3365402f;  // below: smaller than 2^-126
inline constexpr float kExpHighest = 88.7228317f;  // above: larger than the largest float

// log(x) = e * ln 2 + log(1 + f), x = 2^e * (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f), z = s * s:
// log(1 + f) = f - (f^2 / 2 - s * (f^2 / 2 + z * L(z))), L the series 2/3 + 2/5 z + 2/7 z^2 + ...
inline constexpr float kLog0 = 2.0f / 3;
inline constexpr float kLog1 = 2.0f / 5;
inline constexpr float kLog2 = 2.0f / 7;
inline constexpr float kLog3 = 2.0f / 9;
inline constexpr float kLogLn2High = 0.693115234f;
inline constexpr float kLogLn2Low = 3.19461833e-05f;
inline constexpr int kSqrtHalfBits = 0x3F3504F3;

// tanh(x) = x + x * z * T(z), z = x^2, for |x| < 0.625; else sign * (1 - 2 / (exp(2 |x|) + 1)).
inline constexpr float kTanhSmall = 0.625f;
inline constexpr float kTanh0 = -0.333333343f;
inline constexpr float kTanh1 = 0.133333027f;
inline constexpr float kTanh2 = -0.0539592281f;
inline constexpr float kTanh3 = 0.0217686668f;
inline constexpr float kTanh4 = -0.00834311917f;
inline constexpr float kTanh5 = 0.00229180953f;

// atan(t) = t + t * z * A(z), z = t^2, for 0 <= t <= 1 (error 1e-8).
inline constexpr float kAtan0 = -0.333333313f;
inline constexpr float kAtan1 = 0.199997395f;
inline constexpr float kAtan2 = -0.142785683f;
inline constexpr float kAtan3 = 0.110337645f;
inline constexpr float kAtan4 = -0.0865688026f;
inline constexpr float kAtan5 = 0.0625016913f;
inline constexpr float kAtan6 = -0.0358715393f;
inline constexpr float kAtan7 = 0.0135077713f;
inline constexpr float kAtan8 = -0.00238699722f;
inline constexpr float kHalfPi = 1.57079637f;

}  // namespace pintle::kernels
