// Scalar elementary functions; see math.h. The float ones repeat math-inl.h operation by operation.
#include "kernels/math.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/math_constants.h"

namespace pintle::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kInfinityDouble = std::numeric_limits<double>::infinity();

template <typename To, typename From>
To BitsTo(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// exp(r) = 1 + r + r^2 * P(r) on [-0.347, 0.347] in double: degree 11, error 3e-21.
constexpr double kExpDouble[] = {0.5,
                                 0.16666666666666666,
                                 0.041666666666666678,
                                 0.0083333333333333332,
                                 0.001388888888887906,
                                 0.0001984126984126329,
                                 2.4801587336481701e-05,
                                 2.7557319247245032e-06,
                                 2.7557263236863376e-07,
                                 2.5052071066149638e-08,
                                 2.0918153355978567e-09,
                                 1.6086638366705033e-10};
constexpr double kLn2HighDouble = 0x1.62e42ffp-1;  // 29 bits
constexpr double kLn2LowDouble = -4.2009150726810846e-11;

// pi / 2 in three parts; the first two have 26 bits, so that n times them is exact for |n| < 2^27.
constexpr double kHalfPi1 = 1.5707963407039642;
constexpr double kHalfPi2 = -1.3909067675399456e-08;
constexpr double kHalfPi3 = 6.123233995736766e-17;

// The Taylor series of sin and cos on [-pi/4, pi/4].
double SinNearZero(double r) {
  const double z = r * r;
  double p = -1.0 / 121645100408832000.0;
  p = p * z + 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return r + r * (z * p);
}
double CosNearZero(double r) {
  const double z = r * r;
  double p = 1.0 / 6402373705728000.0;
  p = -p * z + 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  p = p * z - 0.5;
  return 1.0 + z * p;
}

// Quadrant n and rest r of x = n * pi/2 + r.
double Reduce(double x, int64_t* quadrant) {
  const double n = std::floor(x * 0.63661977236758138 + 0.5);
  *quadrant = static_cast<int64_t>(n) & 3;
  return ((x - n * kHalfPi1) - n * kHalfPi2) - n * kHalfPi3;
}

}  // namespace

float Exp(float x) {
  if (x != x) return x;
  if (x < kExpLowest) return 0.0f;
  if (x > kExpHighest) return kInfinity;
  const float shifted = x * kLog2E + kExpMagic;
  const float n = shifted - kExpMagic;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = kExp5;
  p = p * r + kExp4;
  p = p * r + kExp3;
  p = p * r + kExp2;
  p = p * r + kExp1;
  p = p * r + kExp0;
  p = (p * (r * r) + r) + 1.0f;
  return BitsTo<float>(BitsTo<uint32_t>(p) + (BitsTo<uint32_t>(shifted) << 23));
}

float Log(float x) {
  if (x != x) return x;
  if (x < 0.0f) return std::numeric_limits<float>::quiet_NaN();
  if (x < std::numeric_limits<float>::min()) return -kInfinity;
  if (x == kInfinity) return x;
  const int32_t offset = BitsTo<int32_t>(x) - kSqrtHalfBits;
  const auto e = static_cast<float>(offset >> 23);
  const float m = BitsTo<float>((offset & 0x007FFFFF) + kSqrtHalfBits);
  const float f = m - 1.0f;
  const float s = f / (2.0f + f);
  const float z = s * s;
  float series = kLog3;
  series = series * z + kLog2;
  series = series * z + kLog1;
  series = series * z + kLog0;
  const float half_square = (0.5f * f) * f;
  const float tail = s * (half_square + z * series);
  const float low = half_square - (tail + e * kLogLn2Low);
  return e * kLogLn2High + (f - low);
}

float Tanh(float x) {
  const float a = std::fabs(x);
  if (a < kTanhSmall) {
    const float z = x * x;
    float p = kTanh5;
    p = p * z + kTanh4;
    p = p * z + kTanh3;
    p = p * z + kTanh2;
    p = p * z + kTanh1;
    p = p * z + kTanh0;
    return x + x * (z * p);
  }
  const float e = Exp(2.0f * a);
  return std::copysign(1.0f - 2.0f / (e + 1.0f), x);
}

