#include "serve/gateway/node_metrics.h"

#include <doctest/doctest.h>

namespace pintle {

TEST_CASE("each family once, each sample with its node") {
  const std::string one =
      "# HELP a_total what is counted\n# TYPE a_total counter\na_total 3\n"
      "# TYPE h histogram\nh_bucket{model=\"m\",le=\"1\"} 2\nh_count{model=\"m\"} 2\n";
  const std::string two =
      "# HELP a_total what is counted\n# TYPE a_total counter\na_total{} 4\n# odd\n\nnonsense\n# TYPE b gauge\nb 1";
  CHECK(JoinMetrics({{"x", one}, {"y\"", two}}) ==
        "# HELP a_total what is counted\n# TYPE a_total counter\na_total{node=\"x\"} 3\na_total{node=\"y\\\"\"} 4\n"
        "# TYPE h histogram\nh_bucket{node=\"x\",model=\"m\",le=\"1\"} 2\nh_count{node=\"x\",model=\"m\"} 2\n"
        "# TYPE b gauge\nb{node=\"y\\\"\"} 1\n");
  CHECK(JoinMetrics({}).empty());
}

}  // namespace pintle
