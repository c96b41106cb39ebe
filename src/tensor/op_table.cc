// The rows of the op table and its three walks; see op_table.h.
#include "tensor/op_table.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/swiglu.h"
#include "tensor/op_rows.h"

namespace pintle {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): this file lists them all
using namespace op_rows;  // NOLINT(google-build-using-namespace): likewise

template <typename T>
OpValues<T> Zeros(const std::vector<int64_t>& sizes) {
  OpValues<T> values;
  for (const int64_t size : sizes) values.emplace_back(static_cast<size_t>(size), T(0));
  return values;
}

OpCase MatMulF32Op(MatMulOp op, Profile profile, int64_t m, int64_t n, int64_t k) {
  const bool a_transposed = op == MatMulOp::kTN, b_transposed = op == MatMulOp::kNT;
  const MatMulShape shape{op, m, n, k, a_transposed ? m : k, b_transposed ? k : n, n};
  OpCase row;
  row.inputs = {m * k, k * n};
  row.outputs = {m * n};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    MatMulF32(shape, profile, in[0].data(), in[1].data(), out[0].data(), {}, pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceMatMulF32(shape, profile, in[0].data(), in[1].data(), out[0].data(), {});
  };
  const auto a_at = [=](int64_t i, int64_t l) { return Index(a_transposed ? l * m + i : i * k + l); };
  const auto b_at = [=](int64_t l, int64_t j) { return Index(b_transposed ? j * k + l : l * n + j); };
  row.forward = [=](InD in, OutD out) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t l = 0; l < k; ++l) out[0][Index(i * n + j)] += in[0][a_at(i, l)] * in[1][b_at(l, j)];
      }
    }
  };
  // dA = dC B^T and dB = A^T dC: the orientations that the layers call.
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t l = 0; l < k; ++l) {
          d_in[0][a_at(i, l)] += d_out[0][Index(i * n + j)] * in[1][b_at(l, j)];
          d_in[1][b_at(l, j)] += d_out[0][Index(i * n + j)] * in[0][a_at(i, l)];
        }
      }
    }
  };
  row.flops = 2.0 * static_cast<double>(m * n * k);
  row.bytes = 4.0 * static_cast<double>(m * k + k * n + m * n);
  return row;
}

OpCase MatMulBF16Op(MatMulOp op, int64_t m, int64_t n, int64_t k) {
  const MatMulShape shape{op, m, n, k, op == MatMulOp::kTN ? m : k, op == MatMulOp::kNT ? k : n, n};
  const auto round = [](const std::vector<float>& from) {
    auto to = std::make_shared<std::vector<bf16>>(from.size());
    std::transform(from.begin(), from.end(), to->begin(), ReferenceToBF16);
    return to;
  };
  const auto a = round(Draw(m * k, 71)), b = round(Draw(k * n, 72));
  OpCase row;
  row.outputs = {m * n};
  row.cpu = [=](In, Out out, ThreadPool& pool) { MatMulBF16(shape, a->data(), b->data(), out[0].data(), {}, pool); };
  row.reference = [=](In, Out out) { ReferenceMatMulBF16(shape, a->data(), b->data(), out[0].data(), {}); };
  row.flops = 2.0 * static_cast<double>(m * n * k);
  row.bytes = 2.0 * static_cast<double>(m * k + k * n) + 4.0 * static_cast<double>(m * n);
  return row;
}

using ArrayFunction = void (*)(const float*, float*, int64_t, ThreadPool&);
OpCase ArrayOp(ArrayFunction function, float (*scalar)(float), bool positive, int64_t count) {
  OpCase row;
  row.inputs = {count};
  row.outputs = {count};
  const auto argument = [positive](float x) { return positive ? x + 1.5f : x * 20.0f; };
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    Scale(in[0].data(), positive ? 1.0f : 20.0f, out[0].data(), count, pool);
    if (positive) {
      for (float& x : out[0]) x += 1.5f;
    }
    function(out[0].data(), out[0].data(), count, pool);
  };
  row.reference = [=](In in, Out out) {
    for (size_t i = 0; i < in[0].size(); ++i) out[0][i] = scalar(argument(in[0][i]));
  };
  row.bytes = 8.0 * static_cast<double>(count);
  return row;
}

