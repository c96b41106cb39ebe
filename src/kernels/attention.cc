// Attention forward, training and decode form, on every instruction set; see attention.h.
#include "kernels/attention.h"

#include <type_traits>

#include "base/check.h"
#include "kernels/attention_internal.h"
#include "kernels/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/kv_page-inl.h"
#include "kernels/math-inl.h"
#include "kernels/pack_block-inl.h"
#include "kernels/simd-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

static_assert(kTileQueries == kTileRows);

// What a tile of rows carries from block to block; arrays of 16 hold one value per row.
struct TileState {
  alignas(64) float largest[16];
  alignas(64) float sum[16];
  bool started;
};

// The rows of one tile; row r stands at position + r * step.
struct TileRows {
  int rows;
  int64_t position, step;
  const float* q;
  int64_t ldq;
  int64_t o;  // offset in the query's outputs
  int64_t ldo;

  [[nodiscard]] int64_t At(int row) const { return position + row * step; }
};

TileRows TileOf(const QueryRows& query, int64_t head_dim, int64_t tile) {
  const auto rows = [](int64_t left) { return static_cast<int>(std::min(kTileQueries, left)); };
  if (query.heads == 1) {
    const int64_t row = tile * kTileQueries;
    return {rows(query.rows - row),
            query.first_position + row,
            1,
            query.q + row * query.ldq,
            query.ldq,
            row * query.ldo,
            query.ldo};
  }
  const int64_t in_row = (query.heads + kTileQueries - 1) / kTileQueries;
  const int64_t row = tile / in_row, head = tile % in_row * kTileQueries;
  return {rows(query.heads - head),
          query.first_position + row,
          0,
          query.q + row * query.ldq + head * head_dim,
          head_dim,
          row * query.ldo + head * head_dim,
          head_dim};
}

// One tile against block number `block`, whose keys and values `source` gives.
template <Profile kProfile, typename Source>
void AttendBlock(const QueryRows& query, const TileRows& tile, const KeyBlocks& blocks, int64_t block,
                 const Source& source, TileState& state) {
  const int64_t d = blocks.head_dim;
  const int rows = tile.rows;
  const int64_t first = tile.position, last = tile.At(rows - 1);
  const int64_t first_key = block * kAttentionBlock;
  const int64_t keys = std::min(kAttentionBlock, last + 1 - first_key);
  if (keys <= 0) return;
  const int64_t columns = (keys + 15) / 16 * 16;
  const bool diagonal = first_key + columns - 1 > first;
  // Of all rows the first sees the earliest keys, the last loses the most.
  if (query.window > 0 && first_key + kAttentionBlock <= first - query.window + 1) return;
  const bool edge = query.window > 0 && first_key <= last - query.window;
  if (query.document != nullptr) {
    bool visible = false;
    for (int r = 0; r < rows && !visible; ++r) {
      const int64_t position = tile.At(r);
      const int32_t own = query.document[position];
      const int64_t end = std::min(first_key + keys, position + 1);
      for (int64_t j = end - 1; j >= first_key && !visible; --j) visible = query.document[j] == own;
    }
    if (!visible) return;
  }
  const F16 lowest = Set(-__builtin_inff());
  const F16 scale = Set(query.scale);
  alignas(64) float s[kTileRows * kAttentionBlock];
  alignas(64) float next_largest[16], block_sum[16], base[16], decay[16];
  Store(lowest, next_largest);
  Store(Zero(), block_sum);
  const auto keys_of = source.Keys();
  RunTile<kProfile>(Tile<std::remove_const_t<decltype(keys_of)>>{rows, d, tile.q, tile.ldq, 1, keys_of, s,
                                                                 kAttentionBlock, columns, TileStart::kZero, nullptr});

  // Scale, hide what is not visible, and find the new maxima.
  for (int r = 0; r < rows; ++r) {
    float* row = s + r * kAttentionBlock;
    const int64_t position = tile.At(r);
    F16 row_largest = lowest;
    for (int64_t c = 0; c < columns; c += 16) {
      F16 x = Mul(Load(row + c), scale);
      const I16 key = Iota(static_cast<int32_t>(c));
      if (diagonal) x = IfThenElse(IntLe(key, SetInt(static_cast<int32_t>(position - first_key))), x, lowest);
      if (edge) {
        const auto oldest = static_cast<int32_t>(position - query.window + 1 - first_key);
        x = IfThenElse(IntLe(SetInt(oldest), key), x, lowest);
      }
      if (query.document != nullptr) {
        const I16 own = SetInt(query.document[position]);
        x = IfThenElse(IntEq(LoadIds(query.document, first_key + c, blocks.time), own), x, lowest);
      }
      Store(x, row + c);
      row_largest = Max(row_largest, x);
    }
    const float before = state.largest[r], now = MaxTree(row_largest);
    next_largest[r] = now > before ? now : before;
  }
  const F16 new_largest = Load(next_largest);
  const F16 new_base = IfThenElse(Eq(new_largest, lowest), Zero(), new_largest);
  const F16 new_decay = VectorExp<true>(Sub(Load(state.largest), new_base));
  Store(new_base, base);
  Store(new_decay, decay);
  Store(new_largest, state.largest);

  // p = exp(s - m') and its row sums.
  for (int r = 0; r < rows; ++r) {
    float* row = s + r * kAttentionBlock;
    const F16 m = Set(base[r]);
    F16 low = Zero(), high = Zero();
    for (int64_t c = 0; c < columns; c += 16) {
      const F16 p = VectorExp<true>(Sub(Load(row + c), m));
      Store(p, row + c);
      if ((c & 16) == 0) {
        low = Add(low, p);
      } else {
        high = Add(high, p);
      }
    }
    block_sum[r] = AddTree(Add(low, high));
  }
  Store(Add(Mul(Load(state.sum), new_decay), Load(block_sum)), state.sum);
  const auto values_of = source.Values();
  RunTile<kProfile>(Tile<std::remove_const_t<decltype(values_of)>>{
      rows, keys, s, kAttentionBlock, 1, values_of, query.o + tile.o, tile.ldo, d,
      state.started ? TileStart::kScale : TileStart::kZero, decay});
  state.started = true;
}

