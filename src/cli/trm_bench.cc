// `pintle trm bench`: training and inference speed beside the machine's peak.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "evaluate/trm_bench.h"
#include "kernels/peak.h"

namespace pintle {
namespace {

struct Options {
  std::vector<std::string> shapes;
  int64_t steps = 5;
};

boost::json::object Json(const TrmBenchShape& shape, const TrmBenchReport& r, double peak) {
  return {{"shape", shape.name},
          {"dtype", shape.config.dtype == DType::kBF16 ? "bf16" : "fp32"},
          {"batch", shape.batch},
          {"parameters", r.parameters},
          {"step_seconds", r.step_seconds},
          {"samples_per_s", r.samples_per_s},
          {"best_samples_per_s", r.best_samples_per_s},
          {"samples_per_cpu_s", r.samples_per_cpu_s},
          {"gflops", r.gflops},
          {"percent_of_peak", 100 * r.gflops / peak},
          {"solve_seconds", r.solve_seconds},
          {"solve_cpu_seconds", r.solve_cpu_seconds},
          {"first_loss", r.first_loss},
          {"last_loss", r.last_loss}};
}

Status Bench(const Options& options, const Global& global) {
  constexpr int kPeakSamples = 100;
  if (options.steps < 1 || options.steps > 10000) return UsageError("--steps is 1 to 10000");
  std::vector<TrmBenchShape> shapes = TrmBenchShapes();
  std::string names;
  for (const TrmBenchShape& shape : shapes) names += (names.empty() ? "" : ", ") + shape.name;
  for (const std::string& wanted : options.shapes) {
    const auto same = [&](const TrmBenchShape& shape) { return shape.name == wanted; };
    if (std::none_of(shapes.begin(), shapes.end(), same)) {
      return UsageError("no shape '" + wanted + "'", "--shape", "the shapes are " + names);
    }
  }
  if (!options.shapes.empty()) {
    std::erase_if(shapes, [&](const TrmBenchShape& shape) {
      return std::find(options.shapes.begin(), options.shapes.end(), shape.name) == options.shapes.end();
    });
  }
  ThreadPool pool(global.threads);
  const double fp32 = kernels::PeakF32Gflops(pool, kPeakSamples), bf16 = kernels::PeakBF16Gflops(pool, kPeakSamples);
  if (!global.json) {
    fmt::print("{} threads; peak {:.0f} GF/s fp32, {:.0f} GF/s bf16\n", pool.threads(), fp32, bf16);
    fmt::print("{:<22} {:>5} {:>10} {:>10} {:>12} {:>7} {:>7} {:>12}\n", "shape", "batch", "samples/s", "best",
               "per cpu s", "GF/s", "% peak", "16 steps, s");
  }
  boost::json::array list;
  for (const TrmBenchShape& shape : shapes) {
    PINTLE_ASSIGN(const TrmBenchReport r, BenchTrm(shape, options.steps, pool));
    const double peak = shape.config.dtype == DType::kBF16 ? bf16 : fp32;
    list.push_back(Json(shape, r, peak));
    if (global.json) continue;
    fmt::print("{:<22} {:>5} {:>10.1f} {:>10.1f} {:>12.1f} {:>7.0f} {:>7.0f} {:>12.3f}\n", shape.name, shape.batch,
               r.samples_per_s, r.best_samples_per_s, r.samples_per_cpu_s, r.gflops, 100 * r.gflops / peak,
               r.solve_seconds);
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"threads", pool.threads()},
                                                    {"peak", {{"fp32_gflops", fp32}, {"bf16_gflops", bf16}}},
                                                    {"shapes", list}}));
  }
  return {};
}

}  // namespace

void RegisterTrmBench(Command& trm) {
  auto options = std::make_shared<Options>();
  Command& verb = trm.Add("bench", "training and inference speed at the published shapes and at ours");
  verb.Option("--shape", options->shapes, "only this shape; may be given several times (default: all)");
  verb.Option("--steps", options->steps, "measured training steps of each");
  verb.Run([options](const Global& global) { return Bench(*options, global); });
}

}  // namespace pintle