OpCase AddOp(int64_t count) {
  OpCase row;
  row.inputs = {count, count};
  row.outputs = {count};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    Add(in[0].data(), in[1].data(), out[0].data(), nullptr, count, pool);
  };
  row.reference = [=](In in, Out out) { ReferenceAdd(in[0].data(), in[1].data(), out[0].data(), nullptr, count); };
  row.bytes = 12.0 * static_cast<double>(count);
  return row;
}

OpCase SumOfSquaresOp(int64_t count) {
  OpCase row;
  row.inputs = {count};
  row.outputs = {1};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    out[0][0] = static_cast<float>(SumOfSquares(in[0].data(), count, pool));
  };
  row.reference = [=](In in, Out out) { out[0][0] = static_cast<float>(ReferenceSumOfSquares(in[0].data(), count)); };
  row.flops = 2.0 * static_cast<double>(count);
  row.bytes = 4.0 * static_cast<double>(count);
  return row;
}

// x, gain -> y; the gradient rows take x, gain, dy.
OpCase RmsNormOp(int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {rows * width, width};
  row.outputs = {rows * width, rows};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    RmsNorm(in[0].data(), in[1].data(), 1e-5f, rows, width, out[0].data(), nullptr, out[1].data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceRmsNorm(in[0].data(), in[1].data(), 1e-5f, rows, width, out[0].data(), out[1].data());
  };
  row.forward = [=](InD in, OutD out) {
    out.resize(1);
    ReferenceRmsNorm(in[0].data(), in[1].data(), 1e-5, rows, width, out[0].data(), static_cast<double*>(nullptr));
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> y(in[0].size()), inverse(Index(rows));
    ReferenceRmsNorm(in[0].data(), in[1].data(), 1e-5, rows, width, y.data(), inverse.data());
    ReferenceRmsNormBackward(in[0].data(), in[1].data(), inverse.data(), d_out[0].data(), rows, width,
                             static_cast<const double*>(nullptr), d_in[0].data(), d_in[1].data());
  };
  row.bytes = 8.0 * static_cast<double>(rows * width);
  return row;
}