void FinishTile(const QueryRows& query, const TileRows& tile, int64_t head_dim, TileState& state) {
  alignas(64) float inverse[16], lse[16];
  for (int r = tile.rows; r < 16; ++r) state.sum[r] = 1.0f;
  Store(Div(Set(1.0f), Load(state.sum)), inverse);
  for (int r = 0; r < tile.rows; ++r) {
    const F16 factor = Set(inverse[r]);
    for (int64_t c = 0; c < head_dim; c += 16) {
      const int64_t at = tile.o + r * tile.ldo + c;
      const F16 value = Mul(Load(query.o + at), factor);
      Store(value, query.o + at);
      if (query.o_bf16 != nullptr) StoreBF16(value, query.o_bf16 + at);
    }
  }
  if (query.lse == nullptr) return;
  Store(Add(Load(state.largest), VectorLog(Load(state.sum))), lse);
  std::copy_n(lse, tile.rows, query.lse + tile.position - query.first_position);
}

// A block stays in the cache while all tiles of the piece use it; `source_of` gives one block.
template <Profile kProfile, typename SourceOf>
HWY_INLINE void AttendBlocks(const QueryRows& query, const KeyBlocks& blocks, const SourceOf& source_of) {
  TileState states[kPieceTiles];
  for (TileState& state : states) {
    Store(Set(-__builtin_inff()), state.largest);
    Store(Zero(), state.sum);
    state.started = false;
  }
  const int64_t tiles = query.tiles();
  const int64_t last_block = (query.first_position + query.rows - 1) / kAttentionBlock;
  const int64_t first_key = query.window > 0 ? std::max<int64_t>(0, query.first_position - query.window + 1) : 0;
  for (int64_t block = first_key / kAttentionBlock; block <= last_block; ++block) {
    const auto source = source_of(block);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      AttendBlock<kProfile>(query, TileOf(query, blocks.head_dim, tile), blocks, block, source, states[tile]);
    }
  }
  for (int64_t tile = 0; tile < tiles; ++tile) {
    FinishTile(query, TileOf(query, blocks.head_dim, tile), blocks.head_dim, states[tile]);
  }
}