float Atan2(float y, float x) {
  const float a = std::fabs(y);
  const bool steep = a > x;
  const float low = steep ? x : a, high = steep ? a : x;
  const float t = high == 0.0f ? 0.0f : low / high;
  const float z = t * t;
  float p = kAtan8;
  p = p * z + kAtan7;
  p = p * z + kAtan6;
  p = p * z + kAtan5;
  p = p * z + kAtan4;
  p = p * z + kAtan3;
  p = p * z + kAtan2;
  p = p * z + kAtan1;
  p = p * z + kAtan0;
  const float r = t + t * (z * p);
  return std::copysign(steep ? kHalfPi - r : r, y);
}

float Rsqrt(float x) { return 1.0f / std::sqrt(x); }

float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

double Exp(double x) {
  if (x != x) return x;
  if (x < -708.3964185322641) return 0.0;
  if (x > 709.782712893384) return kInfinityDouble;
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - n * kLn2HighDouble) - n * kLn2LowDouble;
  double p = kExpDouble[11];
  for (int i = 10; i >= 0; --i) p = p * r + kExpDouble[i];
  p = (p * (r * r) + r) + 1.0;
  // n reaches 1024 and p may be below 1: two exact factors instead of one that overflows.
  const auto half = static_cast<int64_t>(n) / 2;
  const auto rest = static_cast<int64_t>(n) - half;
  return (p * BitsTo<double>((half + 1023) << 52)) * BitsTo<double>((rest + 1023) << 52);
}

double Log(double x) {
  if (x != x || x == kInfinityDouble) return x;
  if (x < 0.0) return std::numeric_limits<double>::quiet_NaN();
  if (x < std::numeric_limits<double>::min()) return -kInfinityDouble;
  constexpr int64_t kSqrtHalf = 0x3FE6A09E667F3BCD;
  const int64_t offset = BitsTo<int64_t>(x) - kSqrtHalf;
  const auto e = static_cast<double>(offset >> 52);
  const double m = BitsTo<double>((offset & 0x000FFFFFFFFFFFFF) + kSqrtHalf);
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double series = 2.0 / 23;
  for (int k = 21; k >= 3; k -= 2) series = series * z + 2.0 / k;
  const double half_square = (0.5 * f) * f;
  const double tail = s * (half_square + z * series);
  const double low = half_square - (tail + e * kLn2LowDouble);
  return e * kLn2HighDouble + (f - low);
}

double Pow(double x, double y) {
  if (y == 0.0) return 1.0;
  if (x == 0.0) return 0.0;
  return Exp(y * Log(x));
}

double Sin(double x) {
  int64_t quadrant;
  const double r = Reduce(x, &quadrant);
  const double value = (quadrant & 1) != 0 ? CosNearZero(r) : SinNearZero(r);
  return (quadrant & 2) != 0 ? -value : value;
}

double Cos(double x) {
  int64_t quadrant;
  const double r = Reduce(x, &quadrant);
  const double value = (quadrant & 1) != 0 ? SinNearZero(r) : CosNearZero(r);
  return ((quadrant + 1) & 2) != 0 ? -value : value;
}

double Tanh(double x) {
  const double a = std::fabs(x);
  if (a < 0.25) {
    // sinh / cosh by their series: no cancellation near 0.
    const double z = x * x;
    double sinh = 1.0, cosh = 1.0;
    for (int k = 17; k >= 3; k -= 2) sinh = sinh * z / (static_cast<double>(k) * (k - 1)) + 1.0;
    for (int k = 16; k >= 2; k -= 2) cosh = cosh * z / (static_cast<double>(k) * (k - 1)) + 1.0;
    return x * (sinh / cosh);
  }
  return std::copysign(1.0 - 2.0 / (Exp(2.0 * a) + 1.0), x);
}

double Sqrt(double x) { return std::sqrt(x); }

}  // namespace pintle::kernels
