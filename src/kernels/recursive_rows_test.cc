// The kernels of recursive models against their plain definitions, bit for bit, on every instruction set: norms over
// rows and columns, compact SwiGLU, unmasked attention, stablemax, AdamATan2.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/full_attention.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/stablemax.h"
#include "kernels/swiglu.h"
#include "kernels/swiglu_kept.h"
#include "kernels/test_support.h"
#include "kernels/unit_norm.h"

namespace pintle::kernels {
namespace {

using Floats = std::vector<float>;
using Halves = std::vector<bf16>;

Floats Zeros(int64_t count) { return Floats(static_cast<size_t>(count)); }
Halves Round(const Floats& x) {
  Halves y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = ReferenceToBF16(x[i]);
  return y;
}
Floats Widen(const Halves& x) {
  Floats y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const uint32_t bits = uint32_t{x[i]} << 16;
    std::memcpy(&y[i], &bits, 4);
  }
  return y;
}

}  // namespace

TEST_CASE("unit norms equal their definition, forward and backward") {
  constexpr int64_t kRows = 19, kWidth = 83, kCount = kRows * kWidth;
  const Floats x = RandomFloats(kCount, 1, 3.0f), dy = RandomFloats(kCount, 2), add = RandomFloats(kCount, 3);
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    for (const bool rows : {true, false}) {
      const int64_t inverses = rows ? kRows : kWidth;
      Floats expected = Zeros(kCount), expected_inverse = Zeros(inverses), expected_dx = Zeros(kCount);
      (rows ? ReferenceUnitNormRows<float> : ReferenceUnitNormColumns<float>)(x.data(), 1e-5f, kRows, kWidth,
                                                                              expected.data(), expected_inverse.data());
      ThreadPool pool(2);
      Floats y = Zeros(kCount), inverse = Zeros(inverses), next = Zeros(kCount), dx = Zeros(kCount);
      Halves y16(kCount), next16(kCount), dx16(kCount);
      const UnitNormOutput out = {y.data(), y16.data(), inverse.data(), add.data(), next.data(), next16.data()};
      (rows ? UnitNormRows : UnitNormColumns)(x.data(), 1e-5f, kRows, kWidth, out, pool);
      CHECK(SameBits(y, expected));
      CHECK(SameBits(inverse, expected_inverse));
      CHECK(SameBits(y16, Round(expected)));
      Floats sum = Zeros(kCount);
      ReferenceAdd(expected.data(), add.data(), sum.data(), nullptr, kCount);
      CHECK(SameBits(next, sum));
      CHECK(SameBits(next16, Round(sum)));

      const auto reference = rows ? ReferenceUnitNormRowsBackward<float> : ReferenceUnitNormColumnsBackward<float>;
      const auto backward = rows ? UnitNormRowsBackward : UnitNormColumnsBackward;
      reference(expected.data(), inverse.data(), dy.data(), kRows, kWidth, expected_dx.data());
      backward({y.data(), nullptr}, inverse.data(), dy.data(), kRows, kWidth, dx.data(), dx16.data(), pool);
      CHECK(SameBits(dx, expected_dx));
      CHECK(SameBits(dx16, Round(expected_dx)));
      reference(Widen(y16).data(), inverse.data(), dy.data(), kRows, kWidth, expected_dx.data());
      dx = dy;
      backward({nullptr, y16.data()}, inverse.data(), dx.data(), kRows, kWidth, dx.data(), nullptr, pool);
      CHECK(SameBits(dx, expected_dx));
    }
  });
}

TEST_CASE("compact SwiGLU has the arithmetic of SwiGLU") {
  for (const int64_t rows : {int64_t{1}, int64_t{7}}) {
    constexpr int64_t kWidth = 45;
    const int64_t ld = 2 * kWidth, count = rows * kWidth;
    const Floats x = RandomFloats(rows * ld, 4, 4.0f), dy = RandomFloats(count, 5);
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      ThreadPool pool(2);
      Floats y = Zeros(count);
      Halves y16(static_cast<size_t>(count)), kept(static_cast<size_t>(rows * ld));
      ReferenceSwiGlu(x.data(), x.data() + kWidth, ld, rows, kWidth, y.data());
      SwiGluKeep(x.data(), x.data() + kWidth, ld, rows, kWidth, y16.data(), kept.data(), kept.data() + kWidth, pool);
      CHECK(SameBits(y16, Round(y)));
      CHECK(SameBits(kept, Round(x)));

      const Floats rounded = Widen(kept);
      Floats expected = Zeros(rows * ld), again = Zeros(count);
      ReferenceSwiGlu(rounded.data(), rounded.data() + kWidth, ld, rows, kWidth, y.data());
      ReferenceSwiGluBackward(rounded.data(), rounded.data() + kWidth, ld, dy.data(), rows, kWidth, expected.data(),
                              expected.data() + kWidth);
      Floats in_place = rounded;
      SwiGluBackwardInPlace(in_place.data(), in_place.data() + kWidth, ld, dy.data(), rows, kWidth, again.data(), pool);
      CHECK(SameBits(in_place, expected));
      CHECK(SameBits(again, y));
      SwiGluBackwardInPlace(kept.data(), kept.data() + kWidth, ld, dy.data(), rows, kWidth, y16.data(), pool);
      CHECK(SameBits(kept, Round(expected)));
      CHECK(SameBits(y16, Round(y)));
    });
  }
}

