#include "evaluate/estimator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"

namespace pintle {
namespace {

constexpr double kLn2 = 0.693147180559945309417;

}  // namespace

double PassAtK(int64_t n, int64_t c, int64_t k) {
  PINTLE_CHECK(k >= 1 && k <= n && c >= 0 && c <= n, "pass@k outside its range");
  if (n - c < k) return 1;
  double none = 1;
  for (int64_t i = n - c + 1; i <= n; ++i) none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

Interval WilsonInterval(double proportion, int64_t trials) {
  if (trials <= 0) return {};
  constexpr double kZ = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double denominator = 1 + kZ * kZ / n;
  const double centre = (proportion + kZ * kZ / (2 * n)) / denominator;
  const double half = kZ * std::sqrt(proportion * (1 - proportion) / n + kZ * kZ / (4 * n * n)) / denominator;
  return {proportion > 0 ? centre - half : 0, proportion < 1 ? centre + half : 1};
}

double EditSimilarity(std::string_view a, std::string_view b) {
  constexpr size_t kMost = 4096;
  a = a.substr(0, kMost);
  b = b.substr(0, kMost);
  if (a.empty() && b.empty()) return 1;
  std::vector<uint32_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<uint32_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    uint32_t diagonal = row[0];
    row[0] = static_cast<uint32_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const uint32_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return 1 - static_cast<double>(row[b.size()]) / static_cast<double>(std::max(a.size(), b.size()));
}

double Log2(double x) {
  PINTLE_CHECK(x > 0 && std::isfinite(x), "logarithm outside its range");
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  // ln m = 2 atanh((m - 1) / (m + 1)); |t| <= 0.1716, so the 13th term is below 1e-19.
  const double t = (mantissa - 1) / (mantissa + 1), square = t * t;
  double sum = 0;
  for (int i = 25; i >= 1; i -= 2) sum = sum * square + 1.0 / i;
  return exponent + 2 * t * sum / kLn2;
}

double Exp2(double x) {
  PINTLE_CHECK(x > -1000 && x < 1000, "exponent outside its range");
  const double whole = std::floor(x + 0.5);
  const double rest = (x - whole) * kLn2;  // |rest| <= 0.347: 16 terms reach 1e-19
  double sum = 1;
  for (int i = 16; i >= 1; --i) sum = 1 + sum * rest / i;
  return std::ldexp(sum, static_cast<int>(whole));
}

}  // namespace pintle
