// Every vector kernel against the plain definition, bit for bit: instruction sets, orientations, odd extents, leading
// dimensions, accumulation, epilogues, threads, and the corners of bf16.
#include "kernels/matmul.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "kernels/matmul_hash.h"
#include "kernels/matmul_kernel.h"
#include "kernels/matmul_scalar.h"
#include "kernels/target.h"

namespace pintle::kernels {
namespace {

/// Puts the target back at the end of a test.
class TargetScope {
 public:
  TargetScope() : before_(ActiveTarget()) {}
  ~TargetScope() { SetTarget(before_); }
  TargetScope(const TargetScope&) = delete;
  TargetScope& operator=(const TargetScope&) = delete;

 private:
  Target before_;
};

std::vector<Target> Targets() {
  TargetScope scope;
  std::vector<Target> targets;
  for (const Target target : {Target::kPortable, Target::kNeon, Target::kAvx2, Target::kAvx512, Target::kAvx512Bf16}) {
    if (SetTarget(target)) targets.push_back(target);
  }
  return targets;
}

enum class Type { kFma, kMuladd, kBF16 };

struct Problem {
  MatMulShape shape;
  std::vector<float> a, b, c, bias, residual;
  std::vector<bf16> a16, b16;
};

Problem Make(MatMulOp op, int64_t m, int64_t n, int64_t k, int64_t pad, bool accumulate) {
  Problem p{
      {op, m, n, k, (op == MatMulOp::kTN ? m : k) + pad, (op == MatMulOp::kNT ? k : n) + pad, n + pad, accumulate},
      {},
      {},
      {},
      {},
      {},
      {},
      {}};
  // Rows with padding, and not one element more: address sanitizer sees every overrun.
  const auto fill = [pad](uint64_t seed, int64_t rows, int64_t ld) {
    std::vector<float> values(static_cast<size_t>(rows > 0 ? rows * ld - pad : 0));
    FillUniform(seed, static_cast<int64_t>(values.size()), values.data());
    return values;
  };
  p.a = fill(1, op == MatMulOp::kTN ? k : m, p.shape.lda);
  p.b = fill(2, op == MatMulOp::kNT ? n : k, p.shape.ldb);
  p.c = fill(3, m, p.shape.ldc);
  p.residual = fill(4, m, p.shape.ldc);
  p.bias.resize(static_cast<size_t>(n));
  FillUniform(5, n, p.bias.data());
  for (const float value : p.a) p.a16.push_back(BF16FromFloat(value));
  for (const float value : p.b) p.b16.push_back(BF16FromFloat(value));
  return p;
}

std::vector<float> RunReference(const Problem& p, Type type, const Epilogue& epilogue) {
  std::vector<float> c = p.c;
  Epilogue own = epilogue;
  if (epilogue.residual == p.c.data()) own.residual = c.data();
  if (type == Type::kBF16) {
    ReferenceMatMulBF16(p.shape, p.a16.data(), p.b16.data(), c.data(), own);
  } else {
    ReferenceMatMulF32(p.shape, type == Type::kFma ? Profile::kFma : Profile::kMuladd, p.a.data(), p.b.data(), c.data(),
                       own);
  }
  return c;
}

std::vector<float> RunKernel(const Problem& p, Type type, const Epilogue& epilogue, int threads) {
  ThreadPool pool(threads);
  std::vector<float> c = p.c;
  Epilogue own = epilogue;
  if (epilogue.residual == p.c.data()) own.residual = c.data();
  if (type == Type::kBF16) {
    MatMulBF16(p.shape, p.a16.data(), p.b16.data(), c.data(), own, pool);
  } else {
    MatMulF32(p.shape, type == Type::kFma ? Profile::kFma : Profile::kMuladd, p.a.data(), p.b.data(), c.data(), own,
              pool);
  }
  return c;
}

// The same with B packed beforehand.
std::vector<float> RunPacked(const Problem& p, Type type, const Epilogue& epilogue, int threads) {
  ThreadPool pool(threads);
  std::vector<float> c = p.c;
  Epilogue own = epilogue;
  if (epilogue.residual == p.c.data()) own.residual = c.data();
  PackedB packed;
  if (type == Type::kBF16) {
    packed.PackBF16(p.shape, p.b16.data(), pool);
    MatMulBF16(p.shape, p.a16.data(), packed, c.data(), own, pool);
  } else {
    const Profile profile = type == Type::kFma ? Profile::kFma : Profile::kMuladd;
    packed.PackF32(p.shape, profile, p.b.data(), pool);
    MatMulF32(p.shape, profile, p.a.data(), packed, c.data(), own, pool);
  }
  return c;
}

bool SameBits(const std::vector<float>& x, const std::vector<float>& y) {
  if (x.size() != y.size()) return false;
  for (size_t i = 0; i < x.size(); ++i) {
    if (BitsOf(x[i]) != BitsOf(y[i]) && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  }
  return true;
}

struct Extents {
  int64_t m, n, k;
};
constexpr Extents kExtents[] = {{1, 1, 1},     {1, 33, 7},   {13, 31, 5},  {14, 32, 64}, {15, 33, 513}, {6, 16, 18},
                                {57, 70, 530}, {70, 9, 0},   {29, 64, 17}, {3, 5, 0},    {61, 100, 3},  {58, 40, 1100},
                                {100, 65, 31}, {1, 96, 600}, {56, 32, 2},  {113, 1, 40}};

TEST_CASE("every target equals the plain definition bit for bit") {
  TargetScope scope;
  for (const MatMulOp op : {MatMulOp::kNN, MatMulOp::kNT, MatMulOp::kTN}) {
    for (const Type type : {Type::kFma, Type::kMuladd, Type::kBF16}) {
      for (const Extents& e : kExtents) {
        for (const bool accumulate : {false, true}) {
          const Problem p = Make(op, e.m, e.n, e.k, accumulate ? 5 : 0, accumulate);
          const Epilogue epilogue = accumulate ? Epilogue{} : Epilogue{p.bias.data(), p.residual.data()};
          const std::vector<float> expected = RunReference(p, type, epilogue);
          for (const Target target : Targets()) {
            REQUIRE(SetTarget(target));
            CAPTURE(TargetName(target));
            CAPTURE(static_cast<int>(op));
            CAPTURE(static_cast<int>(type));
            CAPTURE(e.m);
            CAPTURE(e.n);
            CAPTURE(e.k);
            CHECK(SameBits(RunKernel(p, type, epilogue, 2), expected));
            CHECK(SameBits(RunPacked(p, type, epilogue, 2), expected));
          }
        }
      }
    }
  }
}

TEST_CASE("a residual may be C itself, over several K blocks and few or many rows") {
  TargetScope scope;
  for (const Type type : {Type::kFma, Type::kBF16}) {
    for (const Extents& e : {Extents{60, 70, 1040}, Extents{9, 40, 1040}, Extents{60, 33, 20}}) {
      const Problem p = Make(MatMulOp::kNT, e.m, e.n, e.k, 1, false);
      const Epilogue epilogue{p.bias.data(), p.c.data()};
      const std::vector<float> expected = RunReference(p, type, epilogue);
      for (const Target target : Targets()) {
        REQUIRE(SetTarget(target));
        CHECK(SameBits(RunKernel(p, type, epilogue, 1), expected));
        CHECK(SameBits(RunKernel(p, type, epilogue, 3), expected));
        CHECK(SameBits(RunPacked(p, type, epilogue, 2), expected));
      }
    }
  }
}

TEST_CASE("thread count and target never show") {
  TargetScope scope;
  for (const MatMulOp op : {MatMulOp::kNN, MatMulOp::kNT, MatMulOp::kTN}) {
    for (const char* dtype : {"f32", "bf16"}) {
      MatMulShape shape{op, 300, 200, 610, 0, 0, 200, true};
      shape.lda = op == MatMulOp::kTN ? shape.m : shape.k;
      shape.ldb = op == MatMulOp::kNT ? shape.k : shape.n;
      const uint64_t expected = MatMulHash(dtype, Profile::kMuladd, shape, 1);
      for (const Target target : Targets()) {
        REQUIRE(SetTarget(target));
        for (const int threads : {1, 2, 3}) CHECK(MatMulHash(dtype, Profile::kMuladd, shape, threads) == expected);
      }
    }
  }
}

TEST_CASE("K split over two accumulating calls equals one call") {
  ThreadPool pool(2);
  for (const Type type : {Type::kFma, Type::kMuladd, Type::kBF16}) {
    const Problem whole = Make(MatMulOp::kTN, 80, 66, 700, 0, false);
    const std::vector<float> expected = RunKernel(whole, type, {}, 2);
    std::vector<float> c = whole.c;
    MatMulShape first = whole.shape;
    first.k = 300;
    MatMulShape rest = whole.shape;
    rest.k = 400;
    rest.accumulate = true;
    if (type == Type::kBF16) {
      MatMulBF16(first, whole.a16.data(), whole.b16.data(), c.data(), {}, pool);
      MatMulBF16(rest, whole.a16.data() + 300 * rest.lda, whole.b16.data() + 300 * rest.ldb, c.data(), {}, pool);
    } else {
      const Profile profile = type == Type::kFma ? Profile::kFma : Profile::kMuladd;
      MatMulF32(first, profile, whole.a.data(), whole.b.data(), c.data(), {}, pool);
      MatMulF32(rest, profile, whole.a.data() + 300 * rest.lda, whole.b.data() + 300 * rest.ldb, c.data(), {}, pool);
    }
    CHECK(SameBits(c, expected));
  }
}

TEST_CASE("B of several slabs, cut along K and along the columns, continues the same chains") {
  // The first is cut along K on every target, the second along the columns. The definition runs on a few columns.
  for (const Extents& e : {Extents{57, 4100, 1040}, Extents{57, 8200, 300}}) {
    const Problem p = Make(MatMulOp::kNT, e.m, e.n, e.k, 0, false);
    for (const Type type : {Type::kFma, Type::kBF16}) {
      const std::vector<float> c = RunKernel(p, type, {p.bias.data(), nullptr}, 2);
      for (int64_t column = 0; column < e.n; column += 409) {
        MatMulShape shape = p.shape;
        shape.n = 1;
        shape.ldc = 1;
        std::vector<float> expected(static_cast<size_t>(e.m));
        const Epilogue epilogue{p.bias.data() + column, nullptr};
        if (type == Type::kBF16) {
          ReferenceMatMulBF16(shape, p.a16.data(), p.b16.data() + column * shape.ldb, expected.data(), epilogue);
        } else {
          ReferenceMatMulF32(shape, Profile::kFma, p.a.data(), p.b.data() + column * shape.ldb, expected.data(),
                             epilogue);
        }
        std::vector<float> actual;
        for (int64_t i = 0; i < e.m; ++i) actual.push_back(c[static_cast<size_t>(i * e.n + column)]);
        CHECK(SameBits(actual, expected));
      }
    }
  }
}

TEST_CASE("bf16 corners: subnormals, the edge of the normal range, infinities and NaN agree on every target") {
  TargetScope scope;
  // Every element is drawn from the corners, so chains meet underflow, overflow and NaN in all combinations.
  const auto corner = [](RandomStream& random) -> bf16 {
    const uint32_t word = random.Next();
    const auto sign = static_cast<uint32_t>((word >> 31) << 15);
    switch (word % 8) {
      case 0:
        return static_cast<bf16>(sign);
      case 1:
        return static_cast<bf16>(sign | (1 + (word >> 8) % 127));  // subnormal
      case 2:
        return static_cast<bf16>(sign | 1u << 7);  // smallest normal
      case 3:
        return static_cast<bf16>(sign | ((40 + (word >> 8) % 30) << 7) | ((word >> 16) % 128));  // tiny products
      case 4:
        return static_cast<bf16>(sign | (127u << 7));
      case 5:
        return static_cast<bf16>(sign | ((60 + (word >> 8) % 10) << 7));
      default:
        return static_cast<bf16>(sign | ((50 + (word >> 8) % 80) << 7) | ((word >> 16) % 128));
    }
  };
  Problem p = Make(MatMulOp::kNT, 90, 64, 41, 0, true);
  RandomStream random(9, Purpose::kTest, 0);
  for (bf16& value : p.a16) value = corner(random);
  for (bf16& value : p.b16) value = corner(random);
  for (float& value : p.c) value = FloatFromBits((random.Next() & 0x807fffffu) | (random.Next() % 4) << 23);
  p.a16[5] = 0x7f80;    // infinity
  p.a16[200] = 0x7fc0;  // NaN
  p.b16[70] = 0xff7f;   // largest finite
  for (const Target target : Targets()) {
    REQUIRE(SetTarget(target));
    CAPTURE(TargetName(target));
    CHECK(SameBits(RunKernel(p, Type::kBF16, {}, 1), RunReference(p, Type::kBF16, {})));
  }
  // 2^-126 - 2^-150 is below the normal range even after rounding; 2^-126 - 2^-152 is not.
  const auto step = [](int exponent) {
    return StepBF16(FloatFromBits(static_cast<uint32_t>(127 - 75) << 23),
                    -FloatFromBits(static_cast<uint32_t>(127 + exponent + 75) << 23), 0x1p-126f);
  };
  CHECK(step(-150) == 0.0f);
  CHECK(step(-152) == 0x1p-126f);
}

TEST_CASE("the emulated fma rounds once, in the hard cases too") {
  RandomStream random(11, Purpose::kTest, 0);
  int wrong = 0;
  for (int i = 0; i < 300000; ++i) {
    const float a = FloatFromBits(random.Next());
    const float b = FloatFromBits(random.Next());
    // Half of the addends nearly cancel the product, or stand a rounding bit away from it.
    const float near = -a * b * (1.0f + static_cast<float>(static_cast<int>(random.NextBelow(5)) - 2) * 0x1p-24f);
    const float c = (i & 1) != 0 ? near : FloatFromBits(random.Next());
    const float expected = std::fma(a, b, c);
    const float actual = FmaExact(a, b, c);
    wrong += BitsOf(actual) == BitsOf(expected) || (std::isnan(actual) && std::isnan(expected)) ? 0 : 1;
  }
  CHECK(wrong == 0);
  // The sum in double ends exactly between two floats; only the lost rest says which is nearer.
  CHECK(FmaExact(0x1.000002p0f, 0x1.000002p0f, 0x1p-60f) == std::fma(0x1.000002p0f, 0x1.000002p0f, 0x1p-60f));
  CHECK(FmaExact(0x1p-30f, 0x1p-31f, 0x1.000001p0f) == std::fma(0x1p-30f, 0x1p-31f, 0x1.000001p0f));
}

TEST_CASE("rounding to bf16: nearest, ties to even, subnormals kept, NaN stays NaN") {
  TargetScope scope;
  CHECK(BF16FromFloat(1.0f) == 0x3f80);
  CHECK(BF16FromFloat(FloatFromBits(0x3f808000)) == 0x3f80);  // tie to even
  CHECK(BF16FromFloat(FloatFromBits(0x3f818000)) == 0x3f82);
  CHECK(BF16FromFloat(FloatFromBits(0x00008001)) == 0x0001);
  CHECK(BF16FromFloat(FloatFromBits(0x7f7fffff)) == 0x7f80);
  CHECK(BF16FromFloat(FloatFromBits(0x7f800001)) == 0x7fc0);
  std::vector<float> from(70001);
  RandomStream random(12, Purpose::kTest, 0);
  for (float& value : from) value = FloatFromBits(random.Next());
  ThreadPool pool(2);
  for (const Target target : Targets()) {
    REQUIRE(SetTarget(target));
    std::vector<bf16> to(from.size());
    ConvertF32ToBF16(from.data(), to.data(), static_cast<int64_t>(from.size()), pool);
    size_t different = 0;
    for (size_t i = 0; i < from.size(); ++i) different += to[i] != BF16FromFloat(from[i]) ? 1 : 0;
    CHECK(different == 0);
  }
}

TEST_CASE("a target that the machine lacks is refused") {
  TargetScope scope;
  const Target other = DetectedTarget() == Target::kNeon ? Target::kAvx2 : Target::kNeon;
  const Target before = ActiveTarget();
  CHECK_FALSE(SetTarget(other));
  CHECK(ActiveTarget() == before);
  CHECK(SetTarget(Target::kPortable));
  CHECK(ActiveTarget() == Target::kPortable);
}

}  // namespace
}  // namespace pintle::kernels
