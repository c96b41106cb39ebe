// The matmul driver: cuts C into tiles, packs, and runs the micro-kernels of the instruction set in use
// (matmul_kernel.h).
//
// The plan of one call (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication", with C cut in
// two dimensions):
//   slab     up to kSlabWords words of B, a piece of K by all columns if possible; all threads pack it into one buffer
//   tile     rows x columns of C within the slab: one item of the thread pool, independent of all others
//   K block  up to kMaxBlockSteps deep: the tile's A rows are packed to stay in L2,
//            then every micro-tile of mr x nr runs;
//            between K blocks the chain rests in C as fp32
// With few rows the order turns round: A is packed whole and each thread packs a piece of B just before its use.
// A PackedB is one slab that holds all of B.
// Deliberately not here: split-K. One chain per element is the contract.
#include "kernels/matmul.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "kernels/matmul_kernel.h"
#include "kernels/target.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pintle::kernels {
namespace {

// Measured on Zen 5 (48 KiB L1, 1 MiB L2): deeper blocks touch C less often; 512 steps of 336 rows of A are 672 KiB,
// and a panel of B (64 KiB) streams from the L2 without loss.
constexpr int64_t kMaxBlockSteps = 512;
constexpr int64_t kMaxTileRows = 336;
// 8 MiB of packed B stay in a shared L3.
constexpr int64_t kSlabWords = int64_t{2} << 20;
// Up to this many rows, and this depth, B is packed by the thread that uses it.
constexpr int64_t kFewRows = 56;
constexpr int64_t kFewRowsMaxK = 8192;
// A tile whose chain may not rest in C (see NeedsRestingPlace) rests in a buffer of at most this many columns.
constexpr int64_t kRestingColumns = 512;
// Columns of B that one item packs.
constexpr int64_t kPackColumns = 64;
// Packing a panel of A, in units of the time of one micro-tile over the same steps.
constexpr double kPackCost = 0.5;

/// Scratch that grows and stays, one per thread and use. Large ones stand on huge pages where the system has them:
/// packed panels are read at a pace that page walks would show in.
class Scratch {
 public:
  template <typename T>
  T* Get(int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    if (bytes > bytes_) Grow(bytes);
    return reinterpret_cast<T*>(memory_.get());
  }

 private:
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };

  void Grow(size_t bytes) {
    constexpr size_t kHuge = size_t{2} << 20;
    const size_t page = bytes < kHuge / 4 ? 4096 : kHuge;
    bytes_ = (bytes + page - 1) / page * page;
    memory_.reset();
    memory_.reset(static_cast<unsigned char*>(std::aligned_alloc(page, bytes_)));
    PINTLE_CHECK(memory_ != nullptr, "no memory for packing");
#if defined(__linux__)
    if (page == kHuge) madvise(memory_.get(), bytes_, MADV_HUGEPAGE);
#endif
  }

  std::unique_ptr<unsigned char, Free> memory_;
  size_t bytes_ = 0;
};

thread_local Scratch g_packed_a;
thread_local Scratch g_packed_b;
thread_local Scratch g_resting;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// One call of MatMul: the problem, the kernel, and what follows from both.
struct Job {
  MatMulShape shape;
  const MatMulKernel* kernel;
  const unsigned char* a;
  const unsigned char* b;  // or null and
  uint32_t* packed_b;      // all of B, panel by panel
  float* c;
  Epilogue epilogue;

  int64_t StepsOf(int64_t k) const {
    if (kernel->element_bytes == 4) return k;
    return kernel->pairs_per_step ? (k + 1) / 2 : (k + 1) / 2 * 2;
  }
  /// The k of `steps` steps.
  int64_t DepthOf(int64_t steps) const { return kernel->pairs_per_step ? 2 * steps : steps; }
  /// Cuts k into as few pieces of at most `most` as possible, even and nearly equal; the length of one.
  static int64_t Piece(int64_t k, int64_t most) { return k == 0 ? 1 : CeilDiv(CeilDiv(k, CeilDiv(k, most)), 2) * 2; }
  int64_t KBlock(int64_t k) const { return Piece(k, DepthOf(kMaxBlockSteps)); }
  /// Steps before the even position k.
  int64_t StepAt(int64_t k) const { return kernel->pairs_per_step ? k / 2 : k; }

