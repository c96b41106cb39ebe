// The small matrix product inside attention: at most six rows of C stay in registers while one chain per element walks
// k.
//   C[r, :] = start + chain over k of A[r, k] * B[k, :]
// A is read element by element (row stride and k stride are free, so it may be a transposed view), B and C by whole
// rows. Included once per Highway target, like simd-inl.h. The big products of the layers are in matmul.h, not here.
#if defined(PINTLE_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PINTLE_KERNELS_TILE_INL_H_
#undef PINTLE_KERNELS_TILE_INL_H_
#else
#define PINTLE_KERNELS_TILE_INL_H_
#endif

#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// 24 accumulators of 32 registers on AVX-512 (6 rows x 64) and of 32 on NEON (6 x 16), 12 of 16 on AVX2 (6 x 16); each
// leaves room for the row of B and one broadcast, and all keep at least 8 chains going, which covers the FMA latency.
inline constexpr int kTileRows = 6;
inline constexpr int kTileStrips = PINTLE_PARTS == 1 ? 4 : 1;

enum class TileStart { kZero, kKeep, kScale };

/// The rows of B, one after another; other sources have the same two functions (kv_page-inl.h).
struct FloatRows {
  const float* row;
  int64_t ld;
  HWY_INLINE F16 Get(int64_t column) const { return Load(row + column); }
  HWY_INLINE void Next() { row += ld; }
};

/// A block of accumulators in registers.
template <typename Rows = FloatRows>
struct Tile {
  int rows;  ///< 1 .. kTileRows
  int64_t depth;
  const float* a;
  int64_t a_row, a_k;
  Rows b;
  float* c;
  int64_t ldc;
  int64_t columns;  ///< a multiple of 16
  TileStart start;  ///< from +0, from C, or from C times factor[row]
  const float* factor;
};

/// One row of a tile.
template <int kStrips>
struct TileRow {
  F16 c0, c1, c2, c3;
};

template <int kStrips, typename Rows>
HWY_INLINE TileRow<kStrips> StartRow(const Tile<Rows>& tile, int row, int64_t column) {
  F16 c0 = Zero(), c1 = c0, c2 = c0, c3 = c0;
  if (tile.start != TileStart::kZero) {
    const float* c = tile.c + row * tile.ldc + column;
    c0 = Load(c);
    if constexpr (kStrips > 1) c1 = Load(c + 16);
    if constexpr (kStrips > 2) c2 = Load(c + 32), c3 = Load(c + 48);
    if (tile.start == TileStart::kScale) {
      const F16 factor = Set(tile.factor[row]);
      c0 = Mul(c0, factor);
      if constexpr (kStrips > 1) c1 = Mul(c1, factor);
      if constexpr (kStrips > 2) c2 = Mul(c2, factor), c3 = Mul(c3, factor);
    }
  }
  return {c0, c1, c2, c3};
}

/// Plus +0: a chain never ends as -0, so zero products can be left out without a trace.
template <int kStrips, typename Rows>
HWY_INLINE void FinishRow(const TileRow<kStrips>& r, const Tile<Rows>& tile, int row, int64_t column) {
  float* c = tile.c + row * tile.ldc + column;
  Store(Add(r.c0, Zero()), c);
  if constexpr (kStrips > 1) Store(Add(r.c1, Zero()), c + 16);
  if constexpr (kStrips > 2) Store(Add(r.c2, Zero()), c + 32), Store(Add(r.c3, Zero()), c + 48);
}

template <Profile kProfile, int kRows, int kStrips, typename Rows>
HWY_INLINE void TileBlock(const Tile<Rows>& tile, int64_t column) {
  TileRow<kStrips> r0 = StartRow<kStrips>(tile, 0, column), r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
  if constexpr (kRows > 1) r1 = StartRow<kStrips>(tile, 1, column);
  if constexpr (kRows > 2) r2 = StartRow<kStrips>(tile, 2, column);
  if constexpr (kRows > 3) r3 = StartRow<kStrips>(tile, 3, column);
  if constexpr (kRows > 4) r4 = StartRow<kStrips>(tile, 4, column);
  if constexpr (kRows > 5) r5 = StartRow<kStrips>(tile, 5, column);
  const float* a = tile.a;
  Rows b = tile.b;
  const int64_t a_row = tile.a_row;
  for (int64_t k = tile.depth; k > 0; --k, a += tile.a_k, b.Next()) {
    const F16 b0 = b.Get(column);
    F16 b1 = b0, b2 = b0, b3 = b0;
    if constexpr (kStrips > 1) b1 = b.Get(column + 16);
    if constexpr (kStrips > 2) b2 = b.Get(column + 32), b3 = b.Get(column + 48);
#define PINTLE_TILE_ROW(i)                                                     \
  if constexpr (kRows > i) {                                                   \
    const F16 factor = Set(a[i * a_row]);                                      \
    r##i.c0 = Chain<kProfile>(factor, b0, r##i.c0);                            \
    if constexpr (kStrips > 1) r##i.c1 = Chain<kProfile>(factor, b1, r##i.c1); \
    if constexpr (kStrips > 2) {                                               \
      r##i.c2 = Chain<kProfile>(factor, b2, r##i.c2);                          \
      r##i.c3 = Chain<kProfile>(factor, b3, r##i.c3);                          \
    }                                                                          \
  }
    PINTLE_TILE_ROW(0)
    PINTLE_TILE_ROW(1)
    PINTLE_TILE_ROW(2)
    PINTLE_TILE_ROW(3)
    PINTLE_TILE_ROW(4)
    PINTLE_TILE_ROW(5)
#undef PINTLE_TILE_ROW
  }
  FinishRow(r0, tile, 0, column);
  if constexpr (kRows > 1) FinishRow(r1, tile, 1, column);
  if constexpr (kRows > 2) FinishRow(r2, tile, 2, column);
  if constexpr (kRows > 3) FinishRow(r3, tile, 3, column);
  if constexpr (kRows > 4) FinishRow(r4, tile, 4, column);
  if constexpr (kRows > 5) FinishRow(r5, tile, 5, column);
}

template <Profile kProfile, int kRows, typename Rows>
HWY_NOINLINE void TileColumns(const Tile<Rows>& tile) {
  int64_t column = 0;
  if constexpr (kTileStrips == 4) {
    for (; column + 64 <= tile.columns; column += 64) TileBlock<kProfile, kRows, 4>(tile, column);
    if (column + 32 <= tile.columns) TileBlock<kProfile, kRows, 2>(tile, column), column += 32;
  }
  for (; column < tile.columns; column += 16) TileBlock<kProfile, kRows, 1>(tile, column);
}

template <Profile kProfile, typename Rows = FloatRows>
HWY_INLINE void RunTile(const Tile<Rows>& tile) {
  switch (tile.rows) {
    case 1:
      return TileColumns<kProfile, 1>(tile);
    case 2:
      return TileColumns<kProfile, 2>(tile);
    case 3:
      return TileColumns<kProfile, 3>(tile);
    case 4:
      return TileColumns<kProfile, 4>(tile);
    case 5:
      return TileColumns<kProfile, 5>(tile);
    default:
      return TileColumns<kProfile, 6>(tile);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
