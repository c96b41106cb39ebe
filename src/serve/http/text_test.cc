#include "serve/http/text.h"

#include <doctest/doctest.h>

namespace pintle {

TEST_CASE("percent-encoding is undone once, and what is no escape stays") {
  CHECK(PercentDecoded("a%2Fb%20c") == "a/b c");
  CHECK(PercentDecoded("%C3%a4") == "\xc3\xa4");
  CHECK(PercentDecoded("%2541") == "%41");
  CHECK(PercentDecoded("100%") == "100%");
  CHECK(PercentDecoded("%4") == "%4");
  CHECK(PercentDecoded("%zz%4g+") == "%zz%4g+");
}

TEST_CASE("values are found by their names in a query") {
  CHECK(QueryValue("model=m31r-1m", "model") == "m31r-1m");
  CHECK(QueryValue("x=1&model=a%26b%3Dc+d&model=e", "model") == "a&b=c d");
  CHECK(QueryValue("models=x&model", "model") == "");
  CHECK(QueryValue("&&nodes=all&", "nodes") == "all");
  CHECK_FALSE(QueryValue("models=x", "model"));
  CHECK_FALSE(QueryValue("", "model"));
}

}  // namespace pintle
