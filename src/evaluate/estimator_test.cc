#include "evaluate/estimator.h"

#include <doctest/doctest.h>

#include <string>

namespace pintle {
namespace {

// C(n-c, k) / C(n, k) counted one subset at a time.
double PassAtKByCounting(int n, int c, int k) {
  int64_t all = 0, with = 0;
  for (int subset = 0; subset < (1 << n); ++subset) {
    if (__builtin_popcount(static_cast<unsigned>(subset)) != k) continue;
    ++all;
    with += (subset & ((1 << c) - 1)) != 0 ? 1 : 0;
  }
  return static_cast<double>(with) / static_cast<double>(all);
}

TEST_CASE("pass@k equals counting") {
  for (int n = 1; n <= 8; ++n) {
    for (int c = 0; c <= n; ++c) {
      for (int k = 1; k <= n; ++k)
        CHECK(PassAtK(n, c, k) == doctest::Approx(PassAtKByCounting(n, c, k)).epsilon(1e-12));
    }
  }
  CHECK(PassAtK(20, 0, 5) == 0);
  CHECK(PassAtK(20, 20, 5) == 1);
}

TEST_CASE("Wilson's interval has the values of the tables") {
  const Interval half = WilsonInterval(0.5, 10);
  CHECK(half.low == doctest::Approx(0.2366).epsilon(1e-3));
  CHECK(half.high == doctest::Approx(0.7634).epsilon(1e-3));
  const Interval none = WilsonInterval(0, 100);
  CHECK(none.low == 0);
  CHECK(none.high == doctest::Approx(0.03699).epsilon(1e-3));
  CHECK(WilsonInterval(0.3, 0).high == 1);
}

TEST_CASE("edit similarity") {
  CHECK(EditSimilarity("", "") == 1);
  CHECK(EditSimilarity("abc", "") == 0);
  CHECK(EditSimilarity("kitten", "sitting") == doctest::Approx(1 - 3.0 / 7));
  CHECK(EditSimilarity(std::string(10000, 'a'), std::string(9000, 'a')) == 1);
}

TEST_CASE("logarithm and power") {
  CHECK(Log2(1) == 0);
  CHECK(Log2(1024) == 10);
  CHECK(Log2(10) == doctest::Approx(3.321928094887362348).epsilon(1e-15));
  CHECK(Log2(1e-300) == doctest::Approx(-996.578428466209).epsilon(1e-14));
  CHECK(Exp2(10) == 1024);
  CHECK(Exp2(0.5) == doctest::Approx(1.41421356237309505).epsilon(1e-14));
  for (double x = 0.001; x < 5000; x *= 1.7) CHECK(Exp2(Log2(x)) == doctest::Approx(x).epsilon(1e-13));
}

}  // namespace
}  // namespace pintle