TEST_CASE("unmasked attention equals its definition") {
  for (const Profile profile : {Profile::kFma, Profile::kMuladd}) {
    const FullAttentionShape shape = {37, 3, 8, 0.35f, profile};
    const int64_t width = shape.heads * shape.head_dim, count = shape.time * width;
    const Floats qkv = RandomFloats(3 * count, 6, 2.0f), dout = RandomFloats(count, 7);
    Floats expected = Zeros(count), expected_lse = Zeros(shape.heads * shape.time), expected_d = Zeros(3 * count);
    ReferenceFullAttention(shape, qkv.data(), expected.data(), expected_lse.data());
    ReferenceFullAttentionBackward(shape, qkv.data(), expected_lse.data(), dout.data(), expected_d.data());
    ForEachTarget([&](Target target) {
      CAPTURE(std::string(TargetName(target)));
      ThreadPool pool(2);
      Floats o = Zeros(count), lse = Zeros(shape.heads * shape.time), d = Zeros(3 * count);
      Floats scratch = Zeros(FullAttentionScratch(shape));
      Halves o16(static_cast<size_t>(count));
      FullAttention(shape, qkv.data(), o.data(), o16.data(), lse.data(), scratch.data(), pool);
      CHECK(SameBits(o, expected));
      CHECK(SameBits(o16, Round(expected)));
      CHECK(SameBits(lse, expected_lse));
      FullAttentionBackward(shape, qkv.data(), lse.data(), dout.data(), d.data(), scratch.data(), pool);
      CHECK(SameBits(d, expected_d));
    });
  }
}

TEST_CASE("stablemax: value, gradient by finite difference, and a sure model still learns") {
  const Floats x = {0.5f, -3.0f, 2.0f, 0.0f, -0.25f};
  Floats d(x.size());
  Halves d16(x.size());
  const double loss = StablemaxCrossEntropy(x.data(), 5, 1, 2.0, d.data(), d16.data());
  CHECK(loss == doctest::Approx(-std::log(0.25 / (1.5 + 0.25 + 3 + 1 + 0.8))));
  CHECK(SameBits(d16, Round(d)));
  for (size_t i = 0; i < x.size(); ++i) {
    Floats up = x, down = x;
    up[i] += 0x1p-10f;
    down[i] -= 0x1p-10f;
    const double difference = (StablemaxCrossEntropy(up.data(), 5, 1, 0, nullptr, nullptr) -
                               StablemaxCrossEntropy(down.data(), 5, 1, 0, nullptr, nullptr)) *
                              0x1p9;
    CHECK(static_cast<double>(d[i]) == doctest::Approx(2 * difference).epsilon(2e-3));
  }
  double p[5];
  Stablemax(x.data(), 5, p);
  CHECK(-std::log(p[1]) == doctest::Approx(loss));
  double slope;
  CHECK(BinaryCrossEntropy(-5, true, &slope) == doctest::Approx(5.0067153));
  CHECK(slope == doctest::Approx(-0.9933071));
  CHECK(BinaryCrossEntropy(800, false, &slope) == doctest::Approx(800));
  CHECK(slope == doctest::Approx(1));
}

TEST_CASE("atan2 within three ulp, and AdamATan2 equal to its definition") {
  for (const float y : {0.0f, 1e-30f, 0.1f, 1.0f, 3.0f, -2.0f, 1e20f}) {
    for (const float x : {0.0f, 1e-30f, 0.5f, 1.0f, 7.0f, 1e25f}) {
      const double exact = std::atan2(static_cast<double>(y), static_cast<double>(x));
      CHECK(std::fabs(static_cast<double>(Atan2(y, x)) - exact) <= std::fabs(exact) * 3e-7 + 1e-38);
    }
  }
  constexpr int64_t kCount = 1003;
  Floats gradient = RandomFloats(kCount, 8, 0.01f);
  gradient[5] = 0;
  ForEachTarget([&](Target target) {
    CAPTURE(std::string(TargetName(target)));
    ThreadPool pool(3);
    Floats w = RandomFloats(kCount, 9), m = Zeros(kCount), v = Zeros(kCount);
    Floats expected = w, expected_m = m, expected_v = v;
    Halves w16(kCount), expected16(kCount);
    for (int64_t step = 1; step <= 3; ++step) {
      const AdamAtan2Step constants = {1e-2, 0.9, 0.95, 0.1, step, 0.5f};
      AdamAtan2(constants, w.data(), gradient.data(), m.data(), v.data(), w16.data(), kCount, pool);
      ReferenceAdamAtan2(constants, expected.data(), gradient.data(), expected_m.data(), expected_v.data(),
                         expected16.data(), kCount);
    }
    CHECK(SameBits(w, expected));
    CHECK(SameBits(m, expected_m));
    CHECK(SameBits(v, expected_v));
    CHECK(SameBits(w16, expected16));
  });
  Floats row = {1, 1, 1};
  const Floats g = {-0.5f, 0.0f, 2.0f};
  SignSgd(0.1, 0.5, row.data(), g.data(), 3);
  CHECK(row[0] == doctest::Approx(1.05));
  CHECK(row[1] == doctest::Approx(0.95));
  CHECK(row[2] == doctest::Approx(0.85));
}

}  // namespace pintle::kernels
