// Attention backward on every instruction set; see attention.h. One task owns one kv head of one sequence: it walks the
// heads of its group, their query blocks and for each the key blocks, so every chain has one owner and one order.
#include "base/check.h"
#include "kernels/attention.h"
#include "kernels/attention_internal.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_backward.cc"
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

// p and ds of a tile of query rows from its scores (in p) and dp (in ds): [rows, 64] each, zeros where nothing is
// visible.
HWY_INLINE void SoftmaxGradientRows(const GradientTask& task, int64_t first_query, int rows, int64_t first_key,
                                    int64_t columns, const float* lse, const float* delta, float* p, float* ds) {
  const F16 lowest = Set(-__builtin_inff());
  const F16 scale = Set(task.scale);
  const bool diagonal = first_key + columns - 1 > first_query;
  for (int r = 0; r < rows; ++r) {
    const F16 row_lse = Set(lse[r]), row_delta = Set(delta[r]);
    float* pr = p + r * kAttentionBlock;
    float* dr = ds + r * kAttentionBlock;
    int64_t c = 0;
    for (; c < columns; c += 16) {
      F16 x = Mul(Load(pr + c), scale);
      if (diagonal) {
        x = IfThenElse(IntLe(Iota(static_cast<int32_t>(c)), SetInt(static_cast<int32_t>(first_query + r - first_key))),
                       x, lowest);
      }
      if (task.document != nullptr) {
        const I16 own = SetInt(task.document[first_query + r]);
        x = IfThenElse(IntEq(LoadIds(task.document, first_key + c, task.time), own), x, lowest);
      }
      const F16 probability = VectorExp<true>(Sub(x, row_lse));
      Store(probability, pr + c);
      Store(Mul(Mul(probability, Sub(Load(dr + c), row_delta)), scale), dr + c);
    }
    for (; c < kAttentionBlock; c += 16) {
      Store(Zero(), pr + c);
      Store(Zero(), dr + c);
    }
  }
}

// The rows of one query block of one head, packed without gaps.
struct QueryBlock {
  alignas(64) float q[kAttentionBlock * kMaxAttentionHeadDim];
  alignas(64) float dout[kAttentionBlock * kMaxAttentionHeadDim];
  float delta[kAttentionBlock];
};

// One pair of blocks, in phases: each product walks all tiles of six rows while its right-hand block stays in the first
// cache.
template <Profile kProfile>
void BlockGradient(const GradientTask& task, int64_t h, int64_t first_query, int64_t first_key,
                   const QueryBlock& query) {
  const int64_t d = task.head_dim;
  const int64_t queries = std::min(kAttentionBlock, task.time - first_query);
  const int64_t keys = std::min(kAttentionBlock, task.time - first_key);
  const bool diagonal = first_query == first_key;
  const float* keys_transposed = task.packed + first_key * 3 * d;
  const float* values_transposed = keys_transposed + kAttentionBlock * d;
  const float* packed_keys = values_transposed + kAttentionBlock * d;
  alignas(64) float p[kAttentionBlock * kAttentionBlock];
  alignas(64) float ds[kAttentionBlock * kAttentionBlock];
  const auto tile_rows = [](int64_t first, int64_t end) {
    return static_cast<int>(std::min<int64_t>(kTileRows, end - first));
  };
  // How many keys the rows from i on can see.
  const auto seen = [&](int64_t i) { return diagonal ? std::min(keys, i + tile_rows(i, queries)) : keys; };
  const auto columns = [&](int64_t i) { return (seen(i) + 15) / 16 * 16; };

  for (int64_t i = 0; i < queries; i += kTileRows) {
    RunTile<kProfile>({tile_rows(i, queries),
                       d,
                       query.q + i * d,
                       d,
                       1,
                       {keys_transposed, kAttentionBlock},
                       p + i * kAttentionBlock,
                       kAttentionBlock,
                       columns(i),
                       TileStart::kZero,
                       nullptr});
  }
  for (int64_t i = 0; i < queries; i += kTileRows) {
    RunTile<kProfile>({tile_rows(i, queries),
                       d,
                       query.dout + i * d,
                       d,
                       1,
                       {values_transposed, kAttentionBlock},
                       ds + i * kAttentionBlock,
                       kAttentionBlock,
                       columns(i),
                       TileStart::kZero,
                       nullptr});
  }
  for (int64_t i = 0; i < queries; i += kTileRows) {
    SoftmaxGradientRows(task, first_query + i, tile_rows(i, queries), first_key, columns(i),
                        task.lse + h * task.time + first_query + i, query.delta + i, p + i * kAttentionBlock,
                        ds + i * kAttentionBlock);
  }
  for (int64_t i = 0; i < queries; i += kTileRows) {
    RunTile<kProfile>({tile_rows(i, queries),
                       seen(i),
                       ds + i * kAttentionBlock,
                       kAttentionBlock,
                       1,
                       {packed_keys, d},
                       task.dq + (first_query + i) * task.ldq + h * d,
                       task.ldq,
                       d,
                       TileStart::kKeep,
                       nullptr});
  }
  for (int64_t j = 0; j < keys; j += kTileRows) {
    const int64_t from = diagonal ? j : 0;  // earlier queries do not see these keys
    RunTile<kProfile>({tile_rows(j, keys),
                       queries - from,
                       ds + from * kAttentionBlock + j,
                       1,
                       kAttentionBlock,
                       {query.q + from * d, d},
                       task.dk + (first_key + j) * task.ldk,
                       task.ldk,
                       d,
                       TileStart::kKeep,
                       nullptr});
  }
  for (int64_t j = 0; j < keys; j += kTileRows) {
    const int64_t from = diagonal ? j : 0;
    RunTile<kProfile>({tile_rows(j, keys),
                       queries - from,
                       p + from * kAttentionBlock + j,
                       1,
                       kAttentionBlock,
                       {query.dout + from * d, d},
                       task.dv + (first_key + j) * task.ldv,
                       task.ldv,
                       d,
                       TileStart::kKeep,
                       nullptr});
  }
}

