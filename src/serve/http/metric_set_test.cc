#include "serve/http/metric_set.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

TEST_CASE("the text is what Prometheus reads") {
  MetricSet metrics;
  metrics.DeclareCounter("a_total", "things");
  metrics.DeclareHistogram("b_seconds", "times", {0.1, 1});
  metrics.DeclareGauge("c", "state");
  metrics.Add("a_total", {{"model", "x\"y\\z\n"}});
  metrics.Add("a_total", {{"model", "x\"y\\z\n"}}, 2);
  metrics.Observe("b_seconds", {}, 0.1);
  metrics.Observe("b_seconds", {}, 0.5);
  metrics.Observe("b_seconds", {}, 7);
  metrics.Set("c", {{"node", "n"}}, 1);
  metrics.Set("c", {{"node", "n"}}, 0);
  CHECK(metrics.Text() ==
        "# HELP a_total things\n# TYPE a_total counter\na_total{model=\"x\\\"y\\\\z\\n\"} 3\n"
        "# HELP b_seconds times\n# TYPE b_seconds histogram\n"
        "b_seconds_bucket{le=\"0.1\"} 1\nb_seconds_bucket{le=\"1\"} 2\nb_seconds_bucket{le=\"+Inf\"} 3\n"
        "b_seconds_sum 7.6\nb_seconds_count 3\n"
        "# HELP c state\n# TYPE c gauge\nc{node=\"n\"} 0\n");
  metrics.Clear("c");
  CHECK_FALSE(metrics.Text().find("node=") != std::string::npos);
}

}  // namespace
}  // namespace pintle
