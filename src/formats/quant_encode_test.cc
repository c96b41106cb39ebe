#include "formats/quant_encode.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/rng.h"
#include "formats/half.h"

namespace pintle {
namespace {

std::vector<float> Bell(int64_t count) {
  RandomStream random(4, Purpose::kTest, 7);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (int k = 0; k < 6; ++k) sum += random.NextFloat() - 0.5f;
    values.push_back(sum * 0.05f);
  }
  return values;
}

}  // namespace

TEST_CASE("quantised blocks come back close to what went in") {
  const std::vector<float> x = Bell(8192);
  double size = 0;
  for (const float value : x) size += static_cast<double>(value) * static_cast<double>(value);
  const struct {
    GgufType type;
    double limit;  // relative rms
  } rows[] = {{GgufType::kQ4_0, 0.095}, {GgufType::kQ4_1, 0.08},    {GgufType::kQ5_0, 0.048},
              {GgufType::kQ5_1, 0.04},  {GgufType::kQ4_K, 0.078},   {GgufType::kQ5_K, 0.04},
              {GgufType::kQ6_K, 0.020}, {GgufType::kIQ4_NL, 0.085}, {GgufType::kIQ4_XS, 0.085}};
  for (const auto& [type, limit] : rows) {
    CAPTURE(GgufTypeName(type));
    std::string bytes;
    GgufEncode(type, x.data(), 8192, bytes);
    CHECK(static_cast<int64_t>(bytes.size()) == GgufBytes(type, 8192, 8192));
    const auto back = GgufDecode(type, bytes);
    REQUIRE(back.ok());
    REQUIRE(back->size() == x.size());
    double error = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double off = static_cast<double>((*back)[i]) - static_cast<double>(x[i]);
      error += off * off;
    }
    CHECK(std::sqrt(error / size) < limit);
    CHECK(std::sqrt(error / size) > limit / 4);
  }
}

TEST_CASE("K blocks decode as their description says") {
  std::string block(144, '\0');
  RandomStream random(1, Purpose::kTest, 1);
  for (char& c : block) c = static_cast<char>(random.NextBelow(256));
  const uint16_t d = F16OfFloat(0.01f), m = F16OfFloat(0.02f);
  block[0] = static_cast<char>(d & 255), block[1] = static_cast<char>(d >> 8);
  block[2] = static_cast<char>(m & 255), block[3] = static_cast<char>(m >> 8);
  const auto values = GgufDecode(GgufType::kQ4_K, block);
  REQUIRE(values.ok());
  const auto byte = [&](int i) { return static_cast<uint8_t>(block[static_cast<size_t>(i)]); };
  for (int i = 0; i < 256; ++i) {
    const int k = i / 32;
    const int scale = k < 4 ? byte(4 + k) & 63 : (byte(4 + k + 4) & 15) | (byte(4 + k - 4) >> 6) << 4;
    const int minimum = k < 4 ? byte(4 + k + 4) & 63 : byte(4 + k + 4) >> 4 | (byte(4 + k) >> 6) << 4;
    const int both = byte(16 + i / 64 * 32 + i % 32);
    const int q = i % 64 < 32 ? both & 15 : both >> 4;
    const double expected =
        static_cast<double>(FloatOfF16(d)) * scale * q - static_cast<double>(FloatOfF16(m)) * minimum;
    CHECK(static_cast<double>((*values)[static_cast<size_t>(i)]) == doctest::Approx(expected).epsilon(1e-5));
  }
}

TEST_CASE("blocks of equal values and of zeros") {
  for (const GgufType type : {GgufType::kQ4_0, GgufType::kQ4_1, GgufType::kQ5_0, GgufType::kQ5_1, GgufType::kQ4_K,
                              GgufType::kQ5_K, GgufType::kQ6_K, GgufType::kIQ4_NL, GgufType::kIQ4_XS}) {
    CAPTURE(GgufTypeName(type));
    for (const float value : {0.0f, 2.0f, -2.0f}) {
      const std::vector<float> x(256, value);
      std::string bytes;
      GgufEncode(type, x.data(), 256, bytes);
      const auto decoded = GgufDecode(type, bytes);
      REQUIRE(decoded.ok());
      for (const float back : *decoded) CHECK(std::abs(back - value) < 0.14f);
    }
  }
}

}  // namespace pintle