// Few tiles read a narrow page as they go; for more of them it is unpacked once. Either way the numbers are the same.
template <Profile kProfile, typename Block>
void AttendNarrow(const QueryRows& query, const KeyBlocks& blocks) {
  const int64_t last = AttentionBlocks(blocks.time) - 1;
  const auto narrow = [&](int64_t block) {
    const char* page = blocks.pages[block];
    return Block(page + blocks.page_offset, blocks.head_dim, blocks.pages[std::min(block + 1, last)] - page);
  };
  if (query.tiles() <= 2) return AttendBlocks<kProfile>(query, blocks, narrow);
  AttendBlocks<kProfile>(query, blocks, [&](int64_t block) HWY_ATTR {
    UnpackBlock(narrow(block), blocks.unpacked);
    return FloatBlock{blocks.unpacked, blocks.head_dim};
  });
}

template <Profile kProfile>
void AttendPiece(const QueryRows& query, const KeyBlocks& blocks) {
  if (blocks.pages != nullptr && blocks.type == KvType::kF16) return AttendNarrow<kProfile, HalfBlock>(query, blocks);
  if (blocks.pages != nullptr && blocks.type == KvType::kQ8) return AttendNarrow<kProfile, ByteBlock>(query, blocks);
  AttendBlocks<kProfile>(query, blocks, [&](int64_t block) {
    return FloatBlock{blocks.pages == nullptr
                          ? blocks.packed + block * 2 * kAttentionBlock * blocks.head_dim
                          : reinterpret_cast<const float*>(blocks.pages[block] + blocks.page_offset),
                      blocks.head_dim};
  });
}

void Attend(const QueryRows& query, const KeyBlocks& blocks, Profile profile) {
  if (profile == Profile::kFma) {
    AttendPiece<Profile::kFma>(query, blocks);
  } else {
    AttendPiece<Profile::kMuladd>(query, blocks);
  }
}

// Keys transposed, then values: the layout of a page.
void PackKeysAndValues(const float* k, int64_t ldk, const float* v, int64_t ldv, int64_t rows, int64_t head_dim,
                       float* to) {
  TransposeBlock(k, ldk, rows, head_dim, to);
  CopyBlock(v, ldv, rows, head_dim, to + kAttentionBlock * head_dim);
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(Attend);
HWY_EXPORT(PackKeysAndValues);

void CheckShape(const AttentionShape& shape) {
  PINTLE_CHECK(shape.head_dim % 16 == 0 && shape.head_dim <= kMaxAttentionHeadDim,
               "head_dim is not a multiple of 16 up to 256");
  PINTLE_CHECK(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0, "heads is not a multiple of kv_heads");
}

// Positions of one head that make a piece.
constexpr int64_t kPieceRows = kPieceTiles * kTileQueries;

// How the rows of one sequence are cut: `lanes` groups of `heads` heads, each in pieces of `rows` positions.
struct Cut {
  int64_t heads, rows, lanes, pieces;
};

// With too few rows to fill a tile, the heads that share their keys go through them together.
Cut CutOf(const AttentionShape& shape, int64_t rows) {
  const int64_t group = shape.heads / shape.kv_heads;
  const bool together = rows < kTileQueries && group > 1 && group <= kPieceRows;
  const int64_t heads = together ? group : 1, lanes = shape.heads / heads;
  const int64_t piece_rows = together ? kPieceTiles / ((group + kTileQueries - 1) / kTileQueries) : kPieceRows;
  return {heads, piece_rows, lanes, (rows + piece_rows - 1) / piece_rows * lanes};
}
}  // namespace

int64_t AttentionScratch(const AttentionShape& shape) {
  return 2 * shape.batch * shape.kv_heads * AttentionBlocks(shape.time) * kAttentionBlock * shape.head_dim;
}

