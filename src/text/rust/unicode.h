// What the lexer needs to know of Unicode: decoding UTF-8 and the classes of code points that Rust's lexical grammar
// names. Not a Unicode library: no normalisation, no case. Source: UAX #31 (identifiers), the Unicode Character
// Database 15.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pintle::rust {

/// A code point and its length in bytes; length 0 where the bytes are no UTF-8.
struct CodePoint {
  uint32_t value = 0;
  uint32_t length = 0;
};

/// Decodes the code point at `offset` (< text.size()): shortest form only, no surrogates, at most U+10FFFF.
CodePoint DecodeUtf8(std::string_view text, size_t offset);

/// The offset of the first byte at or behind `offset` that starts no valid UTF-8 sequence; text.size() if there is
/// none.
size_t FindInvalidUtf8(std::string_view text, size_t offset = 0);

/// Non-ASCII code points that start and continue identifiers (XID_Start, XID_Continue).
bool IsXidStart(uint32_t code_point);
bool IsXidContinue(uint32_t code_point);
/// Non-ASCII code points with the property Emoji: rustc's lexer takes them into identifiers and complains only later.
bool IsEmoji(uint32_t code_point);
/// Non-ASCII Pattern_White_Space: U+0085, U+200E, U+200F, U+2028, U+2029.
bool IsUnicodeSpace(uint32_t code_point);

}  // namespace pintle::rust
