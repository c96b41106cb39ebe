// The driver of products with quantised weights: which kernel, and how the work is cut.
#include "kernels/quant.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/check.h"
#include "kernels/quant_layout.h"
#include "kernels/target.h"

namespace pintle::kernels {
namespace {

const QuantKernel& ActiveKernel() {
#if defined(__x86_64__)
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  const Target target = ActiveTarget();
  if (target >= Target::kAvx512 && has_vnni) return kQuantAvx512;
  if (target >= Target::kAvx2) return kQuantAvx2;
#endif
  return kQuantPortable;
}

// Bytes of weights that a thread takes at a time: large enough to stream, small enough to share evenly.
constexpr int64_t kItemBytes = int64_t{128} << 10;

// work(begin, end) for [0, count) in pieces of `piece`. Each thread goes through a share of its own from front to back,
// as memory is read best, and then helps the others: who does what never shows in the numbers.
template <typename Work>
void ForShares(ThreadPool& pool, int64_t count, int64_t piece, const Work& work) {
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };
  constexpr int64_t kMaxShares = 64;
  std::array<Share, kMaxShares> shares;
  const int64_t threads = std::min<int64_t>(pool.threads(), kMaxShares);
  for (int64_t t = 0; t < threads; ++t) {
    shares.at(t).next.store(count * t / threads, std::memory_order_relaxed);
    shares.at(t).end = count * (t + 1) / threads;
  }
  pool.ParallelForWithThread(threads, [&](int64_t, int thread) {
    for (int64_t t = 0; t < threads; ++t) {
      Share& share = shares.at((thread + t) % threads);
      while (true) {
        const int64_t begin = share.next.fetch_add(piece, std::memory_order_relaxed);
        if (begin >= share.end) break;
        work(begin, std::min(begin + piece, share.end));
      }
    }
  });
}

void Multiply(const QuantKernel& kernel, const QuantPart& part, int64_t first_column, int64_t panel,
              const QuantActivations& x, int64_t count, float* c, int64_t ldc, const float* residual) {
  const QuantMatrix& matrix = part.matrix;
  const int64_t row = panel * kPanelRows, column = first_column + row;
  kernel.tile[static_cast<int>(matrix.type)]({matrix.panels + panel * QuantPanelBytes(matrix.type, matrix.columns), &x,
                                              count, c + column, ldc, std::min(kPanelRows, matrix.rows - row),
                                              part.bias == nullptr ? nullptr : part.bias + row,
                                              residual == nullptr ? nullptr : residual + column});
}

constexpr int64_t Rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

int64_t QuantActivationBytes(int64_t count, int64_t columns) {
  const int64_t blocks = count * (columns / 32);
  return Rounded(count * columns) + 2 * Rounded(blocks * 4) + Rounded(blocks * 8);
}

QuantActivations PlaceQuantActivations(void* scratch, int64_t count, int64_t columns) {
  auto* at = static_cast<char*>(scratch);
  const int64_t blocks = count * (columns / 32);
  QuantActivations x;
  x.columns = columns;
  x.q = reinterpret_cast<int8_t*>(at);
  at += Rounded(count * columns);
  x.scale = reinterpret_cast<float*>(at);
  at += Rounded(blocks * 4);
  x.sum = reinterpret_cast<float*>(at);
  at += Rounded(blocks * 4);
  x.negative_sums = reinterpret_cast<int32_t*>(at);
  return x;
}

void QuantizeActivations(const float* x, int64_t ldx, int64_t count, const QuantActivations& out, ThreadPool& pool) {
  const QuantKernel& kernel = ActiveKernel();
  pool.ParallelFor(count, [&](int64_t token) { kernel.quantize(x + token * ldx, token, out); });
}

void QuantMatMul(std::span<const QuantPart> parts, const QuantActivations& x, int64_t count, float* c, int64_t ldc,
                 const float* residual, ThreadPool& pool) {
  const QuantKernel& kernel = ActiveKernel();
  int64_t panels = 0, bytes = 0;
  for (const QuantPart& part : parts) {
    PINTLE_CHECK(part.matrix.columns == x.columns, "a quantised matrix has the activations' columns");
    panels += part.matrix.panel_count();
    bytes += part.matrix.bytes();
  }
  if (panels == 0 || count == 0) return;
  const int64_t per_item = std::clamp<int64_t>(count > 1 ? 2 : kItemBytes * panels / bytes, 1,
                                               std::max<int64_t>(panels / (4 * pool.threads()), 1));
  ForShares(pool, panels, per_item, [&](int64_t first, int64_t end) {
    int64_t left = end - first, column = 0;
    for (const QuantPart& part : parts) {
      const int64_t own = part.matrix.panel_count();
      for (; first < own && left > 0; ++first, --left) {
        Multiply(kernel, part, column, first, x, count, c, ldc, residual);
      }
      if (left == 0) return;
      first -= own;
      column += part.matrix.rows;
    }
  });
}

void ReferenceQuantizeActivations(const float* x, int64_t ldx, int64_t count, const QuantActivations& out) {
  for (int64_t token = 0; token < count; ++token) kQuantPortable.quantize(x + token * ldx, token, out);
}

void ReferenceQuantMatMul(std::span<const QuantPart> parts, const QuantActivations& x, int64_t count, float* c,
                          int64_t ldc, const float* residual) {
  int64_t column = 0;
  for (const QuantPart& part : parts) {
    for (int64_t panel = 0; panel < part.matrix.panel_count(); ++panel) {
      Multiply(kQuantPortable, part, column, panel, x, count, c, ldc, residual);
    }
    column += part.matrix.rows;
  }
}

}  // namespace pintle::kernels