OpCase RmsNormBackwardOp(int64_t rows, int64_t width) {
  const auto scratch = std::make_shared<std::vector<float>>(Index(RmsNormBackwardScratch(rows, width)));
  OpCase row;
  row.inputs = {rows * width, width, rows * width, rows};
  row.outputs = {rows * width, width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    RmsNormBackward(in[0].data(), in[1].data(), in[3].data(), in[2].data(), rows, width, nullptr, out[0].data(),
                    nullptr, out[1].data(), scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceRmsNormBackward(in[0].data(), in[1].data(), in[3].data(), in[2].data(), rows, width,
                             static_cast<const float*>(nullptr), out[0].data(), out[1].data());
  };
  row.bytes = 12.0 * static_cast<double>(rows * width);
  return row;
}

struct RopeTables {
  std::vector<float> cos, sin;
  std::vector<double> cos_double, sin_double;
  std::vector<int32_t> position;

  RopeTables(int64_t tokens, int64_t head_dim) : position(DrawIds(tokens, 100, 5)) {
    std::vector<double> frequency(Index(head_dim / 2));
    RopeFrequencies(1e4, head_dim, frequency.data());
    cos.resize(Index(100 * head_dim / 2));
    sin.resize(cos.size());
    RopeTable(frequency.data(), head_dim, 100, cos.data(), sin.data());
    cos_double.assign(cos.begin(), cos.end());
    sin_double.assign(sin.begin(), sin.end());
  }
};

OpCase RopeOp(int64_t tokens, int64_t heads, int64_t d) {
  const RopeShape shape{tokens, heads, d, heads * d, heads * d, 1e-5f};
  const auto t = std::make_shared<RopeTables>(tokens, d);
  OpCase row;
  row.inputs = {tokens * heads * d, d};
  row.outputs = {tokens * heads * d, tokens * heads};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    RopeQkNorm(shape, in[0].data(), in[1].data(), t->cos.data(), t->sin.data(), t->position.data(), out[0].data(),
               out[1].data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceRopeQkNorm(shape, in[0].data(), in[1].data(), t->cos.data(), t->sin.data(), t->position.data(),
                        out[0].data(), out[1].data());
  };
  row.forward = [=](InD in, OutD out) {
    out.resize(1);
    ReferenceRopeQkNorm(shape, in[0].data(), in[1].data(), t->cos_double.data(), t->sin_double.data(),
                        t->position.data(), out[0].data(), static_cast<double*>(nullptr));
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> y(in[0].size()), inverse(Index(tokens * heads));
    ReferenceRopeQkNorm(shape, in[0].data(), in[1].data(), t->cos_double.data(), t->sin_double.data(),
                        t->position.data(), y.data(), inverse.data());
    ReferenceRopeQkNormBackward(shape, in[0].data(), in[1].data(), inverse.data(), t->cos_double.data(),
                                t->sin_double.data(), t->position.data(), d_out[0].data(), d_in[0].data(),
                                d_in[1].data());
  };
  row.bytes = 8.0 * static_cast<double>(tokens * heads * d);
  return row;
}

OpCase RopeBackwardOp(int64_t tokens, int64_t heads, int64_t d) {
  const RopeShape shape{tokens, heads, d, heads * d, heads * d, 1e-5f};
  const auto t = std::make_shared<RopeTables>(tokens, d);
  const auto scratch = std::make_shared<std::vector<float>>(Index(RopeQkNormBackwardScratch(tokens, d)));
  OpCase row;
  row.inputs = {tokens * heads * d, d, tokens * heads, tokens * heads * d};
  row.outputs = {tokens * heads * d, d};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    RopeQkNormBackward(shape, in[0].data(), in[1].data(), in[2].data(), t->cos.data(), t->sin.data(),
                       t->position.data(), in[3].data(), out[0].data(), nullptr, out[1].data(), scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceRopeQkNormBackward(shape, in[0].data(), in[1].data(), in[2].data(), t->cos.data(), t->sin.data(),
                                t->position.data(), in[3].data(), out[0].data(), out[1].data());
  };
  row.bytes = 12.0 * static_cast<double>(tokens * heads * d);
  return row;
}

OpCase SwiGluOp(int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {rows * width, rows * width};
  row.outputs = {rows * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    SwiGlu(in[0].data(), in[1].data(), width, rows, width, out[0].data(), nullptr, pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceSwiGlu(in[0].data(), in[1].data(), width, rows, width, out[0].data());
  };
  row.forward = [=](InD in, OutD out) {
    ReferenceSwiGlu(in[0].data(), in[1].data(), width, rows, width, out[0].data());
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    ReferenceSwiGluBackward(in[0].data(), in[1].data(), width, d_out[0].data(), rows, width, d_in[0].data(),
                            d_in[1].data());
  };
  row.bytes = 12.0 * static_cast<double>(rows * width);
  return row;
}

OpCase SwiGluBackwardOp(int64_t rows, int64_t width) {
  OpCase row;
  row.inputs = {rows * width, rows * width, rows * width};
  row.outputs = {rows * width, rows * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    SwiGluBackward(in[0].data(), in[1].data(), width, in[2].data(), rows, width, out[0].data(), out[1].data(), nullptr,
                   nullptr, pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceSwiGluBackward(in[0].data(), in[1].data(), width, in[2].data(), rows, width, out[0].data(), out[1].data());
  };
  row.bytes = 20.0 * static_cast<double>(rows * width);
  return row;
}

OpCase EmbeddingOp(int64_t vocab, int64_t tokens, int64_t width) {
  const auto ids = std::make_shared<std::vector<int32_t>>(DrawIds(tokens, static_cast<uint32_t>(vocab), 6));
  OpCase row;
  row.inputs = {vocab * width};
  row.outputs = {tokens * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    Embedding(in[0].data(), ids->data(), tokens, width, out[0].data(), nullptr, pool);
  };
  row.reference = [=](In in, Out out) { ReferenceEmbedding(in[0].data(), ids->data(), tokens, width, out[0].data()); };
  row.forward = [=](InD in, OutD out) { ReferenceEmbedding(in[0].data(), ids->data(), tokens, width, out[0].data()); };
  row.backward = [=](InD, InD d_out, OutD d_in) {
    ReferenceEmbeddingBackward(d_out[0].data(), ids->data(), tokens, width, d_in[0].data());
  };
  row.bytes = 8.0 * static_cast<double>(tokens * width);
  return row;
}

OpCase EmbeddingBackwardOp(int64_t vocab, int64_t tokens, int64_t width) {
  const auto ids = std::make_shared<std::vector<int32_t>>(DrawIds(tokens, static_cast<uint32_t>(vocab), 6));
  OpCase row;
  row.inputs = {tokens * width};
  row.outputs = {vocab * width};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    EmbeddingBackward(in[0].data(), ids->data(), tokens, width, out[0].data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceEmbeddingBackward(in[0].data(), ids->data(), tokens, width, out[0].data());
  };
  row.bytes = 12.0 * static_cast<double>(tokens * width);
  return row;
}

// Outputs: the gradient (which is also the working copy of the logits) and the losses. In double: the scaled total
// loss.
OpCase CrossEntropyOp(int64_t rows, int64_t vocab) {
  const auto targets = std::make_shared<std::vector<int32_t>>(DrawIds(rows, static_cast<uint32_t>(vocab), 7));
  (*targets)[Index(rows / 2)] = kIgnoredTarget;
  OpCase row;
  row.inputs = {rows * vocab};
  row.outputs = {rows * vocab, rows};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    std::copy(in[0].begin(), in[0].end(), out[0].begin());
    SoftmaxCrossEntropy(out[0].data(), vocab, targets->data(), rows, vocab, 0.25f, out[1].data(), nullptr, pool);
  };
  row.reference = [=](In in, Out out) {
    out[0] = in[0];
    ReferenceSoftmaxCrossEntropy(out[0].data(), vocab, targets->data(), rows, vocab, 0.25f, out[1].data());
  };
  row.forward = [=](InD in, OutD out) {
    std::vector<double> work = in[0], losses(Index(rows));
    ReferenceSoftmaxCrossEntropy(work.data(), vocab, targets->data(), rows, vocab, 0.25, losses.data());
    out = {{0.0}};
    for (const double loss : losses) out[0][0] += loss * 0.25;
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> losses(Index(rows));
    d_in[0] = in[0];
    ReferenceSoftmaxCrossEntropy(d_in[0].data(), vocab, targets->data(), rows, vocab, 0.25, losses.data());
    for (double& d : d_in[0]) d *= d_out[0][0];
  };
  row.bytes = 16.0 * static_cast<double>(rows * vocab);
  return row;
}

AttentionShape MakeAttentionShape(Profile profile, int64_t batch, int64_t time, int64_t heads, int64_t kv_heads,
                                  int64_t d) {
  const int64_t q = heads * d, k = kv_heads * d;
  return {batch, time, heads, kv_heads, d, q, k, k, q, static_cast<float>(1.0 / Sqrt(static_cast<double>(d))), profile};
}

// Documents of about 50 tokens in the small case; one document per row in the large one.
std::shared_ptr<std::vector<int32_t>> Documents(const AttentionShape& shape) {
  auto documents = std::make_shared<std::vector<int32_t>>(Index(shape.batch * shape.time));
  for (size_t t = 0; t < documents->size(); ++t) (*documents)[t] = shape.time < 512 ? static_cast<int32_t>(t / 51) : 0;
  return documents;
}

double VisiblePairs(const AttentionShape& shape) {
  return static_cast<double>(shape.batch * shape.heads) * static_cast<double>(shape.time * (shape.time + 1) / 2);
}

OpCase AttentionOp(const AttentionShape& shape) {
  const auto documents = Documents(shape);
  const auto scratch = std::make_shared<std::vector<float>>(Index(AttentionScratch(shape)));
  const int64_t tokens = shape.batch * shape.time;
  OpCase row;
  row.inputs = {tokens * shape.ldq, tokens * shape.ldk, tokens * shape.ldv};
  row.outputs = {tokens * shape.ldo, shape.batch * shape.heads * shape.time};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    Attention(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), out[0].data(), nullptr, out[1].data(),
              scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceAttention(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), out[0].data(),
                       out[1].data());
  };
  row.forward = [=](InD in, OutD out) {
    std::vector<double> lse(out[1].size());
    out.resize(1);
    ReferenceAttention(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), out[0].data(), lse.data());
  };
  row.backward = [=](InD in, InD d_out, OutD d_in) {
    std::vector<double> o(d_out[0].size()), lse(Index(shape.batch * shape.heads * shape.time));
    ReferenceAttention(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), o.data(), lse.data());
    ReferenceAttentionBackward(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), o.data(), lse.data(),
                               d_out[0].data(), d_in[0].data(), d_in[1].data(), d_in[2].data());
  };
  row.flops = VisiblePairs(shape) * 4.0 * static_cast<double>(shape.head_dim);
  return row;
}

