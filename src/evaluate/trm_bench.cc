#include "evaluate/trm_bench.h"

#include <algorithm>
#include <ctime>

#include "base/interrupt.h"
#include "base/time.h"
#include "models/trm/solve.h"
#include "models/trm/trainer.h"
#include "puzzles/task.h"

namespace pintle {
namespace {

TrmBenchShape MakeShape(const char* name, int64_t side, int64_t width, int64_t batch, DType dtype, bool published) {
  TrmBenchShape shape{name, {}, batch};
  shape.config.cells = side * side;
  shape.config.vocab = side + 2;
  shape.config.width = width;
  shape.config.h_cycles = 3;
  shape.config.l_cycles = 6;
  shape.config.dtype = dtype;
  shape.config.profile = kernels::Profile::kFma;
  shape.config.prefix = published && side == 9 ? 16 : 1;
  shape.config.inner_rounding = published ? 256 : 32;
  return shape;
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TrmBatch Puzzles(const Task& task, int64_t count) {
  TrmBatch batch;
  for (int64_t i = 0; i < count; ++i) {
    const Sample sample = task.Generate(0, static_cast<uint64_t>(i));
    AppendPuzzle(batch, sample.inputs, sample.labels, 0, kPad);
  }
  return batch;
}

// The optimizer's steps, on one batch: slots that halt begin again with the same puzzle.
Status Train(const TrmBenchShape& shape, int64_t steps, const TrmBatch& batch, ThreadPool& pool,
             TrmBenchReport& report) {
  constexpr int64_t kWarmup = 2;
  PINTLE_ASSIGN(const auto model, Trm::Create(shape.config, true, pool));
  model->Init(0);
  TrmTrainOptions options;
  options.slots = shape.batch;
  options.learning_rate = 1e-4;
  options.ema_decay = 0.999;
  PINTLE_ASSIGN(const auto trainer, TrmTrainer::Create(*model, options, pool));
  std::vector<double> seconds;
  double cpu = 1e300;
  for (int64_t step = -kWarmup; step < steps; ++step) {
    if (Interrupted()) return RuntimeError("interrupted");
    const double start = MonotonicSeconds(), cpu_start = CpuSeconds();
    PINTLE_ASSIGN(const TrmStepReport done, trainer->TrainStep(batch));
    report.last_loss = done.lm_loss / static_cast<double>(shape.batch);
    if (step == -kWarmup) report.first_loss = report.last_loss;
    if (step < 0) continue;
    seconds.push_back(MonotonicSeconds() - start);
    cpu = std::min(cpu, CpuSeconds() - cpu_start);
  }
  std::sort(seconds.begin(), seconds.end());
  report.step_seconds = seconds[seconds.size() / 2];
  report.best_step_seconds = seconds.front();
  const TrmConfig& config = shape.config;
  const auto evaluations = static_cast<double>((config.h_cycles + 2) * (config.l_cycles + 1));
  report.parameters = TrmParameterCount(config);
  report.samples_per_s = static_cast<double>(shape.batch) / report.step_seconds;
  report.best_samples_per_s = static_cast<double>(shape.batch) / report.best_step_seconds;
  report.samples_per_cpu_s = static_cast<double>(shape.batch) / cpu;
  report.gflops = report.samples_per_s * evaluations * TrmFlopsPerEvaluation(config) * 1e-9;
  return {};
}

Status Solve(const TrmBenchShape& shape, const TrmBatch& puzzle, ThreadPool& pool, TrmBenchReport& report) {
  PINTLE_ASSIGN(const auto model, Trm::Create(shape.config, false, pool));
  model->Init(0);
  report.solve_seconds = report.solve_cpu_seconds = 1e300;
  for (int round = 0; round < 3; ++round) {
    const double start = MonotonicSeconds(), cpu_start = CpuSeconds();
    PINTLE_RETURN_IF_ERROR(SolveTrm(*model, puzzle, {}));
    report.solve_seconds = std::min(report.solve_seconds, MonotonicSeconds() - start);
    report.solve_cpu_seconds = std::min(report.solve_cpu_seconds, CpuSeconds() - cpu_start);
  }
  return {};
}

}  // namespace

std::vector<TrmBenchShape> TrmBenchShapes() {
  return {MakeShape("sudoku9-d512", 9, 512, 16, DType::kF32, true),
          MakeShape("sudoku9-d512-bf16", 9, 512, 16, DType::kBF16, true),
          MakeShape("sudoku9-d128", 9, 128, 32, DType::kF32, true),
          MakeShape("sudoku9-d128-bf16", 9, 128, 32, DType::kBF16, true),
          MakeShape("sudoku4-d128", 4, 128, 64, DType::kF32, true),
          MakeShape("sudoku4-d128-bf16", 4, 128, 64, DType::kBF16, true),
          MakeShape("own-sudoku9-d128-bf16", 9, 128, 32, DType::kBF16, false),
          MakeShape("own-sudoku4-d128-bf16", 4, 128, 64, DType::kBF16, false)};
}

Result<TrmBenchReport> BenchTrm(const TrmBenchShape& shape, int64_t steps, ThreadPool& pool) {
  PINTLE_ASSIGN(const auto task, MakeTask(shape.config.cells == 16 ? "sudoku4" : "sudoku9"));
  TrmBenchReport report;
  PINTLE_RETURN_IF_ERROR(Train(shape, steps, Puzzles(*task, shape.batch), pool, report));
  PINTLE_RETURN_IF_ERROR(Solve(shape, Puzzles(*task, 1), pool, report));
  return report;
}

}  // namespace pintle