  /// Packs lines [line, line + lines) of an operand over [k0, k0 + k) into panels that lie panel_words apart.
  void PackA(int64_t row, int64_t rows, int64_t k0, int64_t k, int64_t panel_words, uint32_t* to) const {
    const bool across = shape.op == MatMulOp::kTN;
    PackPanels({a, shape.lda, across, across ? kernel->pack_a_across : kernel->pack_a_along, kernel->mr}, row, rows, k0,
               k, panel_words, to);
  }
  void PackB(int64_t column, int64_t columns, int64_t k0, int64_t k, int64_t panel_words, uint32_t* to) const {
    const bool across = shape.op != MatMulOp::kNT;
    PackPanels({b, shape.ldb, across, across ? kernel->pack_b_across : kernel->pack_b_along, kernel->nr}, column,
               columns, k0, k, panel_words, to);
  }

 private:
  struct Operand {
    const unsigned char* from;
    int64_t ld;
    bool across;
    PackFunction pack;
    int64_t width;
  };

  /// Lines that lie across memory share its rows: all panels take a few rows before the next rows are touched.
  void PackPanels(const Operand& operand, int64_t line, int64_t lines, int64_t k0, int64_t k, int64_t panel_words,
                  uint32_t* to) const {
    const int64_t chunk = operand.across ? kAcrossRows : k;
    for (int64_t done = 0; done < k; done += chunk) {
      for (int64_t i = 0; i < lines; i += operand.width) {
        const int64_t position = k0 + done;
        const int64_t at = operand.across ? position * operand.ld + line + i : (line + i) * operand.ld + position;
        operand.pack(operand.from + at * kernel->element_bytes, operand.ld, std::min(operand.width, lines - i),
                     std::min(chunk, k - done), to + i / operand.width * panel_words + StepAt(done) * operand.width);
      }
    }
  }
};

/// Where a micro-tile's chain comes from and goes to for one K block.
struct Chain {
  const float* from;  // null: starts at +0
  int64_t ld_from;
  float* to;
  int64_t ld_to;
  bool last;          // the epilogue applies
  const float* next;  // the tile of C that comes after this one, with stride ldc; null: none
};

/// One micro-tile at (row, column) of C. Tiles that stick out over C's edge, and kernels without a fused epilogue, go
/// through a buffer of the micro-tile's full size.
void RunMicro(const Job& job, int64_t row, int64_t rows, int64_t column, int64_t columns, int64_t steps,
              const uint32_t* a, const uint32_t* b, const Chain& chain) {
  const MatMulKernel& kernel = *job.kernel;
  const float* bias = chain.last && job.epilogue.bias != nullptr ? job.epilogue.bias + column : nullptr;
  const float* residual =
      chain.last && job.epilogue.residual != nullptr ? job.epilogue.residual + row * job.shape.ldc + column : nullptr;
  const bool plain = bias == nullptr && residual == nullptr;
  if (columns == kernel.nr && (plain || kernel.fused_epilogue)) {
    kernel.micro[rows]({steps, a, b, chain.from, chain.ld_from, chain.to, chain.ld_to,
                        chain.next != nullptr ? chain.next : chain.to, job.shape.ldc, bias, residual, job.shape.ldc});
    return;
  }
  alignas(64) float edge[kMaxMicroRows * kMaxMicroColumns] = {};
  if (chain.from != nullptr) {
    for (int64_t i = 0; i < rows; ++i) {
      std::memcpy(edge + i * kernel.nr, chain.from + i * chain.ld_from, static_cast<size_t>(columns) * sizeof(float));
    }
  }
  kernel.micro[rows]({steps, a, b, edge, kernel.nr, edge, kernel.nr, edge, 0, nullptr, nullptr, 0});
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      float value = edge[i * kernel.nr + j];
      if (bias != nullptr) value = value + bias[j];
      if (residual != nullptr) value = value + residual[i * job.shape.ldc + j];
      chain.to[i * chain.ld_to + j] = value;
    }
  }
}