OpCase AttentionBackwardOp(const AttentionShape& shape) {
  const auto documents = Documents(shape);
  const auto scratch = std::make_shared<std::vector<float>>(Index(AttentionBackwardScratch(shape)));
  const int64_t tokens = shape.batch * shape.time;
  OpCase row;
  row.inputs = {tokens * shape.ldq,
                tokens * shape.ldk,
                tokens * shape.ldv,
                tokens * shape.ldo,
                shape.batch * shape.heads * shape.time,
                tokens * shape.ldo};
  row.outputs = {tokens * shape.ldq, tokens * shape.ldk, tokens * shape.ldv};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    AttentionBackward(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), in[3].data(), in[4].data(),
                      in[5].data(), out[0].data(), out[1].data(), out[2].data(), scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceAttentionBackward(shape, in[0].data(), in[1].data(), in[2].data(), documents->data(), in[3].data(),
                               in[4].data(), in[5].data(), out[0].data(), out[1].data(), out[2].data());
  };
  row.flops = VisiblePairs(shape) * 10.0 * static_cast<double>(shape.head_dim);
  return row;
}

OpCase AdamWOp(int64_t count) {
  const AdamWStep step{.learning_rate = 1e-3, .weight_decay = 0.1, .step = 3};
  OpCase row;
  row.inputs = {count};
  row.outputs = {count, count, count};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    AdamW(step, out[0].data(), in[0].data(), out[1].data(), out[2].data(), nullptr, count, pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceAdamW(step, out[0].data(), in[0].data(), out[1].data(), out[2].data(), nullptr, count);
  };
  row.bytes = 28.0 * static_cast<double>(count);
  return row;
}

