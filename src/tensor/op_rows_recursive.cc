// The rows of the op table for the kernels of recursive models: norms without gain, SwiGLU that keeps little, attention
// without a mask, stablemax, AdamATan2. Their definitions are in kernels/reference_recursive.cc and the headers.
#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/elementwise.h"
#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/stablemax.h"
#include "kernels/swiglu.h"
#include "kernels/swiglu_kept.h"
#include "kernels/unit_norm.h"
#include "tensor/op_rows.h"

namespace pintle {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): this file lists them all
using namespace op_rows;  // NOLINT(google-build-using-namespace): likewise

std::vector<bf16> ToBF16(const std::vector<float>& values) {
  std::vector<bf16> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), ReferenceToBF16);
  return rounded;
}

std::vector<float> ToFloats(const std::vector<bf16>& values) {
  std::vector<float> floats(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t bits = uint32_t{values[i]} << 16;
    std::memcpy(&floats[i], &bits, sizeof bits);
  }
  return floats;
}

std::vector<float> Rounded(const std::vector<float>& values) { return ToFloats(ToBF16(values)); }

// By rows or by columns: x -> y, inverse.
OpCase UnitNormOp(bool by_rows, int64_t rows, int64_t width) {
  const int64_t inverses = by_rows ? rows : width;
  OpCase row;
  row.inputs = {rows * width};
  row.outputs = {rows * width, inverses};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    UnitNormOutput to;
    to.y = out[0].data();
    to.inverse = out[1].data();
    (by_rows ? UnitNormRows : UnitNormColumns)(in[0].data(), 1e-5f, rows, width, to, pool);
  };
  row.reference = [=](In in, Out out) {
    (by_rows ? ReferenceUnitNormRows<float> : ReferenceUnitNormColumns<float>)(in[0].data(), 1e-5f, rows, width,
                                                                               out[0].data(), out[1].data());
  };
  const auto in_double = by_rows ? ReferenceUnitNormRows<double> : ReferenceUnitNormColumns<double>;
  row.forward = [=](InD in, OutD out) {
    std::vector<double> inverse(Index(inverses));
    out.resize(1);
    in_double(in[0].data(), 1e-5, rows, width, out[0].data(), inverse.data());
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> y(in[0].size()), inverse(Index(inverses));
    in_double(in[0].data(), 1e-5, rows, width, y.data(), inverse.data());
    (by_rows ? ReferenceUnitNormRowsBackward<double>
             : ReferenceUnitNormColumnsBackward<double>)(y.data(), inverse.data(), d_out[0].data(), rows, width,
                                                         d_in[0].data());
  };
  row.bytes = 8.0 * static_cast<double>(rows * width);
  return row;
}

// y, inverse, dy -> dx
OpCase UnitNormBackwardOp(bool by_rows, int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {rows * width, by_rows ? rows : width, rows * width};
  row.outputs = {rows * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    (by_rows ? UnitNormRowsBackward : UnitNormColumnsBackward)({in[0].data(), nullptr}, in[1].data(), in[2].data(),
                                                               rows, width, out[0].data(), nullptr, pool);
  };
  row.reference = [=](In in, Out out) {
    (by_rows ? ReferenceUnitNormRowsBackward<float>
             : ReferenceUnitNormColumnsBackward<float>)(in[0].data(), in[1].data(), in[2].data(), rows, width,
                                                        out[0].data());
  };
  row.bytes = 12.0 * static_cast<double>(rows * width);
  return row;
}

// gate | up -> the activation, and what is kept, both in bf16.
OpCase SwiGluKeepOp(int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {2 * rows * width};
  row.outputs = {rows * width, 2 * rows * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    std::vector<bf16> y(out[0].size()), kept(out[1].size());
    SwiGluKeep(in[0].data(), in[0].data() + width, 2 * width, rows, width, y.data(), kept.data(), kept.data() + width,
               pool);
    out = {ToFloats(y), ToFloats(kept)};
  };
  row.reference = [=](In in, Out out) {
    ReferenceSwiGlu(in[0].data(), in[0].data() + width, 2 * width, rows, width, out[0].data());
    out = {Rounded(out[0]), Rounded(in[0])};
  };
  row.bytes = 14.0 * static_cast<double>(rows * width);
  return row;
}