/// The chain of a K block over C itself, at (row, column).
Chain OverC(const Job& job, int64_t row, int64_t column, bool first, bool last) {
  float* at = job.c + row * job.shape.ldc + column;
  return {first && !job.shape.accumulate ? nullptr : at, job.shape.ldc, at, job.shape.ldc, last, nullptr};
}

/// A residual that is C itself must survive until the last K block, so the chain rests elsewhere until then.
bool NeedsRestingPlace(const Job& job) {
  return job.epilogue.residual == job.c && job.c != nullptr && job.KBlock(job.shape.k) < job.shape.k;
}

/// A part of the packed B: columns [column, column + columns), k [k0, k0 + k).
struct Slab {
  int64_t column, columns, k0, k;
  uint32_t* packed;  // panel by panel, each StepsOf(k) * nr words
};

struct Grid {
  int64_t row_blocks, column_blocks;
};

/// The cut of C's panels into tiles that ends soonest on `threads` threads: the longest queue of tiles, each with its
/// share of packing. Only time depends on it.
Grid ChooseGrid(int64_t row_panels, int64_t column_panels, int64_t max_rows, int64_t max_columns, int threads) {
  const int64_t least_rows = CeilDiv(row_panels, max_rows);
  const int64_t least_columns = CeilDiv(column_panels, max_columns);
  const int64_t limit = 4 * static_cast<int64_t>(threads);
  Grid best{least_rows, least_columns};
  double best_cost = -1;
  const auto total = static_cast<double>(row_panels * column_panels);
  for (int64_t r = least_rows; r <= std::min(row_panels, least_rows + limit); ++r) {
    for (int64_t s = least_columns; s <= std::min(column_panels, least_columns + limit); ++s) {
      const auto rows = static_cast<double>(CeilDiv(row_panels, r));
      const auto columns = static_cast<double>(CeilDiv(column_panels, s));
      const double largest = rows * columns + rows * kPackCost;
      const double average = (total + static_cast<double>(row_panels * s) * kPackCost) / static_cast<double>(r * s);
      // The longest queue, and a part of a tile for a thread that another program delays.
      const double cost = static_cast<double>(CeilDiv(r * s, threads)) * average + (largest - average) +
                          (threads > 1 ? largest / 8 : 0);
      if (best_cost < 0 || cost < best_cost) {
        best_cost = cost;
        best = {r, s};
      }
    }
  }
  return best;
}

/// All K blocks of the slab over one tile of C.
void RunTile(const Job& job, const Slab& slab, int64_t row, int64_t rows, int64_t column, int64_t columns,
             bool resting) {
  const MatMulKernel& kernel = *job.kernel;
  const int64_t k_block = job.KBlock(slab.k);
  const int64_t panel_words = job.StepsOf(slab.k) * kernel.nr;
  const int64_t block_words = job.StepsOf(k_block) * kernel.mr;
  auto* packed_a = g_packed_a.Get<uint32_t>(CeilDiv(rows, kernel.mr) * block_words + kPackSlack);
  const int64_t ld_rest = CeilDiv(columns, kernel.nr) * kernel.nr;
  float* rest = resting ? g_resting.Get<float>(CeilDiv(rows, kernel.mr) * kernel.mr * ld_rest) : nullptr;
  for (int64_t k0 = 0; k0 < slab.k || k0 == 0; k0 += k_block) {
    const int64_t k = std::min(k_block, slab.k - k0);
    const int64_t steps = job.StepsOf(k);
    const bool first = slab.k0 + k0 == 0;
    const bool last = slab.k0 + k0 + k == job.shape.k;
    job.PackA(row, rows, slab.k0 + k0, k, steps * kernel.mr, packed_a);
    for (int64_t j = 0; j < columns; j += kernel.nr) {
      const uint32_t* b =
          slab.packed + (column - slab.column + j) / kernel.nr * panel_words + job.StepAt(k0) * kernel.nr;
      for (int64_t i = 0; i < rows; i += kernel.mr) {
        Chain chain = OverC(job, row + i, column + j, first, last);
        if (resting) {
          float* at = rest + i * ld_rest + j;
          if (!first) chain = {at, ld_rest, chain.to, chain.ld_to, last, nullptr};
          if (!last) chain = {chain.from, chain.ld_from, at, ld_rest, last, nullptr};
        }
        if (i + kernel.mr < rows) {
          chain.next = job.c + (row + i + kernel.mr) * job.shape.ldc + column + j;
        } else if (j + kernel.nr < columns) {
          chain.next = job.c + row * job.shape.ldc + column + j + kernel.nr;
        }
        RunMicro(job, row + i, std::min<int64_t>(kernel.mr, rows - i), column + j,
                 std::min<int64_t>(kernel.nr, columns - j), steps, packed_a + i * steps, b, chain);
      }
    }
  }
}

