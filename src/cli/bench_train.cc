// `pintle bench train`: tokens a second of whole training steps, and where the time goes.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "models/decoder/bench.h"

namespace pintle {
namespace {

struct Arguments {
  std::string preset = "m31r-6m", dtype = "bf16", optimizer = "adamw", profile = "fma";
  int64_t batch = 4, time = 512, steps = 12;
  bool recompute = false;
};

Result<BenchTrainOptions> Options(const Arguments& a, uint64_t seed) {
  BenchTrainOptions options;
  PINTLE_ASSIGN(options.config, DecoderPreset(a.preset));
  if (a.dtype != "fp32" && a.dtype != "bf16") return UsageError("--dtype is fp32 or bf16, not '" + a.dtype + "'");
  if (a.optimizer != "adamw" && a.optimizer != "muon") {
    return UsageError("--optimizer is adamw or muon, not '" + a.optimizer + "'");
  }
  if (a.profile != "fma" && a.profile != "muladd") {
    return UsageError("--profile is fma or muladd, not '" + a.profile + "'");
  }
  if (a.batch < 1 || a.batch > 4096 || a.time < 1 || a.time > 65536 || a.steps < 1 || a.steps > 100000) {
    return UsageError("--batch, --time and --steps are at least 1 (and at most 4096, 65536, 100000)");
  }
  options.config.dtype = a.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  options.config.profile = a.profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
  options.optimizer = a.optimizer == "muon" ? OptimizerKind::kMuon : OptimizerKind::kAdamW;
  options.recompute = a.recompute;
  options.batch = a.batch;
  options.time = a.time;
  options.steps = a.steps;
  options.seed = seed;
  return options;
}

void PrintJson(const Arguments& a, int threads, const BenchTrainReport& r) {
  fmt::print("{}\n", DumpJson(boost::json::object{
                         {"preset", a.preset},
                         {"dtype", a.dtype},
                         {"optimizer", a.optimizer},
                         {"threads", threads},
                         {"batch", a.batch},
                         {"time", a.time},
                         {"parameters", r.parameters},
                         {"tokens_per_s", r.tokens_per_s},
                         {"best_tokens_per_s", r.best_tokens_per_s},
                         {"tokens_per_cpu_s", r.tokens_per_cpu_s},
                         {"gflops", r.gflops},
                         {"percent_of_peak", r.percent_of_peak},
                         {"peak", {{"fp32_gflops", r.peak_f32_gflops}, {"bf16_gflops", r.peak_bf16_gflops}}},
                         {"step_seconds", r.step_seconds},
                         {"seconds",
                          {{"linear", r.passes.linear},
                           {"head", r.passes.head},
                           {"attention", r.passes.attention},
                           {"elementwise", r.passes.elementwise},
                           {"adamw", r.update.adamw},
                           {"muon", r.update.muon},
                           {"other", r.update.other}}},
                         {"bytes",
                          {{"weights", r.memory.weights},
                           {"gradients", r.memory.gradients},
                           {"activations", r.memory.activations},
                           {"optimizer", r.optimizer_bytes}}},
                         {"first_loss", r.first_loss},
                         {"last_loss", r.last_loss}}));
}

void PrintText(const Arguments& a, int threads, const BenchTrainReport& r) {
  fmt::print("{} ({} parameters), {}, {}, {} x {} tokens a step, {} threads\n", a.preset, r.parameters, a.dtype,
             a.optimizer, a.batch, a.time, threads);
  fmt::print("peak           {:>8.0f} GF/s fp32, {:.0f} GF/s bf16\n", r.peak_f32_gflops, r.peak_bf16_gflops);
  fmt::print("tokens/s       {:>8.0f}  (best step {:.0f}; {:.0f} for each second of processor time)\n", r.tokens_per_s,
             r.best_tokens_per_s, r.tokens_per_cpu_s);
  fmt::print("GF/s           {:>8.0f}  {:.0f} % of the {} peak\n", r.gflops, r.percent_of_peak, a.dtype);
  const auto line = [&](const char* name, double seconds) {
    if (seconds > 0)
      fmt::print("{:<14} {:>8.2f} ms  {:>4.1f} %\n", name, 1e3 * seconds, 100 * seconds / r.step_seconds);
  };
  line("step", r.step_seconds);
  line("  linear", r.passes.linear);
  line("  head + loss", r.passes.head);
  line("  attention", r.passes.attention);
  line("  elementwise", r.passes.elementwise);
  line("  adamw", r.update.adamw);
  line("  muon", r.update.muon);
  line("  other", r.update.other);
  const auto bytes = [](size_t count) { return HumanBytes(static_cast<double>(count)); };
  fmt::print("memory         weights {}, gradients {}, optimizer {}, activations {}\n", bytes(r.memory.weights),
             bytes(r.memory.gradients), bytes(r.optimizer_bytes), bytes(r.memory.activations));
}

}  // namespace

void RegisterBenchTrain(Command& bench) {
  auto arguments = std::make_shared<Arguments>();
  Command& verb = bench.Add("train", "whole training steps on random tokens");
  verb.Option("--preset", arguments->preset, "m31r-1m ... m31r-500m");
  verb.Option("--dtype", arguments->dtype, "fp32 or bf16");
  verb.Option("--optimizer", arguments->optimizer, "adamw or muon");
  verb.Option("--profile", arguments->profile, "fma or muladd (fp32 only)");
  verb.Option("--batch", arguments->batch, "rows of a step");
  verb.Option("--time", arguments->time, "tokens of a row");
  verb.Option("--steps", arguments->steps, "measured steps");
  verb.Flag("--recompute", arguments->recompute, "forget activations inside blocks and compute them again");
  verb.Run([arguments](const Global& global) -> Status {
    PINTLE_ASSIGN(const BenchTrainOptions options, Options(*arguments, global.seed));
    ThreadPool pool(global.threads);
    PINTLE_ASSIGN(const BenchTrainReport report, BenchTrain(options, pool));
    if (global.json) {
      PrintJson(*arguments, pool.threads(), report);
    } else {
      PrintText(*arguments, pool.threads(), report);
    }
    return {};
  });
}

}  // namespace pintle
