#include "tensor/bench_kernels.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "base/interrupt.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "kernels/matmul.h"
#include "kernels/matmul_hash.h"
#include "kernels/peak.h"
#include "kernels/target.h"
#include "tensor/arena.h"

namespace pintle {
namespace {

using kernels::bf16;
using kernels::MatMulOp;
using kernels::MatMulShape;
using kernels::Profile;

struct Extents {
  int64_t m, n, k;
};

// Tokens x outputs x inputs of models of 6 to 60 million parameters, vocabulary heads included.
constexpr Extents kShapes[] = {{2048, 256, 256},   {2048, 1024, 256}, {2048, 256, 1024},  {2048, 768, 256},
                               {2048, 8192, 256},  {2048, 512, 512},  {2048, 2048, 512},  {2048, 512, 2048},
                               {4096, 1536, 512},  {8192, 384, 384},  {2048, 1024, 1024}, {2048, 4096, 1024},
                               {2048, 1024, 4096}, {2048, 768, 2048}};
constexpr const char* kOps[] = {"NN", "NT", "TN"};
constexpr size_t kReadBytes = size_t{256} << 20;

MatMulShape ShapeOf(MatMulOp op, const Extents& e) {
  return {op, e.m, e.n, e.k, op == MatMulOp::kTN ? e.m : e.k, op == MatMulOp::kNT ? e.k : e.n, e.n, false};
}

/// Inputs and output large enough for every case, filled once; on an arena, as a model's tensors are.
class Operands {
 public:
  static Result<Operands> Create(std::span<const Extents> shapes, ThreadPool& pool) {
    int64_t count_a = 0;
    int64_t count_b = 0;
    int64_t count_c = 0;
    for (const Extents& e : shapes) {
      count_a = std::max(count_a, e.m * e.k);
      count_b = std::max(count_b, e.n * e.k);
      count_c = std::max(count_c, e.m * e.n);
    }
    const auto words = static_cast<size_t>(count_a + count_b + count_c);
    PINTLE_ASSIGN(Arena arena, Arena::Create(words * 6 + kReadBytes + 8 * Arena::kAlignment));
    Operands operands;
    operands.a = static_cast<float*>(arena.Allocate(static_cast<size_t>(count_a) * 4));
    operands.b = static_cast<float*>(arena.Allocate(static_cast<size_t>(count_b) * 4));
    operands.c = static_cast<float*>(arena.Allocate(static_cast<size_t>(count_c) * 4));
    operands.a16 = static_cast<bf16*>(arena.Allocate(static_cast<size_t>(count_a) * 2));
    operands.b16 = static_cast<bf16*>(arena.Allocate(static_cast<size_t>(count_b) * 2));
    operands.memory = arena.Allocate(kReadBytes);
    std::memset(operands.memory, 1, kReadBytes);
    kernels::FillUniform(1, count_a, operands.a);
    kernels::FillUniform(2, count_b, operands.b);
    kernels::ConvertF32ToBF16(operands.a, operands.a16, count_a, pool);
    kernels::ConvertF32ToBF16(operands.b, operands.b16, count_b, pool);
    operands.arena_ = std::move(arena);
    return operands;
  }

  void Run(const MatMulShape& shape, bool is_bf16, float* to, ThreadPool& pool) const {
    if (is_bf16) {
      kernels::MatMulBF16(shape, a16, b16, to, {}, pool);
    } else {
      kernels::MatMulF32(shape, Profile::kFma, a, b, to, {}, pool);
    }
  }

  void RunReference(const MatMulShape& shape, bool is_bf16, float* to) const {
    if (is_bf16) {
      kernels::ReferenceMatMulBF16(shape, a16, b16, to, {});
    } else {
      kernels::ReferenceMatMulF32(shape, Profile::kFma, a, b, to, {});
    }
  }

  float* a = nullptr;
  float* b = nullptr;
  float* c = nullptr;
  bf16* a16 = nullptr;
  bf16* b16 = nullptr;
  void* memory = nullptr;  ///< kReadBytes to read

