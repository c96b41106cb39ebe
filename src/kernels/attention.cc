// Attention forward, training and decode form, on every instruction set; see attention.h.
#include "kernels/attention.h"

#include "base/check.h"
#include "kernels/attention_internal.h"
#include "kernels/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/pack_block-inl.h"
#include "kernels/simd-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// What a tile of rows carries from block to block; arrays of 16 hold one value per row.
struct TileState {
  alignas(64) float largest[16];
  alignas(64) float sum[16];
  bool started;
};

// One tile of rows of one head against one block: rows first_row .. first_row + rows - 1 of `query`.
template <Profile kProfile>
void AttendBlock(const QueryRows& query, const KeyBlocks& blocks, int64_t block, int64_t first_row, int rows,
                 TileState& state) {
  const int64_t d = blocks.head_dim;
  const int64_t position = query.first_position + first_row;  // of row 0
  const int64_t first_key = block * kAttentionBlock;
  const int64_t keys = std::min(kAttentionBlock, position + rows - first_key);
  if (keys <= 0) return;
  const int64_t columns = (keys + 15) / 16 * 16;
  const bool diagonal = first_key + columns - 1 > position;
  if (query.document != nullptr) {
    bool visible = false;
    for (int r = 0; r < rows && !visible; ++r) {
      const int32_t own = query.document[position + r];
      const int64_t end = std::min(first_key + keys, position + r + 1);
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
  RunTile<kProfile>({rows, d, query.q + first_row * query.ldq, query.ldq, 1, blocks.Keys(block), kAttentionBlock, s,
                     kAttentionBlock, columns, TileStart::kZero, nullptr});

  // Scale, hide what is not visible, and find the new maxima.
  for (int r = 0; r < rows; ++r) {
    float* row = s + r * kAttentionBlock;
    F16 row_largest = lowest;
    for (int64_t c = 0; c < columns; c += 16) {
      F16 x = Mul(Load(row + c), scale);
      if (diagonal) {
        const auto last = static_cast<int32_t>(position + r - first_key);
        x = IfThenElse(IntLe(Iota(static_cast<int32_t>(c)), SetInt(last)), x, lowest);
      }
      if (query.document != nullptr) {
        const I16 own = SetInt(query.document[position + r]);
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
  RunTile<kProfile>({rows, keys, s, kAttentionBlock, 1, blocks.Values(block), d, query.o + first_row * query.ldo,
                     query.ldo, d, state.started ? TileStart::kScale : TileStart::kZero, decay});
  state.started = true;
}

void FinishTile(const QueryRows& query, int64_t head_dim, int64_t first_row, int rows, TileState& state) {
  alignas(64) float inverse[16], lse[16];
  for (int r = rows; r < 16; ++r) state.sum[r] = 1.0f;
  Store(Div(Set(1.0f), Load(state.sum)), inverse);
  for (int r = 0; r < rows; ++r) {
    const F16 factor = Set(inverse[r]);
    for (int64_t c = 0; c < head_dim; c += 16) {
      const int64_t at = (first_row + r) * query.ldo + c;
      const F16 value = Mul(Load(query.o + at), factor);
      Store(value, query.o + at);
      if (query.o_bf16 != nullptr) StoreBF16(value, query.o_bf16 + at);
    }
  }
  if (query.lse == nullptr) return;
  Store(Add(Load(state.largest), VectorLog(Load(state.sum))), lse);
  for (int r = 0; r < rows; ++r) query.lse[first_row + r] = lse[r];
}

// A block stays in the cache while all tiles of the piece use it.
template <Profile kProfile>
void AttendPiece(const QueryRows& query, const KeyBlocks& blocks) {
  TileState states[kPieceQueries / kTileRows];
  for (TileState& state : states) {
    Store(Set(-__builtin_inff()), state.largest);
    Store(Zero(), state.sum);
    state.started = false;
  }
  const int64_t last_block = (query.first_position + query.rows - 1) / kAttentionBlock;
  for (int64_t block = 0; block <= last_block; ++block) {
    for (int64_t row = 0; row < query.rows; row += kTileRows) {
      const int rows = static_cast<int>(std::min<int64_t>(kTileRows, query.rows - row));
      AttendBlock<kProfile>(query, blocks, block, row, rows, states[row / kTileRows]);
    }
  }
  for (int64_t row = 0; row < query.rows; row += kTileRows) {
    const int rows = static_cast<int>(std::min<int64_t>(kTileRows, query.rows - row));
    FinishTile(query, blocks.head_dim, row, rows, states[row / kTileRows]);
  }
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
  const int64_t pieces = (time + kPieceQueries - 1) / kPieceQueries, heads = shape.batch * shape.heads;
  pool.ParallelFor(pieces * heads, [&](int64_t item) {
    const int64_t piece = pieces - 1 - item / heads, b = item % heads / shape.heads, h = item % shape.heads;
    const int64_t g = h / (shape.heads / shape.kv_heads);
    const int64_t first = piece * kPieceQueries, token = b * time + first;
    KeyBlocks keys;
    keys.packed = scratch + (b * shape.kv_heads + g) * blocks * block_floats;
    keys.head_dim = d;
    keys.time = time;
    const int64_t at = token * shape.ldo + h * d;
    const QueryRows query{q + token * shape.ldq + h * d,
                          shape.ldq,
                          std::min(kPieceQueries, time - first),
                          first,
                          document == nullptr ? nullptr : document + b * time,
                          shape.scale,
                          o + at,
                          o_bf16 == nullptr ? nullptr : o_bf16 + at,
                          shape.ldo,
                          lse == nullptr ? nullptr : lse + (b * shape.heads + h) * time + first};
    PINTLE_DISPATCH(Attend)(query, keys, shape.profile);
  });
}

void AppendKv(const CachedSequence& sequence, int64_t kv_heads, int64_t head_dim, const float* k, int64_t ldk,
              const float* v, int64_t ldv) {
  for (int64_t row = 0; row < sequence.rows; ++row) {
    const int64_t position = sequence.first_position + row;
    float* page = sequence.pages[position / kAttentionBlock];
    const int64_t slot = position % kAttentionBlock;
    for (int64_t g = 0; g < kv_heads; ++g, page += 2 * head_dim * kAttentionBlock) {
      float* values = page + head_dim * kAttentionBlock + slot * head_dim;
      for (int64_t i = 0; i < head_dim; ++i) {
        page[i * kAttentionBlock + slot] = k[row * ldk + g * head_dim + i];
        values[i] = v[row * ldv + g * head_dim + i];
      }
    }
  }
}

void AttentionCached(const AttentionShape& shape, const CachedSequence* sequences, int64_t count, const float* q,
                     float* o, bf16* o_bf16, ThreadPool& pool) {
  CheckShape(shape);
  const int64_t d = shape.head_dim;
  int64_t token = 0;
  for (int64_t i = 0; i < count; ++i) {
    const CachedSequence& sequence = sequences[i];
    const int64_t pieces = (sequence.rows + kPieceQueries - 1) / kPieceQueries;
    pool.ParallelFor(pieces * shape.heads, [&](int64_t item) {
      const int64_t piece = pieces - 1 - item / shape.heads, h = item % shape.heads;
      const int64_t first = piece * kPieceQueries;
      KeyBlocks keys;
      keys.pages = sequence.pages;
      keys.page_offset = h / (shape.heads / shape.kv_heads) * 2 * d * kAttentionBlock;
      keys.head_dim = d;
      keys.time = sequence.first_position + sequence.rows;
      const int64_t at = (token + first) * shape.ldo + h * d;
      const QueryRows query{q + (token + first) * shape.ldq + h * d,
                            shape.ldq,
                            std::min(kPieceQueries, sequence.rows - first),
                            sequence.first_position + first,
                            nullptr,
                            shape.scale,
                            o + at,
                            o_bf16 == nullptr ? nullptr : o_bf16 + at,
                            shape.ldo,
                            nullptr};
      PINTLE_DISPATCH(Attend)(query, keys, shape.profile);
    });
    token += sequence.rows;
  }
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
