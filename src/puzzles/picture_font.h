// Letters for pictures made of pixels: 5 x 7 dots, digits, capitals and a few signs. Small letters are drawn as
// capitals.
#pragma once

#include <array>
#include <cstdint>

namespace pintle {

/// Seven rows from the top; bit 4 is the leftmost dot.
using Glyph = std::array<uint8_t, 7>;

inline constexpr int kGlyphWidth = 5, kGlyphHeight = 7;

/// The glyph of an ASCII character; empty for one that has none.
const Glyph& GlyphOf(char character);

}  // namespace pintle