OpCase MuonOp(int64_t rows, int64_t cols, bool bf16_products) {
  const MuonStep step{.learning_rate = 0.02, .weight_decay = 0.1, .bf16_products = bf16_products};
  const auto scratch = std::make_shared<std::vector<float>>(Index(MuonScratch(rows, cols)));
  OpCase row;
  row.inputs = {rows * cols};
  row.outputs = {rows * cols, rows * cols};
  row.cpu = [=](In in, Out out, ThreadPool& pool) {
    Muon(step, out[0].data(), in[0].data(), out[1].data(), nullptr, rows, cols, scratch->data(), pool);
  };
  row.reference = [=](In in, Out out) {
    ReferenceMuon(step, out[0].data(), in[0].data(), out[1].data(), nullptr, rows, cols, scratch->data());
  };
  const auto small = static_cast<double>(std::min(rows, cols)), large = static_cast<double>(std::max(rows, cols));
  row.flops = 5.0 * (4.0 * small * small * large + 2.0 * small * small * small);
  return row;
}

OpCase EmaOp(int64_t count) {
  OpCase row;
  row.inputs = {count};
  row.outputs = {count};
  row.cpu = [=](In in, Out out, ThreadPool& pool) { Ema(0.99, in[0].data(), out[0].data(), count, pool); };
  row.reference = [=](In in, Out out) { ReferenceEma(0.99, in[0].data(), out[0].data(), count); };
  row.bytes = 12.0 * static_cast<double>(count);
  return row;
}