// gate | up, dy -> their gradients in their place, and the activation again; in fp32, or of kept values in bf16.
OpCase SwiGluInPlaceOp(bool in_bf16, int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {2 * rows * width, rows * width};
  row.outputs = {2 * rows * width, rows * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    const int64_t ld = 2 * width;
    if (in_bf16) {
      std::vector<bf16> work = ToBF16(in[0]), y(in[1].size());
      SwiGluBackwardInPlace(work.data(), work.data() + width, ld, in[1].data(), rows, width, y.data(), pool);
      out = {ToFloats(work), ToFloats(y)};
      return;
    }
    out[0] = in[0];
    SwiGluBackwardInPlace(out[0].data(), out[0].data() + width, ld, in[1].data(), rows, width, out[1].data(), pool);
  };
  row.reference = [=](In in, Out out) {
    const std::vector<float> work = in_bf16 ? Rounded(in[0]) : in[0];
    const float *gate = work.data(), *up = work.data() + width;
    ReferenceSwiGlu(gate, up, 2 * width, rows, width, out[1].data());
    ReferenceSwiGluBackward(gate, up, 2 * width, in[1].data(), rows, width, out[0].data(), out[0].data() + width);
    if (in_bf16) out = {Rounded(out[0]), Rounded(out[1])};
  };
  row.bytes = (in_bf16 ? 14.0 : 24.0) * static_cast<double>(rows * width);
  return row;
}

FullAttentionShape MakeFullAttentionShape(Profile profile, int64_t time, int64_t heads, int64_t d) {
  return {time, heads, d, static_cast<float>(1.0 / Sqrt(static_cast<double>(d))), profile};
}

double Pairs(const FullAttentionShape& shape) { return static_cast<double>(shape.heads * shape.time * shape.time); }

// q | k | v -> o, lse
OpCase FullAttentionOp(const FullAttentionShape& shape) {
  const int64_t count = shape.time * shape.heads * shape.head_dim;
  const auto scratch = std::make_shared<std::vector<float>>(Index(FullAttentionScratch(shape)));
  OpCase row;
  row.inputs = {3 * count};
  row.outputs = {count, shape.heads * shape.time};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    FullAttention(shape, in[0].data(), out[0].data(), nullptr, out[1].data(), scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) { ReferenceFullAttention(shape, in[0].data(), out[0].data(), out[1].data()); };
  row.forward = [=](InD in, OutD out) {
    std::vector<double> lse(out[1].size());
    out.resize(1);
    ReferenceFullAttention(shape, in[0].data(), out[0].data(), lse.data());
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> o(d_out[0].size()), lse(Index(shape.heads * shape.time));
    ReferenceFullAttention(shape, in[0].data(), o.data(), lse.data());
    ReferenceFullAttentionBackward(shape, in[0].data(), lse.data(), d_out[0].data(), d_in[0].data());
  };
  row.flops = Pairs(shape) * 4.0 * static_cast<double>(shape.head_dim);
  return row;
}

// q | k | v, lse, do -> their gradients
OpCase FullAttentionBackwardOp(const FullAttentionShape& shape) {
  const int64_t count = shape.time * shape.heads * shape.head_dim;
  const auto scratch = std::make_shared<std::vector<float>>(Index(FullAttentionScratch(shape)));
  OpCase row;
  row.inputs = {3 * count, shape.heads * shape.time, count};
  row.outputs = {3 * count};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    FullAttentionBackward(shape, in[0].data(), in[1].data(), in[2].data(), out[0].data(), scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceFullAttentionBackward(shape, in[0].data(), in[1].data(), in[2].data(), out[0].data());
  };
  row.flops = Pairs(shape) * 10.0 * static_cast<double>(shape.head_dim);
  return row;
}

// Logits -> their gradient, losses. The kernel is plain code in double: its row shows that Stablemax says the same
// probabilities, and that the gradient is one.
OpCase StablemaxOp(int64_t rows, int64_t vocab) {
  const auto targets = std::make_shared<std::vector<int32_t>>(DrawIds(rows, static_cast<uint32_t>(vocab), 8));
  OpCase row;
  row.inputs = {rows * vocab};
  row.outputs = {rows * vocab, rows};
  row.cpu = [=](In in, Out out, ThreadPool&) {
    for (int64_t r = 0; r < rows; ++r) {
      const double loss = StablemaxCrossEntropy(in[0].data() + r * vocab, vocab, (*targets)[Index(r)], 0.25,
                                                out[0].data() + r * vocab, nullptr);
      out[1][Index(r)] = static_cast<float>(loss);
    }
  };
  row.reference = [=](In in, Out out) {
    std::vector<double> p(Index(vocab));
    for (int64_t r = 0; r < rows; ++r) {
      const float* logits = in[0].data() + r * vocab;
      const int32_t target = (*targets)[Index(r)];
      Stablemax(logits, vocab, p.data());
      out[1][Index(r)] = static_cast<float>(-Log(p[Index(target)]));
      for (int64_t i = 0; i < vocab; ++i) {
        const double x = static_cast<double>(logits[i]), s = x >= 0 ? x + 1 : 1 / (1 - x);
        const double slope = x >= 0 ? 1 : s * s;
        out[0][Index(r * vocab + i)] =
            static_cast<float>(0.25 * (slope / s * (p[Index(i)] - (i == target ? 1.0 : 0.0))));
      }
    }
  };
  row.forward = [=](InD in, OutD out) {
    out = {{0.0}};
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0, at_target = 0;
      for (int64_t i = 0; i < vocab; ++i) {
        const double x = in[0][Index(r * vocab + i)], s = x >= 0 ? x + 1 : 1 / (1 - x);
        sum += s;
        if (i == (*targets)[Index(r)]) at_target = s;
      }
      out[0][0] -= Log(at_target / sum);
    }
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    const std::vector<float> logits(in[0].begin(), in[0].end());
    std::vector<float> d(logits.size());
    for (int64_t r = 0; r < rows; ++r) {
      StablemaxCrossEntropy(logits.data() + r * vocab, vocab, (*targets)[Index(r)], 1, d.data() + r * vocab, nullptr);
    }
    std::transform(d.begin(), d.end(), d_in[0].begin(), [&](float x) { return static_cast<double>(x) * d_out[0][0]; });
  };
  row.bytes = 8.0 * static_cast<double>(rows * vocab);
  return row;
}

