#include "tensor/bench_kernels.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/thread_pool.h"
#include "base/time.h"
#include "kernels/matmul.h"
#include "kernels/matmul_hash.h"
#include "kernels/peak.h"
#include "kernels/target.h"

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
constexpr int64_t kReadBytes = int64_t{256} << 20;

MatMulShape ShapeOf(MatMulOp op, const Extents& e) {
  return {op, e.m, e.n, e.k, op == MatMulOp::kTN ? e.m : e.k, op == MatMulOp::kNT ? e.k : e.n, e.n, false};
}

/// Inputs and output large enough for every case; filled once.
class Operands {
 public:
  explicit Operands(ThreadPool& pool) {
    int64_t largest_a = 0;
    int64_t largest_b = 0;
    int64_t largest_c = 0;
    for (const Extents& e : kShapes) {
      largest_a = std::max(largest_a, e.m * e.k);
      largest_b = std::max(largest_b, e.n * e.k);
      largest_c = std::max(largest_c, e.m * e.n);
    }
    a.resize(static_cast<size_t>(largest_a));
    b.resize(static_cast<size_t>(largest_b));
    c.resize(static_cast<size_t>(largest_c));
    a16.resize(a.size());
    b16.resize(b.size());
    kernels::FillUniform(1, largest_a, a.data());
    kernels::FillUniform(2, largest_b, b.data());
    kernels::ConvertF32ToBF16(a.data(), a16.data(), largest_a, pool);
    kernels::ConvertF32ToBF16(b.data(), b16.data(), largest_b, pool);
  }

  void Run(const MatMulShape& shape, bool is_bf16, float* to, ThreadPool& pool) const {
    if (is_bf16) {
      kernels::MatMulBF16(shape, a16.data(), b16.data(), to, {}, pool);
    } else {
      kernels::MatMulF32(shape, Profile::kFma, a.data(), b.data(), to, {}, pool);
    }
  }

  void RunReference(const MatMulShape& shape, bool is_bf16, float* to) const {
    if (is_bf16) {
      kernels::ReferenceMatMulBF16(shape, a16.data(), b16.data(), to, {});
    } else {
      kernels::ReferenceMatMulF32(shape, Profile::kFma, a.data(), b.data(), to, {});
    }
  }

  std::vector<float> a, b, c;
  std::vector<bf16> a16, b16;
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
  Operands operands(all);
  std::vector<int> thread_counts{1};
  if (all.threads() > 1) thread_counts.push_back(all.threads());
  const std::vector<uint64_t> memory(static_cast<size_t>(kReadBytes / 8) + 8, 1);
  const auto aligned = (reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64;
  for (const int threads : thread_counts) {
    ThreadPool pool(threads);
    BenchKernelsPeak peak{
        threads, kernels::PeakF32Gflops(pool, 40), kernels::PeakBF16Gflops(pool, 40),
        kernels::PeakReadGbPerSecond(pool, reinterpret_cast<const void*>(aligned), kReadBytes, options.quick ? 5 : 15)};
    const size_t first = report.rows.size();
    for (int op = 0; op < 3; ++op) {
      for (const bool is_bf16 : {false, true}) {
        for (const Extents& e : kShapes) {
          PINTLE_RETURN_IF_ERROR(CheckSmall(operands, e, op, is_bf16, pool));
          const double seconds = BestSeconds(operands, ShapeOf(static_cast<MatMulOp>(op), e), is_bf16,
                                             operands.c.data(), options.quick, pool);
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

double MedianPercent(const BenchKernelsReport& report, const std::string& dtype, const std::string& op, int threads) {
  std::vector<double> percents;
  for (const BenchKernelsRow& row : report.rows) {
    if (row.dtype == dtype && row.threads == threads && (op.empty() || row.op == op))
      percents.push_back(row.percent_of_peak);
  }
  if (percents.empty()) return 0;
  std::sort(percents.begin(), percents.end());
  const size_t middle = percents.size() / 2;
  return percents.size() % 2 == 1 ? percents[middle] : (percents[middle - 1] + percents[middle]) / 2;
}

}  // namespace pintle