std::vector<OpRow> MakeTable() {
  constexpr auto kFma = Profile::kFma;
  constexpr auto kMuladd = Profile::kMuladd;
  constexpr double kGradient = 1e-7;
  const AttentionShape small_fma = MakeAttentionShape(kFma, 2, 131, 4, 2, 16);
  const AttentionShape small_muladd = MakeAttentionShape(kMuladd, 1, 131, 2, 1, 48);
  const AttentionShape large_fma = MakeAttentionShape(kFma, 4, 512, 4, 2, 64);
  const AttentionShape large_muladd = MakeAttentionShape(kMuladd, 4, 512, 4, 2, 64);
  // Extents of the large cases: 2048 tokens of width 256, feed-forward 768, vocabulary 8192.
  std::vector<OpRow> rows;
  rows.push_back({"matmul_nn", 0, kGradient, MatMulF32Op(MatMulOp::kNN, kFma, 19, 35, 27),
                  MatMulF32Op(MatMulOp::kNN, kFma, 2048, 256, 768)});
  rows.push_back({"matmul_nt", 0, kGradient, MatMulF32Op(MatMulOp::kNT, kFma, 19, 35, 27),
                  MatMulF32Op(MatMulOp::kNT, kFma, 2048, 768, 256)});
  rows.push_back({"matmul_tn", 0, kGradient, MatMulF32Op(MatMulOp::kTN, kFma, 19, 35, 27),
                  MatMulF32Op(MatMulOp::kTN, kFma, 768, 256, 2048)});
  rows.push_back({"matmul_nt_muladd", 0, kGradient, MatMulF32Op(MatMulOp::kNT, kMuladd, 19, 35, 27),
                  MatMulF32Op(MatMulOp::kNT, kMuladd, 2048, 768, 256)});
  rows.push_back(
      {"matmul_bf16_nn", 0, 0, MatMulBF16Op(MatMulOp::kNN, 19, 35, 27), MatMulBF16Op(MatMulOp::kNN, 2048, 256, 768)});
  rows.push_back(
      {"matmul_bf16_nt", 0, 0, MatMulBF16Op(MatMulOp::kNT, 19, 35, 27), MatMulBF16Op(MatMulOp::kNT, 2048, 768, 256)});
  rows.push_back(
      {"matmul_bf16_tn", 0, 0, MatMulBF16Op(MatMulOp::kTN, 19, 35, 27), MatMulBF16Op(MatMulOp::kTN, 768, 256, 2048)});
  rows.push_back({"exp", 0, 0, ArrayOp(&ExpArray, &Exp, false, 1003), ArrayOp(&ExpArray, &Exp, false, 1 << 19)});
  rows.push_back({"log", 0, 0, ArrayOp(&LogArray, &Log, true, 1003), ArrayOp(&LogArray, &Log, true, 1 << 19)});
  rows.push_back({"tanh", 0, 0, ArrayOp(&TanhArray, &Tanh, false, 1003), ArrayOp(&TanhArray, &Tanh, false, 1 << 19)});
  rows.push_back(
      {"rsqrt", 0, 0, ArrayOp(&RsqrtArray, &Rsqrt, true, 1003), ArrayOp(&RsqrtArray, &Rsqrt, true, 1 << 19)});
  rows.push_back({"add", 0, 0, AddOp(20011), AddOp(1 << 19)});
  rows.push_back({"sum_of_squares", 0, 0, SumOfSquaresOp(50021), SumOfSquaresOp(1 << 21)});
  rows.push_back({"rms_norm", 0, kGradient, RmsNormOp(131, 37), RmsNormOp(2048, 256)});
  rows.push_back({"rms_norm_backward", 0, 0, RmsNormBackwardOp(131, 37), RmsNormBackwardOp(2048, 256)});
  rows.push_back({"rope_qk_norm", 0, kGradient, RopeOp(71, 3, 48), RopeOp(2048, 4, 64)});
  rows.push_back({"rope_qk_norm_backward", 0, 0, RopeBackwardOp(71, 3, 48), RopeBackwardOp(2048, 4, 64)});
  rows.push_back({"attention", 0, kGradient, AttentionOp(small_fma), AttentionOp(large_fma)});
  rows.push_back({"attention_muladd", 0, kGradient, AttentionOp(small_muladd), AttentionOp(large_muladd)});
  rows.push_back({"attention_backward", 0, 0, AttentionBackwardOp(small_fma), AttentionBackwardOp(large_fma)});
  rows.push_back(
      {"attention_backward_muladd", 0, 0, AttentionBackwardOp(small_muladd), AttentionBackwardOp(large_muladd)});
  rows.push_back({"swiglu", 0, kGradient, SwiGluOp(31, 53), SwiGluOp(2048, 768)});
  rows.push_back({"swiglu_backward", 0, 0, SwiGluBackwardOp(31, 53), SwiGluBackwardOp(2048, 768)});
  rows.push_back({"embedding", 0, kGradient, EmbeddingOp(29, 101, 37), EmbeddingOp(8192, 2048, 256)});
  rows.push_back({"embedding_backward", 0, 0, EmbeddingBackwardOp(29, 101, 37), EmbeddingBackwardOp(8192, 2048, 256)});
  rows.push_back({"softmax_cross_entropy", 0, kGradient, CrossEntropyOp(13, 97), CrossEntropyOp(256, 8192)});
  rows.push_back({"adamw", 0, 0, AdamWOp(20011), AdamWOp(1 << 21)});
  rows.push_back({"muon", 0, 0, MuonOp(24, 40, false), MuonOp(256, 768, false)});
  rows.push_back({"muon_bf16", 0, 0, MuonOp(24, 40, true), MuonOp(256, 768, true)});
  rows.push_back({"ema", 0, 0, EmaOp(20011), EmaOp(1 << 21)});
  AddRecursiveOps(rows);
  return rows;
}