void PackSlab(const Job& job, const Slab& slab, ThreadPool& pool) {
  const int64_t panel_words = job.StepsOf(slab.k) * job.kernel->nr;
  pool.ParallelFor(CeilDiv(slab.columns, kPackColumns), [&](int64_t item) {
    const int64_t column = item * kPackColumns;
    job.PackB(slab.column + column, std::min(kPackColumns, slab.columns - column), slab.k0, slab.k, panel_words,
              slab.packed + column / job.kernel->nr * panel_words);
  });
}

void RunSlab(const Job& job, const Slab& slab, bool resting, ThreadPool& pool) {
  const MatMulKernel& kernel = *job.kernel;
  const int64_t column_panels = CeilDiv(slab.columns, kernel.nr);
  const int64_t row_panels = CeilDiv(job.shape.m, kernel.mr);
  const Grid grid = ChooseGrid(row_panels, column_panels, kMaxTileRows / kernel.mr,
                               resting ? kRestingColumns / kernel.nr : column_panels, pool.threads());
  pool.ParallelFor(grid.row_blocks * grid.column_blocks, [&](int64_t tile) {
    const int64_t r = tile % grid.row_blocks;
    const int64_t s = tile / grid.row_blocks;
    const int64_t row = row_panels * r / grid.row_blocks * kernel.mr;
    const int64_t row_end = std::min(job.shape.m, row_panels * (r + 1) / grid.row_blocks * kernel.mr);
    const int64_t column = column_panels * s / grid.column_blocks * kernel.nr;
    const int64_t column_end = std::min(slab.columns, column_panels * (s + 1) / grid.column_blocks * kernel.nr);
    RunTile(job, slab, row, row_end - row, slab.column + column, column_end - column, resting);
  });
}

