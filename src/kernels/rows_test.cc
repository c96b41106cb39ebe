// The row kernels against their plain definitions, bit for bit, on every instruction set, with widths that leave
// remainders; and the properties that training relies on: micro-batches, threads, in-place use.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/math.h"
#include "kernels/reduce.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/swiglu.h"
#include "kernels/test_support.h"

namespace pintle::kernels {
namespace {

std::vector<bf16> ToBF16(const std::vector<float>& x) {
  std::vector<bf16> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = ReferenceToBF16(x[i]);
  return y;
}

}  // namespace

TEST_CASE("reductions equal their definition for every length") {
  ForEachTarget([](Target target) {
    CAPTURE(std::string(TargetName(target)));
    for (int64_t count = 0; count < 200; ++count) {
      const auto x = RandomFloats(count, 1, 3.0f), y = RandomFloats(count, 2);
      CHECK(Sum(x.data(), count) == ReferenceSum(x.data(), count));
      CHECK(Dot(x.data(), y.data(), count) == ReferenceDot(x.data(), y.data(), count));
      CHECK(Max(x.data(), count) == ReferenceMax(x.data(), count));
    }
  });
}

TEST_CASE("the sum of squares does not depend on threads") {
  const auto x = RandomFloats(100003, 3);
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    CHECK(SumOfSquares(x.data(), 100003, pool) == ReferenceSumOfSquares(x.data(), 100003));
  }
}

TEST_CASE("bf16 rounding: ties to even, NaN, infinity") {
  CHECK(ReferenceToBF16(1.0f) == 0x3F80);
  CHECK(ReferenceToBF16(1.00390625f) == 0x3F80);  // half a step above an even value
  CHECK(ReferenceToBF16(1.01171875f) == 0x3F82);  // half a step above an odd value
  CHECK(ReferenceToBF16(__builtin_inff()) == 0x7F80);
  CHECK(ReferenceToBF16(3.4028235e38f) == 0x7F80);
  CHECK((ReferenceToBF16(__builtin_nanf("")) & 0x7FC0) == 0x7FC0);
  std::vector<float> x = RandomFloats(1000, 4, 1e6f);
  const uint32_t special[] = {0x7F800001, 0xFFFFFFFF, 0x7F7FFFFF, 0x00000001, 0x80000000, 0x3F808000, 0x3F818000};
  for (size_t i = 0; i < std::size(special); ++i) std::memcpy(&x[i * 7], &special[i], 4);
  const std::vector<float> zero(x.size(), -0.0f);
  const std::vector<bf16> expected = ToBF16(x);
  ThreadPool pool(1);
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    std::vector<float> y(x.size());
    std::vector<bf16> rounded(x.size()), converted(x.size());
    Add(x.data(), zero.data(), y.data(), rounded.data(), 1000, pool);
    // Signalling NaNs become quiet in the addition, as they do in the rounding.
    CHECK(SameBits(rounded, expected));
    ConvertF32ToBF16(x.data(), converted.data(), 1000, pool);
    CHECK(SameBits(converted, expected));
  });
}

TEST_CASE("element-wise passes") {
  ThreadPool pool(3);
  const int64_t count = 50001;
  const auto a = RandomFloats(count, 5), b = RandomFloats(count, 6);
  std::vector<float> expected(a.size());
  std::vector<bf16> expected_bf16(a.size());
  ReferenceAdd(a.data(), b.data(), expected.data(), expected_bf16.data(), count);
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    std::vector<float> y = a, z = b;
    std::vector<bf16> y_bf16(a.size());
    Add(y.data(), b.data(), y.data(), y_bf16.data(), count, pool);
    CHECK(SameBits(y, expected));
    CHECK(SameBits(y_bf16, expected_bf16));
    Scale(a.data(), 0.3f, y.data(), count, pool);
    ReferenceScale(a.data(), 0.3f, z.data(), count);
    CHECK(SameBits(y, z));
    y = b, z = b;
    ScaleAdd(0.7f, a.data(), -1.3f, y.data(), count, pool);
    ReferenceScaleAdd(0.7f, a.data(), -1.3f, z.data(), count);
    CHECK(SameBits(y, z));
    Fill(y.data(), 2.5f, count, pool);
    CHECK(y == std::vector<float>(y.size(), 2.5f));
  });
}

