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
#include "kernels/simd-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// Up to kTileRows rows of one head against all their blocks. Arrays of 16 hold one value per row.
template <Profile kProfile>
void AttendTile(const QueryRows& query, const KeyBlocks& blocks, int64_t first_row, int rows) {
  const int64_t d = blocks.head_dim;
  const int64_t position = query.first_position + first_row;  // of row 0
  const int64_t last_position = position + rows - 1;
  const float* q = query.q + first_row * query.ldq;
  float* o = query.o + first_row * query.ldo;
  const float infinity = __builtin_inff();
  const F16 lowest = Set(-infinity);
  const F16 scale = Set(query.scale);

  alignas(64) float s[kTileRows * kAttentionBlock];
  alignas(64) float largest[16], sum[16], next_largest[16], block_sum[16], decay[16];
  Store(lowest, largest);
  Store(Zero(), sum);
  Store(lowest, next_largest);
  Store(Zero(), block_sum);
  bool started = false;

  for (int64_t block = 0; block <= last_position / kAttentionBlock; ++block) {
    const int64_t first_key = block * kAttentionBlock;
    const int64_t keys = std::min(kAttentionBlock, last_position + 1 - first_key);
    const int64_t columns = (keys + 15) / 16 * 16;
    const bool diagonal = first_key + columns - 1 > position;
    if (query.document != nullptr) {
      bool visible = false;
      for (int r = 0; r < rows && !visible; ++r) {
        const int32_t own = query.document[position + r];
        const int64_t end = std::min(first_key + keys, position + r + 1);
        for (int64_t j = end - 1; j >= first_key && !visible; --j) visible = query.document[j] == own;
      }
      if (!visible) continue;
    }
    RunTile<kProfile>({rows, d, q, query.ldq, 1, blocks.Keys(block), kAttentionBlock, s, kAttentionBlock, columns,
                       TileStart::kZero, nullptr});

    // Scale, hide what is not visible, and find the new maxima.
    for (int r = 0; r < rows; ++r) {
      float* row = s + r * kAttentionBlock;
      F16 row_largest = lowest;
      for (int64_t c = 0; c < columns; c += 16) {
        F16 x = Mul(Load(row + c), scale);
        if (diagonal) {
          x = IfThenElse(IntLe(Iota(static_cast<int32_t>(c)), SetInt(static_cast<int32_t>(position + r - first_key))),
                         x, lowest);
        }
        if (query.document != nullptr) {
          const I16 own = SetInt(query.document[position + r]);
          const int64_t known = blocks.time - first_key - c;
          int32_t padded[16];
          const int32_t* ids = query.document + first_key + c;
          if (known < 16) {
            for (int64_t j = 0; j < 16; ++j) padded[j] = j < known ? ids[j] : 0;
            ids = padded;
          }
          x = IfThenElse(IntEq(LoadInt(ids), own), x, lowest);
        }
        Store(x, row + c);
        row_largest = Max(row_largest, x);
      }
      const float before = largest[r], now = MaxTree(row_largest);
      next_largest[r] = now > before ? now : before;
    }
    const F16 new_largest = Load(next_largest);
    const F16 base = IfThenElse(Eq(new_largest, lowest), Zero(), new_largest);
    Store(VectorExp<true>(Sub(Load(largest), base)), decay);
    Store(new_largest, largest);
    alignas(64) float bases[16];
    Store(base, bases);

    // p = exp(s - m') and its row sums.
    for (int r = 0; r < rows; ++r) {
      float* row = s + r * kAttentionBlock;
      const F16 m = Set(bases[r]);
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
    Store(Add(Mul(Load(sum), Load(decay)), Load(block_sum)), sum);
    RunTile<kProfile>({rows, keys, s, kAttentionBlock, 1, blocks.Values(block), blocks.ValueStride(), o, query.ldo, d,
                       started ? TileStart::kScale : TileStart::kZero, decay});
    started = true;
  }

  alignas(64) float inverse[16];
  for (int r = rows; r < 16; ++r) sum[r] = 1.0f;
  Store(Div(Set(1.0f), Load(sum)), inverse);
  for (int r = 0; r < rows; ++r) {
    const F16 factor = Set(inverse[r]);
    for (int64_t c = 0; c < d; c += 16) {
      float* at = o + r * query.ldo + c;
      const F16 value = Mul(Load(at), factor);
      Store(value, at);
      if (query.o_bf16 != nullptr) StoreBF16(value, query.o_bf16 + (first_row + r) * query.ldo + c);
    }
  }
  if (query.lse != nullptr) {
    alignas(64) float lse[16];
    Store(Add(Load(largest), VectorLog(Load(sum))), lse);
    for (int r = 0; r < rows; ++r) query.lse[first_row + r] = lse[r];
  }
}

void Attend(const QueryRows& query, const KeyBlocks& blocks, Profile profile) {
  for (int64_t row = 0; row < query.rows; row += kTileRows) {
    const int rows = static_cast<int>(std::min<int64_t>(kTileRows, query.rows - row));
    if (profile == Profile::kFma) {
      AttendTile<Profile::kFma>(query, blocks, row, rows);
    } else {
      AttendTile<Profile::kMuladd>(query, blocks, row, rows);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(Attend);

// Query rows of one head that make one piece of work: whole tiles of six.
constexpr int64_t kPieceQueries = 48;

void CheckShape(const AttentionShape& shape) {
  PINTLE_CHECK(shape.head_dim % 16 == 0 && shape.head_dim <= 256, "head_dim is not a multiple of 16 up to 256");
  PINTLE_CHECK(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0, "heads is not a multiple of kv_heads");
}
}  // namespace

int64_t AttentionScratch(const AttentionShape& shape) {
  return shape.batch * shape.kv_heads * AttentionBlocks(shape.time) * kAttentionBlock * shape.head_dim;
}

void Attention(const AttentionShape& shape, const float* q, const float* k, const float* v, const int32_t* document,
               float* o, bf16* o_bf16, float* lse, float* scratch, ThreadPool& pool) {
  CheckShape(shape);
  const int64_t d = shape.head_dim, time = shape.time, blocks = AttentionBlocks(time);
  const int64_t block_floats = kAttentionBlock * d;
  pool.ParallelFor(shape.batch * shape.kv_heads * blocks, [&](int64_t item) {
    const int64_t block = item % blocks, g = item / blocks % shape.kv_heads, b = item / blocks / shape.kv_heads;
    const int64_t first = block * kAttentionBlock;
    TransposeBlock(k + (b * time + first) * shape.ldk + g * d, shape.ldk, std::min(kAttentionBlock, time - first), d,
                   scratch + item * block_floats);
  });
  // The latest queries see the most keys: they go first, so that the last piece handed out is a short one.
  const int64_t pieces = (time + kPieceQueries - 1) / kPieceQueries, heads = shape.batch * shape.heads;
  pool.ParallelFor(pieces * heads, [&](int64_t item) {
    const int64_t piece = pieces - 1 - item / heads, b = item % heads / shape.heads, h = item % shape.heads;
    const int64_t g = h / (shape.heads / shape.kv_heads);
    const int64_t first = piece * kPieceQueries, token = b * time + first;
    KeyBlocks keys;
    keys.keys_transposed = scratch + (b * shape.kv_heads + g) * blocks * block_floats;
    keys.values = v + b * time * shape.ldv + g * d;
    keys.ld_values = shape.ldv;
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
