#include "kernels/quant_hash.h"

#include "kernels/matmul_hash.h"
#include "kernels/quant_layout.h"

namespace pintle::kernels {
namespace {

constexpr const char* kNames[kQuantTypes] = {"q8_0", "q4_0", "q4_1", "q5_0",   "q5_1",
                                             "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"};

uint64_t HashOf(QuantType type) {
  constexpr int64_t kRows = 37, kColumns = 512, kTokens = 5;
  const QuantFormat& format = FormatOf(type);
  std::vector<uint8_t> file(static_cast<size_t>(kRows * QuantRowBytes(type, kColumns)));
  uint32_t state = 1;
  for (uint8_t& byte : file) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(state >> 24);
  }
  // Scales of moderate size: the exponent bits of d and of a minimum.
  for (size_t at = 0; at < file.size(); at += static_cast<size_t>(format.file_bytes)) {
    const size_t d = at + (type == QuantType::kQ6_K ? 208 : 0);
    file[d + 1] = static_cast<uint8_t>((file[d + 1] & 0x8f) | 0x20);
    if (format.minimum) file[d + 3] = static_cast<uint8_t>((file[d + 3] & 0x8f) | 0x20);
  }
  QuantMatrix matrix{type, kRows, kColumns, nullptr};
  std::vector<uint8_t> panels(static_cast<size_t>(matrix.bytes()));
  for (int64_t row = 0; row < kRows; row += kPanelRows) {
    PackQuantPanel(type, file.data() + row * QuantRowBytes(type, kColumns),
                   row + kPanelRows <= kRows ? 16 : kRows - row, kColumns,
                   panels.data() + row / kPanelRows * QuantPanelBytes(type, kColumns));
  }
  matrix.panels = panels.data();
  std::vector<float> x(kTokens * kColumns), c(kTokens * kRows);
  FillUniform(5, kTokens * kColumns, x.data());
  std::vector<uint8_t> scratch(static_cast<size_t>(QuantActivationBytes(kTokens, kColumns)));
  uint64_t hash = 1469598103934665603u;
  ThreadPool pool(2);
  for (const int64_t tokens : {int64_t{1}, kTokens}) {
    const QuantActivations q = PlaceQuantActivations(scratch.data(), tokens, kColumns);
    QuantizeActivations(x.data(), kColumns, tokens, q, pool);
    const QuantPart part{matrix, nullptr};
    QuantMatMul({&part, 1}, q, tokens, c.data(), kRows, nullptr, pool);
    for (int64_t i = 0; i < tokens * kRows; ++i) {
      const auto bits = __builtin_bit_cast(uint32_t, c[static_cast<size_t>(i)]);
      for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> (8 * byte) & 255)) * 1099511628211u;
    }
  }
  return hash;
}

}  // namespace

std::vector<std::pair<std::string, uint64_t>> QuantHashes() {
  std::vector<std::pair<std::string, uint64_t>> rows;
  rows.reserve(kQuantTypes);
  for (int type = 0; type < kQuantTypes; ++type) {
    rows.emplace_back(std::string("matmul ") + kNames[type], HashOf(static_cast<QuantType>(type)));
  }
  return rows;
}

}  // namespace pintle::kernels