TEST_CASE("RMSNorm forward and backward equal their definition") {
  ThreadPool pool(2);
  for (const int64_t width : {1, 16, 47, 48, 256}) {
    const int64_t rows = 131;
    const auto x = RandomFloats(rows * width, 7), gain = RandomFloats(width, 8), dy = RandomFloats(rows * width, 9);
    const auto past = RandomFloats(rows * width, 10);
    std::vector<float> y(x.size()), inverse(static_cast<size_t>(rows)), dx(x.size());
    std::vector<float> dgain(static_cast<size_t>(width), 0.5f);
    ReferenceRmsNorm(x.data(), gain.data(), 1e-6f, rows, width, y.data(), inverse.data());
    ReferenceRmsNormBackward(x.data(), gain.data(), inverse.data(), dy.data(), rows, width, past.data(), dx.data(),
                             dgain.data());
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      CAPTURE(width);
      std::vector<float> y2(x.size()), inverse2(inverse.size()), dx2 = past, dgain2(dgain.size(), 0.5f);
      std::vector<float> scratch(static_cast<size_t>(RmsNormBackwardScratch(rows, width)));
      std::vector<bf16> half(x.size());
      RmsNorm(x.data(), gain.data(), 1e-6f, rows, width, y2.data(), half.data(), inverse2.data(), pool);
      CHECK(SameBits(y2, y));
      CHECK(SameBits(inverse2, inverse));
      CHECK(SameBits(half, ToBF16(y)));
      RmsNormBackward(x.data(), gain.data(), inverse.data(), dy.data(), rows, width, dx2.data(), dx2.data(),
                      half.data(), dgain2.data(), scratch.data(), pool);
      CHECK(SameBits(dx2, dx));
      CHECK(SameBits(half, ToBF16(dx)));
      CHECK(SameBits(dgain2, dgain));
    });
  }
}

TEST_CASE("the gain gradient of four micro-batches is that of one batch") {
  ThreadPool pool(2);
  const int64_t rows = 512, width = 80;
  const auto x = RandomFloats(rows * width, 11), gain = RandomFloats(width, 12), dy = RandomFloats(rows * width, 13);
  std::vector<float> y(x.size()), dx(x.size()), inverse(static_cast<size_t>(rows));
  std::vector<float> whole(static_cast<size_t>(width)), parts(static_cast<size_t>(width));
  std::vector<float> scratch(static_cast<size_t>(RmsNormBackwardScratch(rows, width)));
  RmsNorm(x.data(), gain.data(), 1e-6f, rows, width, y.data(), nullptr, inverse.data(), pool);
  RmsNormBackward(x.data(), gain.data(), inverse.data(), dy.data(), rows, width, nullptr, dx.data(), nullptr,
                  whole.data(), scratch.data(), pool);
  for (int64_t row = 0; row < rows; row += 128) {
    RmsNormBackward(x.data() + row * width, gain.data(), inverse.data() + row, dy.data() + row * width, 128, width,
                    nullptr, dx.data() + row * width, nullptr, parts.data(), scratch.data(), pool);
  }
  CHECK(SameBits(parts, whole));
}

