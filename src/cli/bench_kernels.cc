// `pintle bench kernels`: matrix multiplication beside the machine's peak.
#include "tensor/bench_kernels.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

namespace json = boost::json;

json::object PeakJson(const BenchKernelsPeak& peak) {
  return {{"fp32_gflops", peak.fp32_gflops}, {"bf16_gflops", peak.bf16_gflops}, {"read_gb_s", peak.read_gb_s}};
}

json::object ReportJson(const BenchKernelsReport& report) {
  json::array rows;
  for (const BenchKernelsRow& row : report.rows) {
    rows.push_back(json::object{{"op", row.op},
                                {"dtype", row.dtype},
                                {"m", row.m},
                                {"n", row.n},
                                {"k", row.k},
                                {"threads", row.threads},
                                {"gflops", row.gflops},
                                {"percent_of_peak", row.percent_of_peak}});
  }
  json::array peaks;
  json::array summaries;
  for (const BenchKernelsPeak& peak : report.peaks) {
    json::object entry = PeakJson(peak);
    entry["threads"] = peak.threads;
    peaks.push_back(std::move(entry));
    for (const char* dtype : {"fp32", "bf16"}) {
      const BenchKernelsSummary summary = Summarise(report, dtype, "", peak.threads);
      summaries.push_back(json::object{{"dtype", dtype},
                                       {"threads", peak.threads},
                                       {"median_percent", summary.median},
                                       {"lowest_percent", summary.lowest}});
    }
  }
  return {{"target", report.target},
          {"peak", PeakJson(report.peaks.back())},
          {"peak_by_threads", std::move(peaks)},
          {"summary", std::move(summaries)},
          {"matmul", std::move(rows)}};
}

void PrintTable(const BenchKernelsReport& report) {
  fmt::print("target {}\n", report.target);
  for (const BenchKernelsPeak& peak : report.peaks) {
    fmt::print("peak, threads {}: fp32 {:.0f} GF/s, bf16 {:.0f} GF/s, read {:.1f} GB/s\n", peak.threads,
               peak.fp32_gflops, peak.bf16_gflops, peak.read_gb_s);
  }
  fmt::print("\n{:<3} {:<5} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7}\n", "op", "dtype", "m", "n", "k", "threads", "GF/s",
             "% peak");
  for (const BenchKernelsRow& row : report.rows) {
    fmt::print("{:<3} {:<5} {:>5} {:>5} {:>5} {:>8} {:>8.1f} {:>7.1f}\n", row.op, row.dtype, row.m, row.n, row.k,
               row.threads, row.gflops, row.percent_of_peak);
  }
  fmt::print("\n% of peak {:>9} {:>8} {:>8} {:>6} {:>6} {:>6}\n", "threads", "lowest", "median", "NN", "NT", "TN");
  for (const BenchKernelsPeak& peak : report.peaks) {
    for (const char* dtype : {"fp32", "bf16"}) {
      const auto median = [&](const char* op) { return Summarise(report, dtype, op, peak.threads).median; };
      fmt::print("{:<9} {:>9} {:>8.1f} {:>8.1f} {:>6.1f} {:>6.1f} {:>6.1f}\n", dtype, peak.threads,
                 Summarise(report, dtype, "", peak.threads).lowest, median(""), median("NN"), median("NT"),
                 median("TN"));
    }
  }
}

}  // namespace

void RegisterBenchKernels(Command& bench) {
  auto options = std::make_shared<BenchKernelsOptions>();
  Command& verb = bench.Add("kernels", "matrix multiplication, in percent of this machine's measured peak");
  verb.Flag("--quick", options->quick, "fewer repetitions");
  verb.Run([options](const Global& global) -> Status {
    options->threads = global.threads;
    PINTLE_ASSIGN(const BenchKernelsReport report, BenchKernels(*options));
    if (global.json) {
      fmt::print("{}\n", DumpJson(ReportJson(report)));
    } else {
      PrintTable(report);
    }
    return {};
  });
}

}  // namespace pintle