/// Few rows (decoding, small batches): every thread takes columns, packs a K block of B into its own cache and uses it.
void RunFewRows(const Job& job, ThreadPool& pool) {
  const MatMulKernel& kernel = *job.kernel;
  const MatMulShape& shape = job.shape;
  const int64_t k_block = job.KBlock(shape.k);
  const int64_t panels = CeilDiv(shape.m, kernel.mr);
  const int64_t panel_words = job.StepsOf(shape.k) * kernel.mr;
  auto* packed_a = g_packed_a.Get<uint32_t>(panels * panel_words + kPackSlack);
  job.PackA(0, shape.m, 0, shape.k, panel_words, packed_a);
  pool.ParallelFor(CeilDiv(shape.n, kernel.nr), [&](int64_t item) {
    const int64_t column = item * kernel.nr;
    const int64_t columns = std::min<int64_t>(kernel.nr, shape.n - column);
    uint32_t* packed_b = job.packed_b != nullptr
                             ? job.packed_b + item * job.StepsOf(shape.k) * kernel.nr
                             : g_packed_b.Get<uint32_t>(job.StepsOf(k_block) * kernel.nr + kPackSlack);
    alignas(64) float rest[(kFewRows + kMaxMicroRows) * kMaxMicroColumns];
    for (int64_t k0 = 0; k0 < shape.k || k0 == 0; k0 += k_block) {
      const int64_t k = std::min(k_block, shape.k - k0);
      if (job.packed_b == nullptr) job.PackB(column, columns, k0, k, 0, packed_b);
      const uint32_t* panel = job.packed_b != nullptr ? packed_b + job.StepAt(k0) * kernel.nr : packed_b;
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t row = p * kernel.mr;
        Chain chain = OverC(job, row, column, k0 == 0, k0 + k == shape.k);
        float* at = rest + row * kernel.nr;
        if (k0 != 0) chain = {at, kernel.nr, chain.to, chain.ld_to, chain.last, nullptr};
        if (!chain.last) chain = {chain.from, chain.ld_from, at, kernel.nr, chain.last, nullptr};
        RunMicro(job, row, std::min<int64_t>(kernel.mr, shape.m - row), column, columns, job.StepsOf(k),
                 packed_a + p * panel_words + job.StepAt(k0) * kernel.mr, panel, chain);
      }
    }
  });
}

void Run(const Job& job, ThreadPool& pool) {
  const MatMulShape& shape = job.shape;
  PINTLE_CHECK(shape.m >= 0 && shape.n >= 0 && shape.k >= 0, "negative extent");
  PINTLE_CHECK(job.epilogue.residual != job.c || !shape.accumulate || job.c == nullptr,
               "a residual may be C itself only without accumulate");
  if (shape.m == 0 || shape.n == 0) return;
  if (shape.m <= kFewRows && shape.k <= kFewRowsMaxK) {
    RunFewRows(job, pool);
    return;
  }
  const MatMulKernel& kernel = *job.kernel;
  const bool resting = NeedsRestingPlace(job);
  if (job.packed_b != nullptr) {
    RunSlab(job, {0, shape.n, 0, shape.k, job.packed_b}, resting, pool);
    return;
  }
  // Slabs cut K first, at multiples of the deepest block: cutting the columns would pack A once more for each piece. A
  // chain that rests outside C lives in one tile, so that slab must hold all of K.
  const int64_t padded_columns = CeilDiv(shape.n, kernel.nr) * kernel.nr;
  const int64_t deepest = job.DepthOf(kMaxBlockSteps);
  const int64_t depth = std::max(job.DepthOf(kSlabWords / padded_columns) / deepest, int64_t{1}) * deepest;
  const int64_t slab_k = resting || shape.k <= depth ? shape.k : Job::Piece(shape.k, depth);
  const int64_t steps = std::max<int64_t>(job.StepsOf(slab_k), 1);
  const int64_t slab_columns =
      std::min(std::max<int64_t>(kSlabWords / steps / kernel.nr, 1) * kernel.nr, padded_columns);
  auto* packed = g_packed_b.Get<uint32_t>(steps * slab_columns + kPackSlack);
  for (int64_t column = 0; column < shape.n; column += slab_columns) {
    for (int64_t k0 = 0; k0 < shape.k || k0 == 0; k0 += std::max<int64_t>(slab_k, 1)) {
      const Slab slab{column, std::min(slab_columns, shape.n - column), k0, std::min(slab_k, shape.k - k0), packed};
      PackSlab(job, slab, pool);
      RunSlab(job, slab, resting, pool);
    }
  }
}

}  // namespace

const MatMulKernel& KernelF32([[maybe_unused]] Target target, Profile profile) {
  const bool fma = profile == Profile::kFma;
#if defined(__x86_64__)
  if (target >= Target::kAvx512) return fma ? kMatMulAvx512Fma : kMatMulAvx512Muladd;
  if (target == Target::kAvx2) return fma ? kMatMulAvx2Fma : kMatMulAvx2Muladd;
#elif defined(__aarch64__)
  if (target == Target::kNeon) return fma ? kMatMulNeonFma : kMatMulNeonMuladd;
#endif
  return fma ? kMatMulPortableFma : kMatMulPortableMuladd;
}

