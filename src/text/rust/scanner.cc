// Scanners for numbers, characters and strings. Source: The Rust Reference, "Tokens", and what rustc's lexer rejects.
#include "text/rust/scanner.h"

#include <array>
#include <cstring>
#include <utility>

namespace pintle::rust {
namespace {

bool IsDigit(unsigned char byte) { return byte >= '0' && byte <= '9'; }
int HexValue(unsigned char byte) {
  if (IsDigit(byte)) return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

bool IsByteKind(TokenKind kind) {
  return kind == TokenKind::kByte || kind == TokenKind::kByteString || kind == TokenKind::kRawByteString;
}
bool IsCKind(TokenKind kind) { return kind == TokenKind::kCString || kind == TokenKind::kRawCString; }

// Bytes at which the scan of a quoted string has to stop and look.
constexpr std::array<bool, 256> MakeStops() {
  std::array<bool, 256> stops{};
  stops['"'] = stops['\\'] = stops['\r'] = stops[0] = true;
  for (size_t i = 0x80; i < 256; ++i) stops[i] = true;
  return stops;
}
constexpr std::array<bool, 256> kStringStops = MakeStops();

constexpr uint32_t kZeroWidthJoiner = 0x200D;

}  // namespace

bool Scanner::IdentifierStartsAt(size_t offset) const {
  if (offset >= source.size()) return false;
  const auto byte = static_cast<unsigned char>(source[offset]);
  if (byte < 0x80) return IsIdentifierStartByte(byte);
  const CodePoint point = DecodeUtf8(source, offset);
  return point.length > 0 && IsXidStart(point.value);
}

void Scanner::IdentifierTail() {
  bool emoji = false;
  while (at < source.size()) {
    const unsigned char byte = Byte();
    if (byte < 0x80) {
      if (!IsIdentifierByte(byte)) return;
      ++at;
      continue;
    }
    const CodePoint point = DecodeUtf8(source, at);
    if (point.length == 0) return;
    emoji = emoji || IsEmoji(point.value);
    if (!IsXidContinue(point.value) && !IsEmoji(point.value) && !(emoji && point.value == kZeroWidthJoiner)) return;
    at += point.length;
  }
}

size_t Scanner::SuffixEnd(size_t offset, bool& bad) const {
  if (!IdentifierStartsAt(offset)) return offset;
  Scanner tail = *this;
  tail.at = offset;
  tail.IdentifierTail();
  if (tail.at == offset + 1 && source[offset] == '_') bad = true;
  return tail.at;
}

LiteralToken Scanner::Number() const {
  size_t i = at;
  const auto byte = [&](size_t offset) -> unsigned char {
    return offset < source.size() ? static_cast<unsigned char>(source[offset]) : 0;
  };
  const auto digits = [&](bool hex, unsigned char above) {
    bool any = false;
    bool wrong = false;
    for (;; ++i) {
      const unsigned char c = byte(i);
      if (c == '_') continue;
      if (!(hex ? HexValue(c) >= 0 : IsDigit(c))) break;
      any = true;
      wrong = wrong || (!hex && c > above);
    }
    return std::pair(any, wrong);
  };
  LiteralToken token{.kind = TokenKind::kInteger};
  bool based = false;
  const unsigned char base = byte(i) == '0' ? byte(i + 1) : 0;
  if (base == 'x' || base == 'o' || base == 'b') {
    based = true;
    i += 2;
    const auto [any, wrong] = digits(base == 'x', base == 'b' ? '1' : '7');
    token.bad = !any || wrong;
    if (!any) {
      token.end = SuffixEnd(i, token.bad);
      return token;
    }
  } else {
    digits(false, '9');
  }
  const auto exponent = [&] {
    ++i;
    if (byte(i) == '+' || byte(i) == '-') ++i;
    if (!digits(false, '9').first) token.bad = true;
  };
  if (byte(i) == '.' && byte(i + 1) != '.' && !IdentifierStartsAt(i + 1)) {
    token.kind = TokenKind::kFloat;
    ++i;
    if (IsDigit(byte(i))) {
      digits(false, '9');
      if (byte(i) == 'e' || byte(i) == 'E') exponent();
    }
  } else if (byte(i) == 'e' || byte(i) == 'E') {
    token.kind = TokenKind::kFloat;
    exponent();
  }
  if (token.kind == TokenKind::kFloat && based) token.bad = true;
  token.end = SuffixEnd(i, token.bad);
  return token;
}

size_t NumberSuffix(std::string_view text) {
  size_t i = 0;
  const auto byte = [&](size_t offset) -> unsigned char {
    return offset < text.size() ? static_cast<unsigned char>(text[offset]) : 0;
  };
  const auto digits = [&](bool hex) {
    while (byte(i) == '_' || (hex ? HexValue(byte(i)) >= 0 : IsDigit(byte(i)))) ++i;
  };
  if (byte(0) == '0' && (byte(1) == 'x' || byte(1) == 'o' || byte(1) == 'b')) {
    i = 2;
    digits(byte(1) == 'x');
  } else {
    digits(false);
  }
  if (byte(i) == '.') {
    ++i;
    digits(false);
  }
  if (byte(i) == 'e' || byte(i) == 'E') {
    ++i;
    if (byte(i) == '+' || byte(i) == '-') ++i;
    digits(false);
  }
  return i;
}

size_t Scanner::Escape(size_t offset, TokenKind kind, bool& bad) const {
  size_t i = offset + 1;
  const auto byte = [&](size_t at_offset) -> unsigned char {
    return at_offset < source.size() ? static_cast<unsigned char>(source[at_offset]) : 0;
  };
  switch (byte(i)) {
    case 'n':
    case 'r':
    case 't':
    case '\\':
    case '\'':
    case '"':
      return i + 1;
    case '0':
      bad = bad || IsCKind(kind);
      return i + 1;
    case 'x': {
      const int high = HexValue(byte(i + 1));
      const int low = high < 0 ? -1 : HexValue(byte(i + 2));
      if (low < 0) {
        bad = true;
        return i + 1;
      }
      const int value = high * 16 + low;
      bad = bad || (value > 0x7F && !IsByteKind(kind) && !IsCKind(kind)) || (value == 0 && IsCKind(kind));
      return i + 3;
    }
    case 'u': {
      if (IsByteKind(kind) || byte(i + 1) != '{' || HexValue(byte(i + 2)) < 0) {
        bad = true;
        return i + 1;
      }
      uint32_t value = 0;
      int count = 0;
      for (i += 2; HexValue(byte(i)) >= 0 || byte(i) == '_'; ++i) {
        if (byte(i) == '_') continue;
        if (++count <= 6) value = value * 16 + static_cast<uint32_t>(HexValue(byte(i)));
      }
      if (byte(i) != '}') {
        bad = true;
        return i;
      }
      bad =
          bad || count > 6 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) || (value == 0 && IsCKind(kind));
      return i + 1;
    }
    default:
      bad = true;
      return i;
  }
}

LiteralToken Scanner::SingleQuoted(size_t prefix, TokenKind kind) const {
  LiteralToken token{.kind = kind};
  const size_t content = at + prefix + 1;
  size_t i = content;
  size_t close = std::string_view::npos;
  const CodePoint first = PointAt(i);
  if (first.length > 0 && first.value != '\\' && i + first.length < source.size() && source[i + first.length] == '\'') {
    close = i + first.length;
  }
  while (close == std::string_view::npos && i < source.size()) {
    const char c = source[i];
    if (c == '\'') {
      close = i;
    } else if (c == '/' || (c == '\n' && (i + 1 >= source.size() || source[i + 1] != '\''))) {
      break;
    } else if (c == '\\' && i + 1 < source.size()) {
      const CodePoint escaped = PointAt(i + 1);
      i += 1 + (escaped.length == 0 ? 1 : escaped.length);
    } else {
      const CodePoint point = PointAt(i);
      i += point.length == 0 ? 1 : point.length;
    }
  }
  if (close == std::string_view::npos) {
    token.end = i;
    token.bad = true;
    return token;
  }
  // Exactly one character or one escape, and none of those that have to be escaped.
  if (content == close) {
    token.bad = true;
  } else if (source[content] == '\\') {
    token.bad = Escape(content, kind, token.bad) != close || token.bad;
  } else {
    token.bad = content + first.length != close || first.value == '\n' || first.value == '\t' || first.value == '\'' ||
                first.value == '\r' || (first.value >= 0x80 && kind == TokenKind::kByte);
  }
  token.end = SuffixEnd(close + 1, token.bad);
  return token;
}

LiteralToken Scanner::DoubleQuoted(size_t prefix, TokenKind kind) const {
  LiteralToken token{.kind = kind};
  size_t i = at + prefix + 1;
  while (i < source.size()) {
    const auto byte = static_cast<unsigned char>(source[i]);
    if (!kStringStops[byte]) {
      ++i;
    } else if (byte == '"') {
      token.end = SuffixEnd(i + 1, token.bad);
      return token;
    } else if (byte == '\\') {
      size_t line = i + 1;
      if (line + 1 < source.size() && source[line] == '\r' && source[line + 1] == '\n') ++line;
      if (line < source.size() && source[line] == '\n') {  // a continued line: its white space is skipped
        i = line + 1;
        while (i < source.size() && (source[i] == ' ' || source[i] == '\t' || source[i] == '\n' || source[i] == '\r'))
          ++i;
      } else {
        i = Escape(i, kind, token.bad);
      }
    } else {
      if (byte == '\r') {
        if (i + 1 >= source.size() || source[i + 1] != '\n') token.bad = true;
      } else if (byte == 0) {
        if (IsCKind(kind)) token.bad = true;
      } else if (IsByteKind(kind)) {
        token.bad = true;
      }
      ++i;
    }
  }
  token.end = source.size();
  token.bad = true;
  return token;
}

LiteralToken Scanner::RawString(size_t prefix, TokenKind kind) const {
  LiteralToken token{.kind = kind};
  size_t i = at + prefix;
  size_t hashes = 0;
  while (i < source.size() && source[i] == '#') {
    ++i;
    ++hashes;
  }
  if (i >= source.size() || source[i] != '"') {  // r## and no string: only the prefix is taken
    token.end = i;
    token.bad = true;
    return token;
  }
  const size_t content = ++i;
  token.bad = hashes > 255;
  while (i < source.size()) {
    const void* quote = std::memchr(source.data() + i, '"', source.size() - i);
    if (quote == nullptr) break;
    i = static_cast<size_t>(static_cast<const char*>(quote) - source.data());
    const size_t close = i++;
    size_t found = 0;
    while (found < hashes && i < source.size() && source[i] == '#') {
      ++i;
      ++found;
    }
    if (found < hashes) continue;
    for (size_t k = content; k < close; ++k) {
      const auto byte = static_cast<unsigned char>(source[k]);
      if (byte == '\r' && source[k + 1] != '\n') token.bad = true;
      if (byte == 0 && IsCKind(kind)) token.bad = true;
      if (byte >= 0x80 && IsByteKind(kind)) token.bad = true;
    }
    token.end = SuffixEnd(i, token.bad);
    return token;
  }
  token.end = source.size();
  token.bad = true;
  return token;
}

}  // namespace pintle::rust
