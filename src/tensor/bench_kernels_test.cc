// The benchmark's bookkeeping: every case once per thread count, percentages against the peak of the same run, and a
// summary that is the median. Speeds themselves are not tested.
#include "tensor/bench_kernels.h"

#include <doctest/doctest.h>

#include "base/interrupt.h"

namespace pintle {
namespace {

TEST_CASE("one shape in all orientations, types and thread counts") {
  const auto report = BenchKernels({.threads = 2, .quick = true, .shapes = 1});
  REQUIRE(report.ok());
  REQUIRE(report->peaks.size() == 2);
  CHECK(report->rows.size() == 2 * 3 * 2);
  for (const BenchKernelsPeak& peak : report->peaks) {
    CHECK(peak.fp32_gflops > 0);
    CHECK(peak.bf16_gflops > 0);
    CHECK(peak.read_gb_s > 0);
  }
  for (const BenchKernelsRow& row : report->rows) {
    CHECK(row.m == 2048);
    CHECK(row.gflops > 0);
    const BenchKernelsPeak& peak = report->peaks[row.threads == 1 ? 0 : 1];
    CHECK(row.percent_of_peak ==
          doctest::Approx(100 * row.gflops / (row.dtype == "bf16" ? peak.bf16_gflops : peak.fp32_gflops)));
  }
}

TEST_CASE("an interrupt ends the measurement") {
  SetInterrupted(true);
  const auto report = BenchKernels({.threads = 1, .quick = true, .shapes = 1});
  SetInterrupted(false);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().what == "interrupted");
}

TEST_CASE("the summary is the median and the lowest of the chosen rows") {
  BenchKernelsReport report;
  const double percents[] = {80, 90, 70, 60};
  for (const double percent : percents) report.rows.push_back({"NN", "fp32", 1, 1, 1, 1, 1, percent});
  report.rows.push_back({"NT", "fp32", 1, 1, 1, 1, 1, 10});
  report.rows.push_back({"NN", "bf16", 1, 1, 1, 1, 1, 1});
  CHECK(Summarise(report, "fp32", "NN", 1).median == 75);
  CHECK(Summarise(report, "fp32", "NN", 1).lowest == 60);
  CHECK(Summarise(report, "fp32", "", 1).median == 70);
  CHECK(Summarise(report, "fp32", "", 1).lowest == 10);
  CHECK(Summarise(report, "fp32", "NN", 2).median == 0);
}

}  // namespace
}  // namespace pintle