TEST_CASE("RoPE with QK-norm equals its definition") {
  ThreadPool pool(2);
  for (const int64_t d : {2, 16, 48, 64, 128}) {
    for (const bool with_gain : {true, false}) {
      const int64_t tokens = 150, heads = 3, positions = 40;
      const RopeShape shape{tokens, heads, d, heads * d + 5, heads * d, 1e-6f};
      const auto x = RandomFloats(tokens * shape.ldx, 14), gain = RandomFloats(d, 15),
                 dy = RandomFloats(tokens * shape.ldy, 16);
      const float* g = with_gain ? gain.data() : nullptr;
      std::vector<int32_t> position(static_cast<size_t>(tokens));
      for (size_t t = 0; t < position.size(); ++t) position[t] = static_cast<int32_t>(t % positions);
      std::vector<double> frequency(static_cast<size_t>(d / 2));
      RopeFrequencies(10000.0, d, frequency.data());
      std::vector<float> cos(static_cast<size_t>(positions * d / 2)), sin = cos;
      RopeTable(frequency.data(), d, positions, cos.data(), sin.data());
      std::vector<float> y(dy.size()), inverse(static_cast<size_t>(tokens * heads), 0.0f), dx = x;
      std::vector<float> dgain(static_cast<size_t>(d), 0.25f);
      ReferenceRopeQkNorm(shape, x.data(), g, cos.data(), sin.data(), position.data(), y.data(), inverse.data());
      ReferenceRopeQkNormBackward(shape, x.data(), g, inverse.data(), cos.data(), sin.data(), position.data(),
                                  dy.data(), dx.data(), dgain.data());
      ForEachTarget([&](Target target) {
        CAPTURE(std::string(TargetName(target)));
        CAPTURE(d);
        std::vector<float> y2(y.size()), inverse2(inverse.size(), 0.0f), dx2 = x, dgain2(dgain.size(), 0.25f);
        std::vector<float> scratch(static_cast<size_t>(RopeQkNormBackwardScratch(tokens, d)));
        std::vector<bf16> half = ToBF16(x);
        RopeQkNorm(shape, x.data(), g, cos.data(), sin.data(), position.data(), y2.data(), inverse2.data(), pool);
        CHECK(SameBits(y2, y));
        CHECK(SameBits(inverse2, inverse));
        RopeQkNormBackward(shape, x.data(), g, inverse.data(), cos.data(), sin.data(), position.data(), dy.data(),
                           dx2.data(), half.data(), dgain2.data(), scratch.data(), pool);
        CHECK(SameBits(dx2, dx));
        CHECK(SameBits(half, ToBF16(dx)));
        CHECK(SameBits(dgain2, dgain));
      });
    }
  }
}

TEST_CASE("the RoPE table is the rounded exact value") {
  std::vector<double> frequency(32);
  RopeFrequencies(1e6, 64, frequency.data());
  const int64_t positions = 5000;
  std::vector<float> cos(static_cast<size_t>(positions * 32)), sin = cos;
  RopeTable(frequency.data(), 64, positions, cos.data(), sin.data());
  for (int64_t p = 0; p < positions; p += 7) {
    for (int64_t i = 0; i < 32; ++i) {
      const double angle = static_cast<double>(p) * std::pow(1e6, -2.0 * static_cast<double>(i) / 64);
      CHECK(std::fabs(cos[static_cast<size_t>(p * 32 + i)] - std::cos(angle)) < 6.1e-8);
      CHECK(std::fabs(sin[static_cast<size_t>(p * 32 + i)] - std::sin(angle)) < 6.1e-8);
    }
  }
}

TEST_CASE("SwiGLU forward and backward equal their definition") {
  ThreadPool pool(2);
  for (const int64_t width : {5, 64, 80}) {
    const int64_t rows = 33, ld = 2 * width + 3;
    auto in = RandomFloats(rows * ld, 17, 8.0f);
    in[0] = -200.0f, in[1] = 200.0f, in[2] = -0.0f;
    const auto dy = RandomFloats(rows * width, 18);
    std::vector<float> y(dy.size()), dx = in;
    ReferenceSwiGlu(in.data(), in.data() + width, ld, rows, width, y.data());
    ReferenceSwiGluBackward(in.data(), in.data() + width, ld, dy.data(), rows, width, dx.data(), dx.data() + width);
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      std::vector<float> y2(y.size()), dx2 = in;
      std::vector<bf16> half(y.size()), dx_half = ToBF16(in);
      SwiGlu(in.data(), in.data() + width, ld, rows, width, y2.data(), half.data(), pool);
      CHECK(SameBits(y2, y));
      CHECK(SameBits(half, ToBF16(y)));
      SwiGluBackward(dx2.data(), dx2.data() + width, ld, dy.data(), rows, width, dx2.data(), dx2.data() + width,
                     dx_half.data(), dx_half.data() + width, pool);
      CHECK(SameBits(dx2, dx));
      CHECK(SameBits(dx_half, ToBF16(dx)));
    });
  }
}

