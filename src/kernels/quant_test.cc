#include "kernels/quant.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "kernels/quant_layout.h"
#include "kernels/target.h"
#include "kernels/test_support.h"

namespace pintle::kernels {
namespace {

constexpr QuantType kTypes[] = {QuantType::kQ8_0,   QuantType::kQ4_0,  QuantType::kQ4_1, QuantType::kQ5_0,
                                QuantType::kQ5_1,   QuantType::kQ4_K,  QuantType::kQ5_K, QuantType::kQ6_K,
                                QuantType::kIQ4_NL, QuantType::kIQ4_XS};

// A matrix of random file blocks with finite scales.
struct Random {
  Random(QuantType type, int64_t rows, int64_t columns) : matrix{type, rows, columns, nullptr} {
    const int64_t row_bytes = QuantRowBytes(type, columns);
    const int file_bytes = FormatOf(type).file_bytes;
    RandomStream random(11, Purpose::kTest, static_cast<uint64_t>(type));
    file.resize(static_cast<size_t>(rows * row_bytes));
    for (uint8_t& byte : file) byte = static_cast<uint8_t>(random.NextBelow(256));
    for (size_t at = 0; at < file.size(); at += static_cast<size_t>(file_bytes)) {
      const size_t d = at + (type == QuantType::kQ6_K ? 208 : 0);
      file[d + 1] = static_cast<uint8_t>(0x20 + random.NextBelow(16) + (random.NextBelow(2) << 7));
      if (FormatOf(type).minimum) file[d + 3] = static_cast<uint8_t>(0x20 + random.NextBelow(16));
    }
    panels.resize(static_cast<size_t>(matrix.bytes()));
    for (int64_t row = 0; row < rows; row += kPanelRows) {
      PackQuantPanel(type, file.data() + row * row_bytes, std::min(kPanelRows, rows - row), columns,
                     panels.data() + row / kPanelRows * QuantPanelBytes(type, columns));
    }
    matrix.panels = panels.data();
  }
  std::vector<uint8_t> file, panels;
  QuantMatrix matrix;
};

std::vector<float> Values(int64_t count, uint64_t seed) {
  RandomStream random(seed, Purpose::kTest, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = random.NextFloat() * 4 - 2;
  return values;
}

struct Quantised {
  Quantised(const std::vector<float>& x, int64_t count, int64_t columns, ThreadPool* pool)
      : memory(static_cast<size_t>(QuantActivationBytes(count, columns))),
        view(PlaceQuantActivations(memory.data(), count, columns)) {
    if (pool == nullptr) {
      ReferenceQuantizeActivations(x.data(), columns, count, view);
    } else {
      QuantizeActivations(x.data(), columns, count, view, *pool);
    }
  }
  std::vector<uint8_t> memory;
  QuantActivations view;
};

}  // namespace

TEST_CASE("quantised matrices come back from their panels as the formats say") {
  // One row of Q4_0: d = 0.5, quants 0, 1, ... 15 in the low nibbles, 15 - i in the high ones.
  uint8_t row[18] = {0x00, 0x38};
  for (int i = 0; i < 16; ++i) row[2 + i] = static_cast<uint8_t>(i | (15 - i) << 4);
  std::vector<uint8_t> panel(static_cast<size_t>(QuantPanelBytes(QuantType::kQ4_0, 32)));
  PackQuantPanel(QuantType::kQ4_0, row, 1, 32, panel.data());
  float values[32];
  DequantizeQuantRow({QuantType::kQ4_0, 1, 32, panel.data()}, 0, values);
  for (int i = 0; i < 16; ++i) {
    CHECK(values[i] == 0.5f * static_cast<float>(i - 8));
    CHECK(values[16 + i] == 0.5f * static_cast<float>(7 - i));
  }
  DequantizeQuantRow({QuantType::kQ4_0, 16, 32, panel.data()}, 15, values);  // the padding
  for (const float value : values) CHECK(value == 0.0f);
}

TEST_CASE("the sixteen values of the IQ4 types, and the packed scales of IQ4_XS") {
  constexpr int kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  uint8_t small[18] = {0x00, 0x38};  // d = 0.5
  for (int i = 0; i < 16; ++i) small[2 + i] = static_cast<uint8_t>(i | (15 - i) << 4);
  std::vector<uint8_t> panel(static_cast<size_t>(QuantPanelBytes(QuantType::kIQ4_NL, 32)));
  PackQuantPanel(QuantType::kIQ4_NL, small, 1, 32, panel.data());
  float values[256];
  DequantizeQuantRow({QuantType::kIQ4_NL, 1, 32, panel.data()}, 0, values);
  for (int i = 0; i < 16; ++i) {
    CHECK(values[i] == 0.5f * static_cast<float>(kValues[i]));
    CHECK(values[16 + i] == 0.5f * static_cast<float>(kValues[15 - i]));
  }
  uint8_t large[136] = {0x00, 0x38};
  constexpr int kScales[8] = {-32, 31, 0, 5, -1, 16, -17, 1};
  for (int k = 0; k < 8; ++k) {
    const int stored = kScales[k] + 32;
    large[4 + k / 2] = static_cast<uint8_t>(large[4 + k / 2] | (stored & 15) << (4 * (k % 2)));
    large[2 + k / 4] = static_cast<uint8_t>(large[2 + k / 4] | (stored >> 4) << (2 * (k % 4)));
    for (int i = 0; i < 16; ++i) large[8 + 16 * k + i] = small[2 + i];
  }
  panel.assign(static_cast<size_t>(QuantPanelBytes(QuantType::kIQ4_XS, 256)), 0);
  PackQuantPanel(QuantType::kIQ4_XS, large, 1, 256, panel.data());
  DequantizeQuantRow({QuantType::kIQ4_XS, 1, 256, panel.data()}, 0, values);
  for (int i = 0; i < 256; ++i) {
    const int nibble = i % 32 < 16 ? i % 16 : 15 - i % 16;
    const int scale = kScales[i / 32];
    CHECK(values[i] == 0.5f * static_cast<float>(scale * kValues[nibble]));
  }
}

TEST_CASE("quantised products: the same bits on every instruction set, for any count of tokens and threads") {
  for (const QuantType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    const int64_t columns = 512, rows = 37, count = 13;
    const Random first(type, rows, columns);
    const Random second(type == QuantType::kQ6_K ? QuantType::kQ4_K : QuantType::kQ6_K, 24, columns);
    const std::vector<float> x = Values(count * columns, 5), bias = Values(rows, 6);
    const std::vector<float> residual = Values(count * (rows + 24), 7);
    const QuantPart parts[] = {{first.matrix, bias.data()}, {second.matrix, nullptr}};
    const int64_t n = rows + 24;
    const Quantised reference(x, count, columns, nullptr);
    std::vector<float> expected(static_cast<size_t>(count * n)), got(expected.size());
    ReferenceQuantMatMul(parts, reference.view, count, expected.data(), n, residual.data());
    ForEachTarget([&](Target) {
      CAPTURE(TargetName(ActiveTarget()));
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        const Quantised own(x, count, columns, &pool);
        CHECK(own.memory == reference.memory);
        std::fill(got.begin(), got.end(), -1.0f);
        QuantMatMul(parts, own.view, count, got.data(), n, residual.data(), pool);
        CHECK(std::memcmp(got.data(), expected.data(), got.size() * 4) == 0);
        // A few tokens at a time, in place over the residual.
        for (int64_t step = 1; step <= 8; ++step) {
          CAPTURE(step);
          got = residual;
          for (int64_t token = 0; token < count; token += step) {
            const int64_t some = std::min(step, count - token);
            const Quantised few({x.begin() + token * columns, x.begin() + (token + some) * columns}, some, columns,
                                &pool);
            QuantMatMul(parts, few.view, some, got.data() + token * n, n, got.data() + token * n, pool);
          }
          CHECK(std::memcmp(got.data(), expected.data(), got.size() * 4) == 0);
        }
      }
    });
  }
}

TEST_CASE("quantised products are close to products of the dequantised weights") {
  ThreadPool pool(1);
  for (const QuantType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    const int64_t columns = 768, rows = 20;
    const Random weights(type, rows, columns);
    const std::vector<float> x = Values(columns, 8);
    const Quantised q(x, 1, columns, &pool);
    std::vector<float> got(static_cast<size_t>(rows)), w(static_cast<size_t>(columns));
    const QuantPart part{weights.matrix, nullptr};
    QuantMatMul({&part, 1}, q.view, 1, got.data(), rows, nullptr, pool);
    double error = 0, size = 0;
    for (int64_t row = 0; row < rows; ++row) {
      DequantizeQuantRow(weights.matrix, row, w.data());
      double exact = 0, norm = 0;
      for (int64_t k = 0; k < columns; ++k) {
        const auto i = static_cast<size_t>(k);
        exact += static_cast<double>(w[i]) * static_cast<double>(x[i]);
        norm += static_cast<double>(w[i]) * static_cast<double>(w[i]);
      }
      const double off = static_cast<double>(got[static_cast<size_t>(row)]) - exact;
      error += off * off;
      size += norm * 1.33;  // the variance of x
    }
    CHECK(std::sqrt(error / size) < 0.01);
  }
}

TEST_CASE("activations: zero, tiny and damaged blocks") {
  const float infinity = __builtin_inff();
  std::vector<float> x(96, 0.0f);
  x[32] = 1e-35f;
  x[64] = infinity;
  x[65] = 3;
  const Quantised reference(x, 1, 96, nullptr);
  CHECK(reference.view.scale[0] == 0.0f);
  CHECK(reference.view.scale[1] == 0.0f);
  CHECK(reference.view.scale[2] != reference.view.scale[2]);
  ThreadPool pool(1);
  ForEachTarget([&](Target) {
    const Quantised own(x, 1, 96, &pool);
    CHECK(std::memcmp(own.view.q, reference.view.q, 96) == 0);
    CHECK(own.view.scale[2] != own.view.scale[2]);
    CHECK(own.view.scale[1] == 0.0f);
  });
}

}  // namespace pintle::kernels
