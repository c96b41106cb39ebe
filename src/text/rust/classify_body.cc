// Trivial function bodies, told by tokens: a body that type-checks and does nothing counts as no answer in the
// evaluation.
#include <algorithm>
#include <array>

#include "text/rust/outline.h"

namespace pintle::rust {
namespace {

class Body {
 public:
  Body(std::string_view source, const Function& function)
      : source_(source.substr(function.body.begin, function.body.size())), function_(function) {
    std::vector<Token> all;
    LexRust(source_, all);
    for (const Token& token : all) {
      if (IsComment(token.kind) || token.kind == TokenKind::kOuterDoc || token.kind == TokenKind::kInnerDoc) continue;
      if (token.kind != TokenKind::kEnd) tokens_.push_back(token);
    }
    // Without the braces, leading `return` and trailing semicolons.
    begin_ = tokens_.empty() ? 0 : 1;
    end_ = tokens_.empty() ? 0 : tokens_.size() - 1;
    while (end_ > begin_ && tokens_[end_ - 1].kind == TokenKind::kSemi) --end_;
    if (begin_ < end_ && tokens_[begin_].keyword == Keyword::kReturn) ++begin_;
  }

  [[nodiscard]] BodyKind Kind() const {
    if (IsEmpty()) return BodyKind::kEmpty;
    if (Diverges()) return BodyKind::kDiverges;
    if (IsConstant()) return BodyKind::kConstant;
    return IgnoresParameters() ? BodyKind::kIgnoresParameters : BodyKind::kOrdinary;
  }

 private:
  [[nodiscard]] std::string_view Text(size_t i) const {
    return i < tokens_.size() ? tokens_[i].Text(source_) : std::string_view();
  }
  [[nodiscard]] bool Is(size_t i, TokenKind kind) const { return i < tokens_.size() && tokens_[i].kind == kind; }
  static int Depth(TokenKind kind) {
    if (kind == TokenKind::kOpenParen || kind == TokenKind::kOpenBracket || kind == TokenKind::kOpenBrace) return 1;
    if (kind == TokenKind::kCloseParen || kind == TokenKind::kCloseBracket || kind == TokenKind::kCloseBrace) return -1;
    return 0;
  }

  [[nodiscard]] bool IsEmpty() const {
    if (begin_ >= end_) return true;
    return end_ - begin_ == 2 && Is(begin_, TokenKind::kOpenParen) && Is(begin_ + 1, TokenKind::kCloseParen);
  }

  // A panic, an exit or an endless loop in a statement of the body itself (not inside a group), with no `return` before
  // it and not behind a lazy operator or in a closure.
  [[nodiscard]] bool Diverges() const {
    constexpr std::array<std::string_view, 4> kMacros = {"todo", "unimplemented", "panic", "unreachable"};
    int depth = 0;
    bool certain = true;
    for (size_t i = begin_; i < end_; ++i) {
      const TokenKind kind = tokens_[i].kind;
      depth += Depth(kind);
      if (depth > 0) continue;
      if (kind == TokenKind::kSemi || kind == TokenKind::kCloseBrace) certain = true;
      if (kind == TokenKind::kOr || kind == TokenKind::kOrOr || kind == TokenKind::kAndAnd) certain = false;
      if (tokens_[i].keyword == Keyword::kReturn) return false;
      if (!certain) continue;
      const std::string_view text = Text(i);
      if (Is(i + 1, TokenKind::kNot) && std::find(kMacros.begin(), kMacros.end(), text) != kMacros.end()) return true;
      if ((text == "exit" || text == "abort") && Is(i + 1, TokenKind::kOpenParen) && i >= 2 &&
          Text(i - 2) == "process") {
        return true;
      }
      if (tokens_[i].keyword == Keyword::kLoop && NeverLeaves(i + 1)) return true;
    }
    return false;
  }

