// Softmax cross-entropy on every instruction set; see softmax_cross_entropy.h.
#include "kernels/softmax_cross_entropy.h"

#include "kernels/math.h"
#include "kernels/parallel_ranges.h"
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax_cross_entropy.cc"
#include "kernels/highway_targets.h"
// After the targets.
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace pintle {
namespace kernels {
namespace HWY_NAMESPACE {

// One row that has a target. `gradient` keeps e and turns it into the gradient; without it only the loss is found.
float CrossEntropyRow(const float* x, int64_t vocab, float largest, float at_target, float gradient_scale,
                      int32_t target, float* gradient, bf16* gradient_bf16) {
  const F16 m = Set(largest);
  if (gradient == nullptr) {
    const float sum =
        SumOf(vocab, [&](int64_t i, auto n) HWY_ATTR { return MaskTail(VectorExp(Sub(Load(x + i, n), m)), n); });
    return Log(sum) - at_target;
  }
  const float sum = SumOf(vocab, [&](int64_t i, auto n) HWY_ATTR {
    const F16 e = MaskTail(VectorExp(Sub(Load(x + i, n), m)), n);
    Store(e, gradient + i, n);
    return e;
  });
  const float factor = gradient_scale / sum;
  const F16 f = Set(factor);
  const float target_gradient = gradient[target] * factor - gradient_scale;
  if (gradient_bf16 != nullptr) {
    ForEach16(0, vocab,
              [&](int64_t i, auto n) HWY_ATTR { StoreBF16(Mul(Load(gradient + i, n), f), gradient_bf16 + i, n); });
    gradient_bf16[target] = OneToBF16(target_gradient);
  } else {
    ForEach16(0, vocab, [&](int64_t i, auto n) HWY_ATTR { Store(Mul(Load(gradient + i, n), f), gradient + i, n); });
    gradient[target] = target_gradient;
  }
  return Log(sum) - at_target;
}

}  // namespace HWY_NAMESPACE
}  // namespace kernels
}  // namespace pintle
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace pintle::kernels {
namespace {
HWY_EXPORT(CrossEntropyRow);
}  // namespace

void SoftmaxCrossEntropy(float* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                         float gradient_scale, float* losses, bf16* dlogits_bf16, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(vocab), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* x = logits + row * ld;
      bf16* gradient_bf16 = dlogits_bf16 == nullptr ? nullptr : dlogits_bf16 + row * ld;
      if (targets[row] == kIgnoredTarget) {
        losses[row] = 0;
        if (gradient_bf16 != nullptr) {
          std::fill(gradient_bf16, gradient_bf16 + vocab, bf16{0});
        } else {
          std::fill(x, x + vocab, 0.0f);
        }
        continue;
      }
      const float largest = Max(x, vocab);
      losses[row] = PINTLE_DISPATCH(CrossEntropyRow)(x, vocab, largest, x[targets[row]] - largest, gradient_scale,
                                                     targets[row], x, gradient_bf16);
    }
  });
}

void SoftmaxCrossEntropyLoss(const float* logits, int64_t ld, const int32_t* targets, int64_t rows, int64_t vocab,
                             float* losses, ThreadPool& pool) {
  ForRanges(pool, rows, PieceRows(vocab), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      losses[row] = 0;
      if (targets[row] == kIgnoredTarget) continue;
      const float* x = logits + row * ld;
      const float largest = Max(x, vocab);
      losses[row] = PINTLE_DISPATCH(CrossEntropyRow)(x, vocab, largest, x[targets[row]] - largest, 0.0f, targets[row],
                                                     nullptr, nullptr);
    }
  });
}

double SumLosses(const float* losses, int64_t rows) {
  double total = 0;
  for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(losses[row]);
  return total;
}

}  // namespace pintle::kernels
#endif  // HWY_ONCE
