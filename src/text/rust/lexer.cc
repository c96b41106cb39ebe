// The lexer's main loop: one switch on the first byte of each token. Literals are scanned in scanner.cc, comments here.
// Line ends: rustc reads "\r\n" as "\n" before it lexes; here a carriage return before a newline is white space
// everywhere.
#include "text/rust/lexer.h"

#include <cstddef>
#include <cstring>
#include <string>

#include "text/rust/keyword.h"
#include "text/rust/scanner.h"
#include "text/rust/unicode.h"

namespace pintle::rust {
namespace {

bool IsSpace(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

class Lexer {
 public:
  Lexer(std::string_view source, std::vector<Token>& tokens, int edition)
      : scan_(source, edition), source_(source), tokens_(tokens), edition_(edition) {}

  void Run() {
    if (source_.substr(0, 3) == "\xEF\xBB\xBF") scan_.at = 3;
    Shebang();
    Frontmatter();
    while (SkipSpace()) Next();
    tokens_.push_back({.begin = End(), .end = End()});
    for (size_t i = 0; i + 1 < tokens_.size(); ++i) tokens_[i].joint = tokens_[i].end == tokens_[i + 1].begin;
  }

 private:
  [[nodiscard]] uint32_t End() const { return static_cast<uint32_t>(source_.size()); }
  [[nodiscard]] unsigned char Byte(size_t ahead = 0) const { return scan_.Byte(ahead); }

  void Push(TokenKind kind, size_t begin, bool bad = false) {
    tokens_.push_back(
        {.kind = kind, .bad = bad, .begin = static_cast<uint32_t>(begin), .end = static_cast<uint32_t>(scan_.at)});
  }
  void Punctuation(TokenKind kind, size_t length) {
    const size_t begin = scan_.at;
    scan_.at += length;
    Push(kind, begin);
  }

  // False at the end of the source.
  bool SkipSpace() {
    while (scan_.at < source_.size()) {
      const unsigned char byte = Byte();
      if (IsSpace(byte)) {
        ++scan_.at;
      } else if (byte >= 0x80) {
        const CodePoint point = DecodeUtf8(source_, scan_.at);
        if (point.length == 0 || !IsUnicodeSpace(point.value)) return true;
        scan_.at += point.length;
      } else {
        return true;
      }
    }
    return false;
  }

  size_t LineEnd(size_t from) const {
    const void* newline =
        from < source_.size() ? std::memchr(source_.data() + from, '\n', source_.size() - from) : nullptr;
    return newline == nullptr ? source_.size()
                              : static_cast<size_t>(static_cast<const char*>(newline) - source_.data());
  }

  // A first line with #! is a shebang unless the next token (plain comments apart) is `[`.
  void Shebang() {
    const size_t begin = scan_.at;
    if (source_.substr(begin, 2) != "#!") return;
    scan_.at += 2;
    bool attribute = false;
    while (SkipSpace()) {
      const size_t token = scan_.at;
      if (Byte() == '/' && (Byte(1) == '/' || Byte(1) == '*')) {
        Comment();
        const TokenKind kind = tokens_.back().kind;
        tokens_.pop_back();
        if (IsComment(kind)) continue;
      }
      attribute = source_[token] == '[';
      break;
    }
    scan_.at = begin;
    if (attribute) return;
    scan_.at = LineEnd(begin);
    Push(TokenKind::kShebang, begin);
  }

  // --- lines at the start of a file (an unstable feature that the compiler's parser takes).
  void Frontmatter() {
    const size_t start = scan_.at;
    bool misplaced = false;
    while (scan_.at < source_.size() && IsSpace(Byte())) misplaced = source_[scan_.at++] != '\n';
    const size_t begin = scan_.at;
    size_t dashes = 0;
    while (Byte(dashes) == '-') ++dashes;
    if (dashes < 3) {
      scan_.at = start;
      return;
    }
    const size_t first_line = LineEnd(begin);
    bool bad = misplaced || dashes > 255 || first_line == source_.size();
    std::string_view info = Trim(source_.substr(begin + dashes, first_line - begin - dashes));
    for (size_t i = 0; i < info.size(); ++i) {
      const auto byte = static_cast<unsigned char>(info[i]);
      bad = bad || !(i == 0 ? IsIdentifierStartByte(byte) : IsIdentifierByte(byte) || byte == '-' || byte == '.');
    }
    const std::string fence = "\n" + std::string(dashes, '-');
    const size_t close = source_.find(fence, first_line);
    if (close == std::string_view::npos) {
      scan_.at = source_.size();
      Push(TokenKind::kFrontmatter, begin, true);
      return;
    }
    scan_.at = LineEnd(close + 1);
    bad = bad || !Trim(source_.substr(close + fence.size(), scan_.at - close - fence.size())).empty();
    Push(TokenKind::kFrontmatter, begin, bad);
  }

  static std::string_view Trim(std::string_view text) {
    while (!text.empty() && IsSpace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && IsSpace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
  }

  // A carriage return without its newline: not allowed in doc comments.
  [[nodiscard]] bool BareReturn(size_t begin, size_t end) const {
    for (size_t i = begin; i < end; ++i) {
      const void* found = std::memchr(source_.data() + i, '\r', end - i);
      if (found == nullptr) return false;
      i = static_cast<size_t>(static_cast<const char*>(found) - source_.data());
      if (i + 1 >= source_.size() || source_[i + 1] != '\n') return true;
    }
    return false;
  }

  void Comment() {
    const size_t begin = scan_.at;
    if (Byte(1) == '/') {
      TokenKind kind = TokenKind::kLineComment;
      if (Byte(2) == '!') kind = TokenKind::kInnerDoc;
      if (Byte(2) == '/' && Byte(3) != '/') kind = TokenKind::kOuterDoc;
      scan_.at = LineEnd(begin);
      Push(kind, begin, kind != TokenKind::kLineComment && BareReturn(begin, scan_.at));
      return;
    }
    TokenKind kind = TokenKind::kBlockComment;
    if (Byte(2) == '!') kind = TokenKind::kInnerDoc;
    if (Byte(2) == '*' && Byte(3) != '*' && Byte(3) != '/') kind = TokenKind::kOuterDoc;
    scan_.at += 2;
    size_t depth = 1;
    while (scan_.at < source_.size() && depth > 0) {
      if (Byte() == '/' && Byte(1) == '*') {
        ++depth;
        scan_.at += 2;
      } else if (Byte() == '*' && Byte(1) == '/') {
        --depth;
        scan_.at += 2;
      } else {
        ++scan_.at;
      }
    }
    Push(kind, begin, depth > 0 || (kind != TokenKind::kBlockComment && BareReturn(begin, scan_.at)));
  }

  void Identifier() {
    const size_t begin = scan_.at;
    while (IsIdentifierByte(Byte())) ++scan_.at;
    if (Byte() >= 0x80) scan_.IdentifierTail();
    // A prefix glued to a literal or hash is reserved from 2021 on.
    const bool prefix = edition_ >= 2021 && (Byte() == '"' || Byte() == '\'' || Byte() == '#');
    Push(TokenKind::kIdentifier, begin, prefix);
    tokens_.back().keyword = FindKeyword(source_.substr(begin, scan_.at - begin));
  }

  void RawIdentifier() {
    const size_t begin = scan_.at;
    scan_.at += 2;
    scan_.IdentifierTail();
    const Keyword word = FindKeyword(source_.substr(begin + 2, scan_.at - begin - 2));
    Push(TokenKind::kRawIdentifier, begin, !CanBeRaw(word));
  }

  static bool CanBeRaw(Keyword word) {
    return word != Keyword::kUnderscore && word != Keyword::kSelfLower && word != Keyword::kSelfUpper &&
           word != Keyword::kSuper && word != Keyword::kCrate;
  }

  void Literal(LiteralToken literal) {
    const size_t begin = scan_.at;
    scan_.at = literal.end;
    Push(literal.kind, begin, literal.bad);
  }

  // r"..", r#"..", r#name; b'..', b"..", br".."; c"..", cr".."; else an identifier.
  void Prefixed(unsigned char first) {
    const unsigned char second = Byte(1);
    if (first == 'r') {
      if (second == '#' && scan_.IdentifierStartsAt(scan_.at + 2)) return RawIdentifier();
      if (second == '#' || second == '"') return Literal(scan_.RawString(1, TokenKind::kRawString));
    } else if (first == 'b') {
      if (second == '\'') return Literal(scan_.SingleQuoted(1, TokenKind::kByte));
      if (second == '"') return Literal(scan_.DoubleQuoted(1, TokenKind::kByteString));
      if (second == 'r' && (Byte(2) == '"' || Byte(2) == '#')) {
        return Literal(scan_.RawString(2, TokenKind::kRawByteString));
      }
    } else if (edition_ >= 2021) {
      if (second == '"') return Literal(scan_.DoubleQuoted(1, TokenKind::kCString));
      if (second == 'r' && (Byte(2) == '"' || Byte(2) == '#')) {
        return Literal(scan_.RawString(2, TokenKind::kRawCString));
      }
    }
    Identifier();
  }

  void Quote() {
    const size_t begin = scan_.at;
    const CodePoint first = scan_.PointAt(begin + 1);
    const bool closes = begin + 1 + first.length < source_.size() && source_[begin + 1 + first.length] == '\'';
    const bool digit = first.value >= '0' && first.value <= '9';
    if (first.length == 0 || closes || !(digit || scan_.IdentifierStartsAt(begin + 1))) {
      return Literal(scan_.SingleQuoted(0, TokenKind::kChar));
    }
    if (edition_ >= 2021 && Byte(1) == 'r' && Byte(2) == '#' && scan_.IdentifierStartsAt(begin + 3)) {
      scan_.at = begin + 3;
      scan_.IdentifierTail();
      const Keyword word = FindKeyword(source_.substr(begin + 3, scan_.at - begin - 3));
      return Push(TokenKind::kRawLifetime, begin, !CanBeRaw(word) || Byte() == '\'');
    }
    scan_.at = begin + 1 + first.length;
    scan_.IdentifierTail();
    if (Byte() == '\'') {  // 'ab': more than one character
      ++scan_.at;
      return Push(TokenKind::kChar, begin, true);
    }
    Push(TokenKind::kLifetime, begin, digit || (edition_ >= 2021 && Byte() == '#'));
  }

  void NonAscii() {
    const size_t begin = scan_.at;
    const CodePoint point = DecodeUtf8(source_, begin);
    if (point.length > 0 && (IsXidStart(point.value) || IsEmoji(point.value))) {
      scan_.IdentifierTail();
      const bool prefix = edition_ >= 2021 && (Byte() == '"' || Byte() == '\'' || Byte() == '#');
      return Push(TokenKind::kIdentifier, begin, prefix);
    }
    scan_.at += point.length == 0 ? 1 : point.length;
    Push(TokenKind::kError, begin, true);
  }

  void Next();

  Scanner scan_;
  std::string_view source_;
  std::vector<Token>& tokens_;
  int edition_;
};

void Lexer::Next() {
  using enum TokenKind;
  const unsigned char byte = Byte();
  const unsigned char second = Byte(1);
  const unsigned char third = Byte(2);
  switch (byte) {
    case 'r':
    case 'b':
    case 'c':
      return Prefixed(byte);
    case '"':
      return Literal(scan_.DoubleQuoted(0, kString));
    case '\'':
      return Quote();
    case '/':
      if (second == '/' || second == '*') return Comment();
      return second == '=' ? Punctuation(kSlashEq, 2) : Punctuation(kSlash, 1);
    case '(':
      return Punctuation(kOpenParen, 1);
    case ')':
      return Punctuation(kCloseParen, 1);
    case '[':
      return Punctuation(kOpenBracket, 1);
    case ']':
      return Punctuation(kCloseBracket, 1);
    case '{':
      return Punctuation(kOpenBrace, 1);
    case '}':
      return Punctuation(kCloseBrace, 1);
    case ';':
      return Punctuation(kSemi, 1);
    case ',':
      return Punctuation(kComma, 1);
    case '.':
      if (second != '.') return Punctuation(kDot, 1);
      if (third == '.') return Punctuation(kDotDotDot, 3);
      return third == '=' ? Punctuation(kDotDotEq, 3) : Punctuation(kDotDot, 2);
    case ':':
      return second == ':' ? Punctuation(kPathSep, 2) : Punctuation(kColon, 1);
    case '=':
      if (second == '=') return Punctuation(kEqEq, 2);
      return second == '>' ? Punctuation(kFatArrow, 2) : Punctuation(kEq, 1);
    case '!':
      return second == '=' ? Punctuation(kNe, 2) : Punctuation(kNot, 1);
    case '<':
      if (second == '=') return Punctuation(kLe, 2);
      if (second == '-') return Punctuation(kLeftArrow, 2);
      if (second != '<') return Punctuation(kLt, 1);
      return third == '=' ? Punctuation(kShlEq, 3) : Punctuation(kShl, 2);
    case '>':
      if (second == '=') return Punctuation(kGe, 2);
      if (second != '>') return Punctuation(kGt, 1);
      return third == '=' ? Punctuation(kShrEq, 3) : Punctuation(kShr, 2);
    case '&':
      if (second == '&') return Punctuation(kAndAnd, 2);
      return second == '=' ? Punctuation(kAndEq, 2) : Punctuation(kAnd, 1);
    case '|':
      if (second == '|') return Punctuation(kOrOr, 2);
      return second == '=' ? Punctuation(kOrEq, 2) : Punctuation(kOr, 1);
    case '+':
      return second == '=' ? Punctuation(kPlusEq, 2) : Punctuation(kPlus, 1);
    case '-':
      if (second == '>') return Punctuation(kArrow, 2);
      return second == '=' ? Punctuation(kMinusEq, 2) : Punctuation(kMinus, 1);
    case '*':
      return second == '=' ? Punctuation(kStarEq, 2) : Punctuation(kStar, 1);
    case '%':
      return second == '=' ? Punctuation(kPercentEq, 2) : Punctuation(kPercent, 1);
    case '^':
      return second == '=' ? Punctuation(kCaretEq, 2) : Punctuation(kCaret, 1);
    case '#':
      Punctuation(kPound, 1);
      tokens_.back().bad = edition_ >= 2024 && (second == '"' || second == '#');
      return;
    case '$':
      return Punctuation(kDollar, 1);
    case '?':
      return Punctuation(kQuestion, 1);
    case '@':
      return Punctuation(kAt, 1);
    case '~':
      return Punctuation(kTilde, 1);
    default:
      break;
  }
  if (IsIdentifierStartByte(byte)) return Identifier();
  if (byte >= '0' && byte <= '9') return Literal(scan_.Number());
  if (byte >= 0x80) return NonAscii();
  const size_t begin = scan_.at++;
  Push(kError, begin, true);
}

}  // namespace

void LexRust(std::string_view source, std::vector<Token>& tokens, int edition) {
  tokens.clear();
  constexpr size_t kLimit = 0xFFFFFFFE;
  if (source.size() > kLimit) source = source.substr(0, kLimit);
  tokens.reserve(source.size() / 4 + 16);
  Lexer(source, tokens, edition).Run();
}

}  // namespace pintle::rust
