// The lexer's cursor and the scanners of its longer tokens: identifier tails, numbers, characters, strings. They look
// at bytes and say where a token ends, what it is and whether the compiler would take it; they make no values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/rust/lexer.h"
#include "text/rust/unicode.h"

namespace pintle::rust {

/// ASCII letters and `_`.
constexpr bool IsIdentifierStartByte(unsigned char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}
/// ASCII letters, digits and `_`.
constexpr bool IsIdentifierByte(unsigned char byte) {
  return IsIdentifierStartByte(byte) || (byte >= '0' && byte <= '9');
}

/// A scanned literal: where it ends (suffix included) and whether it is malformed.
struct LiteralToken {
  TokenKind kind = TokenKind::kError;
  size_t end = 0;
  bool bad = false;
};

/// Cuts tokens off the front of a source.
struct Scanner {
  Scanner(std::string_view text, int language_edition) : source(text), edition(language_edition) {}

  std::string_view source;
  int edition;
  size_t at = 0;

  /// The byte `ahead` of the cursor, 0 behind the end.
  [[nodiscard]] unsigned char Byte(size_t ahead = 0) const {
    return at + ahead < source.size() ? static_cast<unsigned char>(source[at + ahead]) : 0;
  }
  /// The code point at an offset; length 0 at the end or where it is no UTF-8.
  [[nodiscard]] CodePoint PointAt(size_t offset) const {
    return offset < source.size() ? DecodeUtf8(source, offset) : CodePoint{};
  }
  [[nodiscard]] bool IdentifierStartsAt(size_t offset) const;
  /// Moves the cursor over identifier characters.
  void IdentifierTail();

  // Each starts at the cursor, which stays; `prefix` bytes (b, br, c, cr, r) stand before the quote or hashes.
  [[nodiscard]] LiteralToken Number() const;
  [[nodiscard]] LiteralToken SingleQuoted(size_t prefix, TokenKind kind) const;
  [[nodiscard]] LiteralToken DoubleQuoted(size_t prefix, TokenKind kind) const;
  [[nodiscard]] LiteralToken RawString(size_t prefix, TokenKind kind) const;

 private:
  // The end of a literal suffix that starts at `offset` (offset itself if there is none); a lone `_` is bad.
  size_t SuffixEnd(size_t offset, bool& bad) const;
  // Checks the escape behind the backslash at `offset`; returns the offset behind the escape.
  size_t Escape(size_t offset, TokenKind kind, bool& bad) const;
};

/// Where the suffix of a number starts: `text.size()` if it has none. `text` is the text of a kInteger or kFloat token.
size_t NumberSuffix(std::string_view text);

}  // namespace pintle::rust
