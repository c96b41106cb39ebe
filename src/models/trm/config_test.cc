#include "models/trm/config.h"

#include <doctest/doctest.h>

#include <string>

#include "models/trm/init.h"

namespace pintle {

TEST_CASE("the published sizes") {
  TrmConfig c;
  c.cells = 81;
  c.vocab = 11;
  c.width = 512;
  c = ReferenceShape(c);
  CHECK(c.positions_count() == 97);
  CHECK(c.Inner(512) == 1536);
  CHECK(c.Inner(97) == 512);
  CHECK(TrmParameterCount(c) == 5'028'866);
  CHECK(TrmFlopsPerEvaluation(c) == doctest::Approx(1.221e9).epsilon(0.001));
  c.width = 128;
  CHECK(TrmParameterCount(c) == 694'274);
  c.inner_rounding = 32;
  CHECK(c.Inner(128) == 352);
  c.inner_rounding = 256;
  c.cells = 16;
  c.prefix = 1;
  c.vocab = 6;
  CHECK(c.Inner(17) == 256);
}

TEST_CASE("a configuration comes back from its JSON, and faults are named") {
  TrmConfig c;
  c.cells = 12;
  c.vocab = 6;
  c.mixing = TrmMixing::kAttention;
  c.positions = TrmPositions::kRope2d;
  c.rows = 3;
  c.columns = 4;
  c.h_cycles = 3;
  c.dtype = DType::kF32;
  c.profile = kernels::Profile::kFma;
  const std::string text = TrmConfigJson(c);
  const auto back = ParseTrmConfig(text, "config.json");
  REQUIRE(back.ok());
  CHECK(TrmConfigJson(*back) == text);
  c.columns = 5;
  CHECK(ParseTrmConfig(TrmConfigJson(c), "x").error().what == "rope2d needs rows x columns = cells");
  c.columns = 4;
  c.mixing = TrmMixing::kLocal;
  CHECK(!ParseTrmConfig(TrmConfigJson(c), "x").ok());  // it takes no positions
  c.positions = TrmPositions::kNone;
  const auto local = ParseTrmConfig(TrmConfigJson(c), "x");
  REQUIRE(local.ok());
  CHECK(local->mixing == TrmMixing::kLocal);
  c.columns = 5;
  CHECK(ParseTrmConfig(TrmConfigJson(c), "x").error().what == "local mixing needs rows x columns = cells");
  c.rows = c.columns = int64_t{1} << 62;  // the product is no number
  CHECK(ParseTrmConfig(TrmConfigJson(c), "x").error().what == "local mixing needs rows x columns = cells");
  c.rows = c.cells / 4;
  c.columns = 4;
  c.vocab = 1;
  CHECK(ParseTrmConfig(TrmConfigJson(c), "x").error().what == "vocab_size = 1 is not between 2 and 4096");
  CHECK(!ParseTrmConfig("{}", "x").ok());
}

TEST_CASE("initial weights: mean 0, deviation 1, cut at two of the uncut deviations") {
  double sum = 0, squares = 0, largest = 0;
  constexpr int kCount = 20000;
  for (uint32_t i = 0; i < kCount; ++i) {
    const double x = TrmTruncatedNormal(1, 2, i);
    sum += x;
    squares += x * x;
    largest = x > largest ? x : largest;
  }
  CHECK(sum / kCount == doctest::Approx(0).epsilon(0.02));
  CHECK(squares / kCount == doctest::Approx(1).epsilon(0.03));
  CHECK(largest <= 2 / 0.8796);
  CHECK(largest > 2.2);
}

}  // namespace pintle
