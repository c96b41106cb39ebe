// UTF-8 decoding and code point classes by binary search in range tables made by unicode_ranges.awk.
#include "text/rust/unicode.h"

#include <cstring>
#include <span>

namespace pintle::rust {
namespace {

struct CodeRange {
  uint32_t low;
  uint32_t high;
};

#include "text/rust/unicode_ranges.inc"

bool Contains(std::span<const CodeRange> ranges, uint32_t code_point) {
  size_t low = 0;
  size_t high = ranges.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (code_point > ranges[middle].high) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < ranges.size() && code_point >= ranges[low].low;
}

}  // namespace

CodePoint DecodeUtf8(std::string_view text, size_t offset) {
  const auto byte = [&](size_t i) -> uint32_t {
    return offset + i < text.size() ? static_cast<unsigned char>(text[offset + i]) : 0;
  };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xC2) return {};
  if (first < 0xE0) {
    if (!continues(1)) return {};
    return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  }
  if (first < 0xF0) {
    if (!continues(1) || !continues(2)) return {};
    const uint32_t value = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (value < 0x800 || (value >= 0xD800 && value < 0xE000)) return {};
    return {value, 3};
  }
  if (first < 0xF5) {
    if (!continues(1) || !continues(2) || !continues(3)) return {};
    const uint32_t value = (first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (value < 0x10000 || value > 0x10FFFF) return {};
    return {value, 4};
  }
  return {};
}

size_t FindInvalidUtf8(std::string_view text, size_t offset) {
  size_t i = offset;
  while (i < text.size()) {
    // Eight ASCII bytes at a time: nearly all source text.
    if (i + 8 <= text.size()) {
      uint64_t word = 0;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080U) == 0) {
        i += 8;
        continue;
      }
    }
    const CodePoint point = DecodeUtf8(text, i);
    if (point.length == 0) return i;
    i += point.length;
  }
  return text.size();
}

bool IsXidStart(uint32_t code_point) { return Contains(kXidStart, code_point); }
bool IsXidContinue(uint32_t code_point) { return Contains(kXidContinue, code_point); }
bool IsEmoji(uint32_t code_point) { return Contains(kEmoji, code_point); }
bool IsUnicodeSpace(uint32_t code_point) {
  return code_point == 0x85 || code_point == 0x200E || code_point == 0x200F || code_point == 0x2028 ||
         code_point == 0x2029;
}

}  // namespace pintle::rust