const MatMulKernel& KernelBF16([[maybe_unused]] Target target) {
#if defined(__x86_64__)
  if (target == Target::kAvx512Bf16) return kMatMulAvx512Bf16;
  if (target >= Target::kAvx2) return kMatMulAvx2Bf16;
#elif defined(__aarch64__)
  if (target == Target::kNeon) return kMatMulNeonBf16;
#endif
  return kMatMulPortableBf16;
}

void MatMulF32(const MatMulShape& shape, Profile profile, const float* a, const float* b, float* c,
               const Epilogue& epilogue, ThreadPool& pool) {
  Run({shape, &KernelF32(ActiveTarget(), profile), reinterpret_cast<const unsigned char*>(a),
       reinterpret_cast<const unsigned char*>(b), nullptr, c, epilogue},
      pool);
}

void MatMulBF16(const MatMulShape& shape, const bf16* a, const bf16* b, float* c, const Epilogue& epilogue,
                ThreadPool& pool) {
  Run({shape, &KernelBF16(ActiveTarget()), reinterpret_cast<const unsigned char*>(a),
       reinterpret_cast<const unsigned char*>(b), nullptr, c, epilogue},
      pool);
}

struct PackedB::Impl {
  MatMulOp op = MatMulOp::kNN;
  int64_t n = 0, k = 0;
  const MatMulKernel* kernel = nullptr;
  Scratch buffer;
  uint32_t* words = nullptr;

  void Pack(const MatMulShape& shape, const MatMulKernel& with, const void* b, ThreadPool& pool) {
    op = shape.op;
    n = shape.n;
    k = shape.k;
    kernel = &with;
    const Job job{shape, kernel, nullptr, static_cast<const unsigned char*>(b), nullptr, nullptr, {}};
    words =
        buffer.Get<uint32_t>(CeilDiv(n, kernel->nr) * kernel->nr * std::max<int64_t>(job.StepsOf(k), 1) + kPackSlack);
    PackSlab(job, {0, n, 0, k, words}, pool);
  }
  void Multiply(const MatMulShape& shape, const MatMulKernel& with, const void* a, float* c, const Epilogue& epilogue,
                ThreadPool& pool) const {
    PINTLE_CHECK(&with == kernel && shape.op == op && shape.n == n && shape.k == k, "B was packed for another product");
    Run({shape, kernel, static_cast<const unsigned char*>(a), nullptr, words, c, epilogue}, pool);
  }
};

PackedB::PackedB() : impl_(std::make_unique<Impl>()) {}
PackedB::PackedB(PackedB&&) noexcept = default;
PackedB& PackedB::operator=(PackedB&&) noexcept = default;
PackedB::~PackedB() = default;

void PackedB::PackF32(const MatMulShape& shape, Profile profile, const float* b, ThreadPool& pool) {
  impl_->Pack(shape, KernelF32(ActiveTarget(), profile), b, pool);
}
void PackedB::PackBF16(const MatMulShape& shape, const bf16* b, ThreadPool& pool) {
  impl_->Pack(shape, KernelBF16(ActiveTarget()), b, pool);
}

void MatMulF32(const MatMulShape& shape, Profile profile, const float* a, const PackedB& b, float* c,
               const Epilogue& epilogue, ThreadPool& pool) {
  b.impl_->Multiply(shape, KernelF32(ActiveTarget(), profile), a, c, epilogue, pool);
}

void MatMulBF16(const MatMulShape& shape, const bf16* a, const PackedB& b, float* c, const Epilogue& epilogue,
                ThreadPool& pool) {
  b.impl_->Multiply(shape, KernelBF16(ActiveTarget()), a, c, epilogue, pool);
}

}  // namespace pintle::kernels