OpCase AdamAtan2Op(int64_t count) {
  const AdamAtan2Step step{.learning_rate = 1e-3, .weight_decay = 0.1, .step = 3};
  OpCase row;
  row.inputs = {count};
  row.outputs = {count, count, count};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    AdamAtan2(step, out[0].data(), in[0].data(), out[1].data(), out[2].data(), nullptr, count, pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceAdamAtan2(step, out[0].data(), in[0].data(), out[1].data(), out[2].data(), nullptr, count);
  };
  row.bytes = 28.0 * static_cast<double>(count);
  return row;
}

}  // namespace

// Extents of the large cases: sixteen 9x9 Sudokus of width 128, and one of a maze 30x30 for attention.
void AddRecursiveOps(std::vector<OpRow>& rows) {
  constexpr auto kFma = Profile::kFma;
  constexpr auto kMuladd = Profile::kMuladd;
  constexpr double kGradient = 1e-7;
  rows.push_back({"unit_norm_rows", 0, kGradient, UnitNormOp(true, 19, 83), UnitNormOp(true, 1312, 128)});
  rows.push_back({"unit_norm_columns", 0, kGradient, UnitNormOp(false, 19, 83), UnitNormOp(false, 82, 2048)});
  rows.push_back(
      {"unit_norm_rows_backward", 0, 0, UnitNormBackwardOp(true, 19, 83), UnitNormBackwardOp(true, 1312, 128)});
  rows.push_back(
      {"unit_norm_columns_backward", 0, 0, UnitNormBackwardOp(false, 19, 83), UnitNormBackwardOp(false, 82, 2048)});
  rows.push_back({"swiglu_kept", 0, 0, SwiGluKeepOp(7, 45), SwiGluKeepOp(1312, 352)});
  rows.push_back({"swiglu_in_place", 0, 0, SwiGluInPlaceOp(false, 7, 45), SwiGluInPlaceOp(false, 1312, 352)});
  rows.push_back({"swiglu_in_place_bf16", 0, 0, SwiGluInPlaceOp(true, 7, 45), SwiGluInPlaceOp(true, 1312, 352)});
  const FullAttentionShape small_fma = MakeFullAttentionShape(kFma, 37, 3, 8);
  const FullAttentionShape small_muladd = MakeFullAttentionShape(kMuladd, 37, 3, 8);
  const FullAttentionShape large = MakeFullAttentionShape(kMuladd, 901, 4, 32);
  rows.push_back({"full_attention", 0, kGradient, FullAttentionOp(small_fma), FullAttentionOp(large)});
  rows.push_back({"full_attention_muladd", 0, kGradient, FullAttentionOp(small_muladd), FullAttentionOp(large)});
  rows.push_back({"full_attention_backward", 0, 0, FullAttentionBackwardOp(small_fma), FullAttentionBackwardOp(large)});
  rows.push_back(
      {"full_attention_backward_muladd", 0, 0, FullAttentionBackwardOp(small_muladd), FullAttentionBackwardOp(large)});
  // The definition groups the products differently in double; both round to float.
  rows.push_back({"stablemax", 1e-7, kGradient, StablemaxOp(13, 11), StablemaxOp(1296, 11)});
  rows.push_back({"adam_atan2", 0, 0, AdamAtan2Op(20011), AdamAtan2Op(1 << 19)});
}

}  // namespace pintle