void ClearRows(float* rows, int64_t ld, int64_t count, int64_t width) {
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t c = 0; c < width; c += 16) Store(Zero(), rows + t * ld + c);
  }
}

void PackForGradient(const float* k, int64_t ldk, const float* v, int64_t ldv, int64_t rows, int64_t head_dim,
                     float* to) {
  TransposeBlock(k, ldk, rows, head_dim, to);
  TransposeBlock(v, ldv, rows, head_dim, to + kAttentionBlock * head_dim);
  CopyBlock(k, ldk, rows, head_dim, to + 2 * kAttentionBlock * head_dim);
}

void AttendBackward(const GradientTask& task) {
  const int64_t d = task.head_dim;
  QueryBlock query;
  ClearRows(task.dq, task.ldq, task.time, task.group * d);
  ClearRows(task.dk, task.ldk, task.time, d);
  ClearRows(task.dv, task.ldv, task.time, d);
  for (int64_t h = 0; h < task.group; ++h) {
    for (int64_t first_query = 0; first_query < task.time; first_query += kAttentionBlock) {
      const int64_t queries = std::min(kAttentionBlock, task.time - first_query);
      const float* dout = task.dout + first_query * task.ldo + h * d;
      const float* o = task.o + first_query * task.ldo + h * d;
      CopyBlock(task.q + first_query * task.ldq + h * d, task.ldq, queries, d, query.q);
      CopyBlock(dout, task.ldo, queries, d, query.dout);
      for (int64_t i = 0; i < queries; ++i) {
        query.delta[i] = SumOf(d, [&](int64_t c, auto n) HWY_ATTR {
          return Mul(Load(dout + i * task.ldo + c, n), Load(o + i * task.ldo + c, n));
        });
      }
      for (int64_t first_key = 0; first_key <= first_query; first_key += kAttentionBlock) {
        if (!AnyVisible(task.document, task.time, first_query, first_key)) continue;
        if (task.profile == Profile::kFma) {
          BlockGradient<Profile::kFma>(task, h, first_query, first_key, query);
        } else {
          BlockGradient<Profile::kMuladd>(task, h, first_query, first_key, query);
        }
      }
    }
  }
  if (task.dv_bf16 != nullptr) {
    for (int64_t t = 0; t < task.time; ++t) {
      for (int64_t c = 0; c < d; c += 16) StoreBF16(Load(task.dv + t * task.ldv + c), task.dv_bf16 + t * task.ldv + c);
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
HWY_EXPORT(AttendBackward);
HWY_EXPORT(PackForGradient);
}  // namespace

int64_t AttentionBackwardScratch(const AttentionShape& shape) {
  return 3 * shape.batch * shape.kv_heads * AttentionBlocks(shape.time) * kAttentionBlock * shape.head_dim;
}

void AttentionBackward(const AttentionShape& shape, const float* q, const float* k, const float* v,
                       const int32_t* document, const float* o, const float* lse, const float* dout, float* dq,
                       float* dk, float* dv, float* scratch, ThreadPool& pool, bf16* dv_bf16) {
  const int64_t d = shape.head_dim, time = shape.time, blocks = AttentionBlocks(time);
  PINTLE_CHECK(d % 16 == 0 && d <= kMaxAttentionHeadDim, "head_dim is not a multiple of 16 up to 256");
  PINTLE_CHECK(shape.window == 0, "a sliding window has no gradient");
  const int64_t group = shape.heads / shape.kv_heads;
  const int64_t block_floats = 3 * kAttentionBlock * d;
  pool.ParallelFor(shape.batch * shape.kv_heads * blocks, [&](int64_t item) {
    const int64_t block = item % blocks, g = item / blocks % shape.kv_heads, b = item / blocks / shape.kv_heads;
    const int64_t first = block * kAttentionBlock, rows = std::min(kAttentionBlock, time - first);
    const int64_t token = b * time + first;
    PINTLE_DISPATCH(PackForGradient)
    (k + token * shape.ldk + g * d, shape.ldk, v + token * shape.ldv + g * d, shape.ldv, rows, d,
     scratch + item * block_floats);
  });
  pool.ParallelFor(shape.batch * shape.kv_heads, [&](int64_t item) {
    const int64_t b = item / shape.kv_heads, g = item % shape.kv_heads;
    const int64_t h = g * group, token = b * time;
    GradientTask task;
    task.q = q + token * shape.ldq + h * d;
    task.o = o + token * shape.ldo + h * d;
    task.dout = dout + token * shape.ldo + h * d;
    task.lse = lse + (b * shape.heads + h) * time;
    task.packed = scratch + item * blocks * block_floats;
    task.document = document == nullptr ? nullptr : document + token;
    task.dq = dq + token * shape.ldq + h * d;
    task.dk = dk + token * shape.ldk + g * d;
    task.dv = dv + token * shape.ldv + g * d;
    task.dv_bf16 = dv_bf16 == nullptr ? nullptr : dv_bf16 + token * shape.ldv + g * d;
    task.ldq = shape.ldq, task.ldk = shape.ldk, task.ldv = shape.ldv, task.ldo = shape.ldo;
    task.group = group, task.time = time, task.head_dim = d;
    task.scale = shape.scale;
    task.profile = shape.profile;
    PINTLE_DISPATCH(AttendBackward)(task);
  });
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