 private:
  Arena arena_;
};

/// The case in small (full depth up to 1,100, extents that leave remainders) must have the definition's bits.
Status CheckSmall(const Operands& operands, const Extents& e, int op, bool is_bf16, ThreadPool& pool) {
  const MatMulShape shape = ShapeOf(static_cast<MatMulOp>(op), {71, 45, std::min<int64_t>(e.k, 1100)});
  std::vector<float> expected(71 * 45);
  std::vector<float> actual(71 * 45);
  operands.RunReference(shape, is_bf16, expected.data());
  operands.Run(shape, is_bf16, actual.data(), pool);
  if (std::memcmp(expected.data(), actual.data(), actual.size() * sizeof(float)) == 0) return {};
  return ValidationError(std::string("matmul ") + kOps[op] + (is_bf16 ? " bf16" : " fp32") +
                         " differs from its definition on target " + kernels::TargetName(kernels::ActiveTarget()));
}

double BestSeconds(const Operands& operands, const MatMulShape& shape, bool is_bf16, float* to, bool quick,
                   ThreadPool& pool) {
  // Short cases repeat more often: one sample of 0.6 ms is at the mercy of the scheduler.
  const double budget = quick ? 0.02 : 0.15;
  const int least = quick ? 3 : 6;
  double best = 0;
  double spent = 0;
  for (int i = 0; i < least || spent < budget; ++i) {
    const double start = MonotonicSeconds();
    operands.Run(shape, is_bf16, to, pool);
    const double seconds = MonotonicSeconds() - start;
    spent += seconds;
    best = i == 0 ? seconds : std::min(best, seconds);
  }
  return best;
}

}  // namespace

Result<BenchKernelsReport> BenchKernels(const BenchKernelsOptions& options) {
  BenchKernelsReport report;
  report.target = kernels::TargetName(kernels::ActiveTarget());
  ThreadPool all(options.threads);
  // The portable target emulates most of this; one shape says how slow that is.
  const int most = kernels::ActiveTarget() == kernels::Target::kPortable ? 1 : static_cast<int>(std::size(kShapes));
  const auto shapes = std::span(kShapes).first(static_cast<size_t>(std::clamp(options.shapes, 1, most)));
  PINTLE_ASSIGN(const Operands operands, Operands::Create(shapes, all));
  std::vector<int> thread_counts{1};
  if (all.threads() > 1) thread_counts.push_back(all.threads());
  for (const int threads : thread_counts) {
    ThreadPool pool(threads);
    BenchKernelsPeak peak{
        threads, kernels::PeakF32Gflops(pool, 40), kernels::PeakBF16Gflops(pool, 40),
        kernels::PeakReadGbPerSecond(pool, operands.memory, static_cast<int64_t>(kReadBytes), options.quick ? 5 : 15)};
    const size_t first = report.rows.size();
    for (int op = 0; op < 3; ++op) {
      for (const bool is_bf16 : {false, true}) {
        for (const Extents& e : shapes) {
          if (Interrupted()) return RuntimeError("interrupted");
          PINTLE_RETURN_IF_ERROR(CheckSmall(operands, e, op, is_bf16, pool));
          const double seconds =
              BestSeconds(operands, ShapeOf(static_cast<MatMulOp>(op), e), is_bf16, operands.c, options.quick, pool);
          const auto operations = static_cast<double>(2 * e.m * e.n * e.k);
          report.rows.push_back(
              {kOps[op], is_bf16 ? "bf16" : "fp32", e.m, e.n, e.k, threads, operations / seconds * 1e-9, 0});
          // The clock and the neighbours change during the run; the peak is the best moment of all of it.
          peak.fp32_gflops = std::max(peak.fp32_gflops, kernels::PeakF32Gflops(pool, 2));
          peak.bf16_gflops = std::max(peak.bf16_gflops, kernels::PeakBF16Gflops(pool, 2));
        }
      }
    }
    for (size_t i = first; i < report.rows.size(); ++i) {
      BenchKernelsRow& row = report.rows[i];
      row.percent_of_peak = 100 * row.gflops / (row.dtype == "bf16" ? peak.bf16_gflops : peak.fp32_gflops);
    }
    report.peaks.push_back(peak);
  }
  return report;
}

BenchKernelsSummary Summarise(const BenchKernelsReport& report, const std::string& dtype, const std::string& op,
                              int threads) {
  std::vector<double> percents;
  for (const BenchKernelsRow& row : report.rows) {
    if (row.dtype == dtype && row.threads == threads && (op.empty() || row.op == op))
      percents.push_back(row.percent_of_peak);
  }
  if (percents.empty()) return {0, 0};
  std::sort(percents.begin(), percents.end());
  const size_t middle = percents.size() / 2;
  const double median = percents.size() % 2 == 1 ? percents[middle] : (percents[middle - 1] + percents[middle]) / 2;
  return {median, percents.front()};
}

}  // namespace pintle