OpValues<float> DrawInputs(const OpCase& op) {
  OpValues<float> inputs;
  for (size_t i = 0; i < op.inputs.size(); ++i) inputs.push_back(Draw(op.inputs[i], 100 + i));
  return inputs;
}

}  // namespace

const std::vector<OpRow>& OpTable() {
  static const std::vector<OpRow> table = MakeTable();
  return table;
}

std::string CompareBackends(const OpRow& row, ThreadPool& pool) {
  const OpValues<float> inputs = DrawInputs(row.small);
  OpValues<float> got, expected;
  // Outputs that are added to start from the same positive contents on both sides.
  for (const int64_t size : row.small.outputs) {
    std::vector<float> start = Draw(size, 200);
    for (float& x : start) x = x * 0.4f + 0.5f;
    got.push_back(start);
    expected.push_back(start);
  }
  row.small.cpu(inputs, got, pool);
  row.small.reference(inputs, expected);
  for (size_t o = 0; o < got.size(); ++o) {
    for (size_t i = 0; i < got[o].size(); ++i) {
      const float a = got[o][i], b = expected[o][i];
      const bool same = row.tolerance == 0 ? std::memcmp(&a, &b, sizeof a) == 0
                                           : std::fabs(static_cast<double>(a) - b) <= row.tolerance;
      if (!same) {
        return "output " + std::to_string(o) + "[" + std::to_string(i) + "]: " + std::to_string(a) + ", expected " +
               std::to_string(b);
      }
    }
  }
  return {};
}

double GradientError(const OpRow& row) {
  const OpCase& op = row.small;
  if (!op.forward) return 0;
  OpValues<double> inputs;
  for (const auto& input : DrawInputs(op)) inputs.emplace_back(input.begin(), input.end());
  const auto run = [&op](const OpValues<double>& in) {
    OpValues<double> out = Zeros<double>(op.outputs);
    op.forward(in, out);
    return out;
  };
  OpValues<double> d_out;
  for (const auto& output : run(inputs)) {
    const std::vector<float> weights = Draw(static_cast<int64_t>(output.size()), 300);
    d_out.emplace_back(weights.begin(), weights.end());
  }
  const auto objective = [&](const OpValues<double>& in) {
    double total = 0;
    const OpValues<double> out = run(in);
    for (size_t o = 0; o < out.size(); ++o) {
      for (size_t i = 0; i < out[o].size(); ++i) total += d_out[o][i] * out[o][i];
    }
    return total;
  };
  OpValues<double> d_in = Zeros<double>(op.inputs);
  op.backward(inputs, d_out, d_in);

  constexpr double kStep = 1e-4;
  constexpr uint32_t kSamples = 12;  // a full sweep of attention would take minutes
  double worst = 0;
  for (size_t k = 0; k < inputs.size(); ++k) {
    double largest = 1e-30;
    for (const double d : d_in[k]) largest = std::max(largest, std::fabs(d));
    for (const int32_t sample : DrawIds(kSamples, static_cast<uint32_t>(inputs[k].size()), 400 + k)) {
      double& x = inputs[k][static_cast<size_t>(sample)];
      const double before = x;
      // Fourth order: the error of the difference itself stays below the tolerance.
      double difference = 0;
      for (const auto& [step, weight] :
           {std::pair{-2.0, 1.0}, std::pair{-1.0, -8.0}, std::pair{1.0, 8.0}, std::pair{2.0, -1.0}}) {
        x = before + step * kStep;
        difference += weight * objective(inputs);
      }
      x = before;
      difference /= 12 * kStep;
      worst = std::max(worst, std::fabs(difference - d_in[k][static_cast<size_t>(sample)]) / largest);
    }
  }
  return worst;
}

std::vector<OpSpeed> RunOpSpeed(ThreadPool& pool, int samples) {
  std::vector<OpSpeed> speeds;
  for (const OpRow& row : OpTable()) {
    const OpValues<float> inputs = DrawInputs(row.large);
    OpValues<float> outputs = Zeros<float>(row.large.outputs);
    double best = 1e30;
    for (int i = 0; i < samples; ++i) {
      const auto start = std::chrono::steady_clock::now();
      row.large.cpu(inputs, outputs, pool);
      best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
    }
    speeds.push_back({row.name, best, row.large.bytes / best, row.large.flops / best});
  }
  return speeds;
}

}  // namespace pintle