TEST_CASE("embedding rows and their gradient in token order") {
  const int64_t vocab = 37, width = 50, tokens = 300;
  const auto table = RandomFloats(vocab * width, 19), dy = RandomFloats(tokens * width, 20);
  std::vector<int32_t> ids(static_cast<size_t>(tokens));
  for (size_t t = 0; t < ids.size(); ++t) ids[t] = static_cast<int32_t>(t * t % 37);
  std::vector<float> y(dy.size()), gradient(table.size(), 0.125f);
  ReferenceEmbedding(table.data(), ids.data(), tokens, width, y.data());
  ReferenceEmbeddingBackward(dy.data(), ids.data(), tokens, width, gradient.data());
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      std::vector<float> y2(y.size()), gradient2(table.size(), 0.125f);
      std::vector<bf16> half(y.size());
      Embedding(table.data(), ids.data(), tokens, width, y2.data(), half.data(), pool);
      CHECK(SameBits(y2, y));
      CHECK(SameBits(half, ToBF16(y)));
      // Two micro-batches.
      EmbeddingBackward(dy.data(), ids.data(), 111, width, gradient2.data(), pool);
      EmbeddingBackward(dy.data() + 111 * width, ids.data() + 111, tokens - 111, width, gradient2.data(), pool);
      CHECK(SameBits(gradient2, gradient));
    }
  });
}

TEST_CASE("softmax cross-entropy equals its definition") {
  ThreadPool pool(2);
  for (const int64_t vocab : {7, 61, 97, 512}) {
    const int64_t rows = 40, ld = vocab + 3;
    const auto logits = RandomFloats(rows * ld, 21, 20.0f);
    std::vector<int32_t> targets(static_cast<size_t>(rows));
    for (size_t r = 0; r < targets.size(); ++r) {
      targets[r] = r % 5 == 3 ? kIgnoredTarget : static_cast<int32_t>(r * 31 % static_cast<size_t>(vocab));
    }
    std::vector<float> gradient = logits, losses(targets.size());
    ReferenceSoftmaxCrossEntropy(gradient.data(), ld, targets.data(), rows, vocab, 1.0f / 123, losses.data());
    CHECK(losses[3] == 0.0f);
    CHECK(gradient[static_cast<size_t>(3 * ld)] == 0.0f);
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      CAPTURE(vocab);
      std::vector<float> gradient2 = logits, losses2(losses.size()), scratch = logits;
      std::vector<bf16> half = ToBF16(logits);
      SoftmaxCrossEntropy(gradient2.data(), ld, targets.data(), rows, vocab, 1.0f / 123, losses2.data(), nullptr, pool);
      CHECK(SameBits(gradient2, gradient));
      CHECK(SameBits(losses2, losses));
      SoftmaxCrossEntropy(scratch.data(), ld, targets.data(), rows, vocab, 1.0f / 123, losses2.data(), half.data(),
                          pool);
      CHECK(SameBits(losses2, losses));
      CHECK(SameBits(half, ToBF16(gradient)));
      SoftmaxCrossEntropyLoss(logits.data(), ld, targets.data(), rows, vocab, losses2.data(), pool);
      CHECK(SameBits(losses2, losses));
    });
    double total = 0;
    for (const float loss : losses) total += loss;
    CHECK(SumLosses(losses.data(), rows) == total);
  }
}

}  // namespace pintle::kernels