void Attention(const AttentionShape& shape, const float* q, const float* k, const float* v, const int32_t* document,
               float* o, bf16* o_bf16, float* lse, float* scratch, ThreadPool& pool) {
  CheckShape(shape);
  const int64_t d = shape.head_dim, time = shape.time, blocks = AttentionBlocks(time);
  const int64_t block_floats = 2 * kAttentionBlock * d;
  pool.ParallelFor(shape.batch * shape.kv_heads * blocks, [&](int64_t item) {
    const int64_t block = item % blocks, g = item / blocks % shape.kv_heads, b = item / blocks / shape.kv_heads;
    const int64_t first = block * kAttentionBlock;
    const int64_t token = b * time + first;
    PINTLE_DISPATCH(PackKeysAndValues)
    (k + token * shape.ldk + g * d, shape.ldk, v + token * shape.ldv + g * d, shape.ldv,
     std::min(kAttentionBlock, time - first), d, scratch + item * block_floats);
  });
  // The latest queries see the most keys: they go first, so that the last piece handed out is a short one.
  const int64_t pieces = (time + kPieceRows - 1) / kPieceRows, heads = shape.batch * shape.heads;
  pool.ParallelFor(pieces * heads, [&](int64_t item) {
    const int64_t piece = pieces - 1 - item / heads, b = item % heads / shape.heads, h = item % shape.heads;
    const int64_t g = h / (shape.heads / shape.kv_heads);
    const int64_t first = piece * kPieceRows, token = b * time + first;
    KeyBlocks keys;
    keys.packed = scratch + (b * shape.kv_heads + g) * blocks * block_floats;
    keys.head_dim = d;
    keys.time = time;
    const int64_t at = token * shape.ldo + h * d;
    const QueryRows query{q + token * shape.ldq + h * d,
                          shape.ldq,
                          std::min(kPieceRows, time - first),
                          1,
                          first,
                          document == nullptr ? nullptr : document + b * time,
                          shape.scale,
                          shape.window,
                          o + at,
                          o_bf16 == nullptr ? nullptr : o_bf16 + at,
                          shape.ldo,
                          lse == nullptr ? nullptr : lse + (b * shape.heads + h) * time + first};
    PINTLE_DISPATCH(Attend)(query, keys, shape.profile);
  });
}

int64_t AttentionCachedScratch(const AttentionShape& shape, const ThreadPool& pool) {
  return pool.threads() * 2 * kAttentionBlock * shape.head_dim;
}

void AttentionCached(const AttentionShape& shape, const CachedSequence* sequences, int64_t count, const float* q,
                     float* o, bf16* o_bf16, float* scratch, ThreadPool& pool) {
  CheckShape(shape);
  const int64_t d = shape.head_dim;
  int64_t pieces = 0;
  for (int64_t i = 0; i < count; ++i) pieces += CutOf(shape, sequences[i].rows).pieces;
  pool.ParallelForWithThread(pieces, [&](int64_t piece, int thread) {
    int64_t token = 0;
    const CachedSequence* sequence = sequences;
    Cut cut = CutOf(shape, sequence->rows);
    for (; piece >= cut.pieces; cut = CutOf(shape, sequence->rows)) {
      piece -= cut.pieces;
      token += sequence->rows;
      ++sequence;
    }
    // The latest rows see the most keys: they go first.
    const int64_t first = (cut.pieces - 1 - piece) / cut.lanes * cut.rows, lane = piece % cut.lanes;
    const int64_t head = lane * cut.heads;
    KeyBlocks keys;
    keys.pages = sequence->pages;
    keys.type = sequence->type;
    keys.page_offset = head / (shape.heads / shape.kv_heads) * KvHeadBytes(sequence->type, d);
    keys.unpacked = scratch + thread * 2 * kAttentionBlock * d;
    keys.head_dim = d;
    keys.time = sequence->first_position + sequence->rows;
    const int64_t at = (token + first) * shape.ldo + head * d;
    const QueryRows query{q + (token + first) * shape.ldq + head * d,
                          shape.ldq,
                          std::min(cut.rows, sequence->rows - first),
                          cut.heads,
                          sequence->first_position + first,
                          nullptr,
                          shape.scale,
                          shape.window,
                          o + at,
                          o_bf16 == nullptr ? nullptr : o_bf16 + at,
                          shape.ldo,
                          nullptr};
    PINTLE_DISPATCH(Attend)(query, keys, shape.profile);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
