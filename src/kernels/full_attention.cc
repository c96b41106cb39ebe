// Unmasked attention over one sequence on every instruction set; see full_attention.h.
#include "kernels/full_attention.h"

#include "kernels/math.h"
#include "kernels/parallel_ranges.h"
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/full_attention.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// Scores to probabilities in place.
void SoftmaxRows(float* scores, int64_t first, int64_t last, int64_t time, float scale, float* lse) {
  const F16 factor = Set(scale);
  for (int64_t row = first; row < last; ++row) {
    float* x = scores + row * time;
    ForEach16(0, time, [&](int64_t i, auto n) HWY_ATTR { Store(Mul(Load(x + i, n), factor), x + i, n); });
    const float largest = ::pintle::kernels::Max(x, time);
    const F16 shift = Set(largest);
    ForEach16(0, time,
              [&](int64_t i, auto n) HWY_ATTR { Store(VectorExp<true>(Sub(Load(x + i, n), shift)), x + i, n); });
    const float sum = SumOf(time, [&](int64_t i, auto n) HWY_ATTR { return Load(x + i, n); });
    const F16 inverse = Set(1.0f / sum);
    ForEach16(0, time, [&](int64_t i, auto n) HWY_ATTR { Store(Mul(Load(x + i, n), inverse), x + i, n); });
    if (lse != nullptr) lse[row] = largest + ::pintle::kernels::Log(sum);
  }
}

// scores become p, dp becomes ds.
void SoftmaxBackwardRows(float* scores, float* dp, int64_t first, int64_t last, int64_t time, float scale,
                         const float* lse) {
  const F16 factor = Set(scale);
  for (int64_t row = first; row < last; ++row) {
    float* x = scores + row * time;
    float* d = dp + row * time;
    const F16 shift = Set(lse[row]);
    ForEach16(0, time,
              [&](int64_t i, auto n) HWY_ATTR { Store(VectorExp(Sub(Mul(Load(x + i, n), factor), shift)), x + i, n); });
    const F16 delta = Set(SumOf(time, [&](int64_t i, auto n) HWY_ATTR { return Mul(Load(x + i, n), Load(d + i, n)); }));
    ForEach16(0, time, [&](int64_t i, auto n) HWY_ATTR {
      Store(Mul(Mul(Load(x + i, n), Sub(Load(d + i, n), delta)), factor), d + i, n);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(SoftmaxBackwardRows);
}  // namespace

void FullAttention(const FullAttentionShape& shape, const float* qkv, float* o, bf16* o_bf16, float* lse,
                   float* scratch, ThreadPool& pool) {
  const int64_t time = shape.time, d = shape.head_dim, width = shape.heads * d, ld = 3 * width;
  for (int64_t head = 0; head < shape.heads; ++head) {
    const float* q = qkv + head * d;
    const float* k = q + width;
    const float* v = k + width;
    MatMulF32({MatMulOp::kNT, time, time, d, ld, ld, time}, shape.profile, q, k, scratch, {}, pool);
    ForRanges(pool, time, PieceRows(time), [&](int64_t begin, int64_t end) {
      PINTLE_DISPATCH(SoftmaxRows)
      (scratch, begin, end, time, shape.scale, lse == nullptr ? nullptr : lse + head * time);
    });
    MatMulF32({MatMulOp::kNN, time, d, time, time, ld, width}, shape.profile, scratch, v, o + head * d, {}, pool);
  }
  if (o_bf16 != nullptr) ConvertF32ToBF16(o, o_bf16, time * width, pool);
}

void FullAttentionBackward(const FullAttentionShape& shape, const float* qkv, const float* lse, const float* dout,
                           float* dqkv, float* scratch, ThreadPool& pool) {
  const int64_t time = shape.time, d = shape.head_dim, width = shape.heads * d, ld = 3 * width;
  float* p = scratch;
  float* ds = scratch + time * time;
  for (int64_t head = 0; head < shape.heads; ++head) {
    const float* q = qkv + head * d;
    const float* k = q + width;
    const float* v = k + width;
    const float* d_o = dout + head * d;
    float* dq = dqkv + head * d;
    MatMulF32({MatMulOp::kNT, time, time, d, ld, ld, time}, shape.profile, q, k, p, {}, pool);
    MatMulF32({MatMulOp::kNT, time, time, d, width, ld, time}, shape.profile, d_o, v, ds, {}, pool);
    ForRanges(pool, time, PieceRows(time), [&](int64_t begin, int64_t end) {
      PINTLE_DISPATCH(SoftmaxBackwardRows)(p, ds, begin, end, time, shape.scale, lse + head * time);
    });
    MatMulF32({MatMulOp::kNN, time, d, time, time, ld, ld}, shape.profile, ds, k, dq, {}, pool);
    MatMulF32({MatMulOp::kTN, time, d, time, time, ld, ld}, shape.profile, ds, q, dq + width, {}, pool);
    MatMulF32({MatMulOp::kTN, time, d, time, time, width, ld}, shape.profile, p, d_o, dq + 2 * width, {}, pool);
  }
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
