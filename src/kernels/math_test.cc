#include "kernels/math.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/test_support.h"

namespace pintle::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Distance from the exact value in units of the last place of the float nearest to it.
double Ulps(float got, double exact) {
  const auto nearest = static_cast<float>(exact);
  int exponent;
  std::frexp(nearest, &exponent);
  return std::fabs(static_cast<double>(got) - exact) / std::ldexp(1.0, exponent - 24);
}

float FromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Points over the whole range of floats: every exponent and sign, some significands.
std::vector<float> ManyFloats() {
  std::vector<float> points;
  for (uint64_t bits = 0; bits < 0x100000000; bits += 30011) points.push_back(FromBits(static_cast<uint32_t>(bits)));
  for (const float x :
       {0.0f, -0.0f, 1.0f, -1.0f, kInfinity, -kInfinity, 88.72283f, 88.72284f, -87.33654f, -87.33655f}) {
    points.push_back(x);
  }
  points.push_back(FromBits(0x7FFFFFFF));
  points.push_back(FromBits(0xFFC00000));
  return points;
}

}  // namespace

TEST_CASE("float functions stay within two units of the last place") {
  double exp_worst = 0, log_worst = 0, tanh_worst = 0;
  for (int i = 0; i <= 400000; ++i) {
    const auto x = static_cast<float>(-87.3 + i * (176.0 / 400000));
    exp_worst = std::max(exp_worst, Ulps(Exp(x), std::exp(static_cast<double>(x))));
    const auto t = static_cast<float>(-10.0 + i * (20.0 / 400000));
    tanh_worst = std::max(tanh_worst, Ulps(Tanh(t), std::tanh(static_cast<double>(t))));
    const auto near_one = static_cast<float>(0.5 + i * (1.5 / 400000));
    log_worst = std::max(log_worst, Ulps(Log(near_one), std::log(static_cast<double>(near_one))));
  }
  for (uint32_t bits = 0x00800000; bits < 0x7F800000; bits += 4999) {
    log_worst = std::max(log_worst, Ulps(Log(FromBits(bits)), std::log(static_cast<double>(FromBits(bits)))));
  }
  MESSAGE("largest errors in ulp: exp ", exp_worst, " log ", log_worst, " tanh ", tanh_worst);
  CHECK(exp_worst <= 2.0);
  CHECK(log_worst <= 2.0);
  CHECK(tanh_worst <= 2.0);
}

TEST_CASE("float functions at the edges") {
  CHECK(Exp(0.0f) == 1.0f);
  CHECK(Exp(-0.0f) == 1.0f);
  CHECK(Exp(-kInfinity) == 0.0f);
  CHECK(Exp(-88.0f) == 0.0f);
  CHECK(Exp(-87.33654f) >= std::numeric_limits<float>::min());
  CHECK(Exp(88.72283f) < kInfinity);
  CHECK(Exp(88.73f) == kInfinity);
  CHECK(std::isnan(Exp(FromBits(0x7FFFFFFF))));
  CHECK(Log(1.0f) == 0.0f);
  CHECK(Log(0.0f) == -kInfinity);
  CHECK(Log(kInfinity) == kInfinity);
  CHECK(std::isnan(Log(-1.0f)));
  CHECK(Tanh(20.0f) == 1.0f);
  CHECK(Tanh(-20.0f) == -1.0f);
  CHECK(Rsqrt(4.0f) == 0.5f);
  CHECK(Sigmoid(0.0f) == 0.5f);
}

TEST_CASE("vectors equal scalars bit for bit on every instruction set") {
  const std::vector<float> x = ManyFloats();
  const auto count = static_cast<int64_t>(x.size());
  std::vector<float> exp(x.size()), log(x.size()), tanh(x.size()), rsqrt(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    exp[i] = Exp(x[i]), log[i] = Log(x[i]), tanh[i] = Tanh(x[i]), rsqrt[i] = Rsqrt(x[i]);
  }
  // The sign and payload of a NaN that arithmetic makes are the processor's; all else is ours.
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::memcmp(&a[i], &b[i], 4) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
    }
    return true;
  };
  ThreadPool pool(2);
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    std::vector<float> y(x.size());
    ExpArray(x.data(), y.data(), count, pool);
    CHECK(same(y, exp));
    LogArray(x.data(), y.data(), count, pool);
    CHECK(same(y, log));
    TanhArray(x.data(), y.data(), count, pool);
    CHECK(same(y, tanh));
    RsqrtArray(x.data(), y.data(), count, pool);
    CHECK(same(y, rsqrt));
  });
}

TEST_CASE("double functions") {
  double exp_worst = 0, log_worst = 0, sin_worst = 0, tanh_worst = 0;
  for (int i = -20000; i <= 20000; ++i) {
    const double x = i * 0.0351 + 1e-3;
    exp_worst = std::max(exp_worst, std::fabs(Exp(x) / std::exp(x) - 1));
    const double big = i * 6543.21 + 0.123 * i;
    sin_worst = std::max(sin_worst, std::fabs(Sin(big) - std::sin(big)));
    sin_worst = std::max(sin_worst, std::fabs(Cos(big) - std::cos(big)));
    sin_worst = std::max(sin_worst, std::fabs(Sin(x * 0.01) - std::sin(x * 0.01)));
    const double y = std::exp(x);
    log_worst = std::max(log_worst, std::fabs(Log(y) / std::log(y) - 1));
    const double near_one = 1.0 + i * 2e-5;
    if (i != 0) log_worst = std::max(log_worst, std::fabs(Log(near_one) / std::log(near_one) - 1));
    tanh_worst = std::max(tanh_worst, std::fabs(Tanh(i * 1e-3 + 1e-7) / std::tanh(i * 1e-3 + 1e-7) - 1));
  }
  MESSAGE("largest errors: exp ", exp_worst, " log ", log_worst, " sin, cos ", sin_worst, " tanh ", tanh_worst);
  CHECK(exp_worst < 4e-16);
  CHECK(log_worst < 4e-16);
  CHECK(sin_worst < 4e-16);
  CHECK(tanh_worst < 1e-15);
  CHECK(Exp(0.0) == 1.0);
  CHECK(Log(1.0) == 0.0);
  CHECK(Exp(1000.0) == std::numeric_limits<double>::infinity());
  CHECK(Pow(0.0, 0.0) == 1.0);
  CHECK(Pow(0.0, 2.0) == 0.0);
  CHECK(std::fabs(Pow(0.95, 1000.0) / std::pow(0.95, 1000.0) - 1) < 1e-13);
}

}  // namespace pintle::kernels