  // Whether the block at `open` has no way out of its loop.
  [[nodiscard]] bool NeverLeaves(size_t open) const {
    int depth = 0;
    for (size_t i = open; i < end_; ++i) {
      depth += Depth(tokens_[i].kind);
      if (tokens_[i].keyword == Keyword::kBreak || tokens_[i].keyword == Keyword::kReturn ||
          tokens_[i].kind == TokenKind::kQuestion || tokens_[i].kind == TokenKind::kNot) {
        return false;
      }
      if (depth == 0) return true;
    }
    return true;
  }

  [[nodiscard]] bool Names(std::string_view name) const {
    for (size_t i = begin_; i < end_; ++i) {
      const Token& token = tokens_[i];
      if (token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kRawIdentifier) {
        if (Text(i) == name) return true;
      } else if (token.kind == TokenKind::kString || token.kind == TokenKind::kRawString) {
        if (CapturedIn(Text(i), name)) return true;
      }
    }
    return false;
  }

  // {name} or {name:..} in a format string.
  static bool CapturedIn(std::string_view text, std::string_view name) {
    for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const size_t end = at + name.size();
      if (at > 0 && text[at - 1] == '{' && end < text.size() && (text[end] == '}' || text[end] == ':')) return true;
    }
    return false;
  }

  [[nodiscard]] bool UsesAnyParameter() const {
    if (function_.has_self && Names("self")) return true;
    return std::any_of(function_.parameters.begin(), function_.parameters.end(),
                       [&](const std::string& name) { return Names(name); });
  }

  // One expression of literals, paths and constructors without a parameter in it.
  [[nodiscard]] bool IsConstant() const {
    constexpr std::array<std::string_view, 7> kMakers = {"new",   "default", "from",  "with_capacity",
                                                         "empty", "vec",     "String"};
    if (UsesAnyParameter()) return false;
    for (size_t i = begin_; i < end_; ++i) {
      const Token& token = tokens_[i];
      switch (token.kind) {
        case TokenKind::kIdentifier:
        case TokenKind::kRawIdentifier: {
          const bool boolean = token.keyword == Keyword::kTrue || token.keyword == Keyword::kFalse;
          const bool path = token.keyword == Keyword::kSelfUpper || token.keyword == Keyword::kCrate;
          if (token.keyword != Keyword::kNone && token.keyword != Keyword::kDefault && !boolean && !path) return false;
          const std::string_view text = Text(i);
          const bool upper = text.front() >= 'A' && text.front() <= 'Z';
          const bool called = Is(i + 1, TokenKind::kOpenParen) || Is(i + 1, TokenKind::kNot);
          if (called && !upper && std::find(kMakers.begin(), kMakers.end(), text) == kMakers.end()) return false;
          break;
        }
        case TokenKind::kDot:  // "x".to_string() and its like
          if (!Is(i + 2, TokenKind::kOpenParen) || !Is(i + 3, TokenKind::kCloseParen)) return false;
          if (Text(i + 1) != "to_string" && Text(i + 1) != "to_owned" && Text(i + 1) != "into") return false;
          i += 3;
          break;
        case TokenKind::kSemi:
        case TokenKind::kQuestion:
        case TokenKind::kOr:
        case TokenKind::kOrOr:
        case TokenKind::kFatArrow:
        case TokenKind::kEq:
          return false;
        default:
          break;
      }
    }
    return true;
  }

  [[nodiscard]] bool IgnoresParameters() const {
    bool any = function_.has_self;
    for (const std::string& name : function_.parameters) any = any || name.front() != '_';
    return any && !UsesAnyParameter();
  }

  std::string_view source_;
  const Function& function_;
  std::vector<Token> tokens_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace

BodyKind ClassifyBody(std::string_view source, const Function& function) {
  if (function.body.size() == 0 || function.body.end > source.size()) return BodyKind::kOrdinary;
  return Body(source, function).Kind();
}

}  // namespace pintle::rust
