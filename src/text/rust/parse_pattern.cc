// Patterns.
#include "text/rust/parser_impl.h"

namespace pintle::rust {

// Alternatives with |, a leading one too. `allow_guard`: `if` and an expression may follow (an unstable feature inside
// patterns).
bool Parser::PatternTop(Pattern& pattern, bool allow_guard) {
  pattern = {};
  bool alternatives = Eat(TokenKind::kOr);
  if (!PatternNoAlternatives(pattern)) return false;
  while (Eat(TokenKind::kOr)) {
    alternatives = true;
    Pattern other;
    if (!PatternNoAlternatives(other)) return false;
  }
  if (Is(TokenKind::kOrOr)) return Fail("a single `|` in a pattern");
  if (alternatives) pattern = {};
  pattern.alternatives = alternatives;
  if (allow_guard && Eat(Keyword::kIf)) {
    pattern = {};
    return ParseExpression();
  }
  return true;
}

bool Parser::PatternNoAlternatives(Pattern& pattern, bool allow_range) {
  Level level(*this);
  if (!level.ok()) return false;
  pattern = {};
  bool reference = false;
  while (EatSplit(TokenKind::kAnd)) {
    while (EatSplit(TokenKind::kAnd)) {
    }
    if (IsLifetime(token_)) return Fail("pattern, not a lifetime");
    PinOrMut();
    reference = true;
  }
  const bool old_range = Is(TokenKind::kDotDotDot);
  if (!PatternCore(pattern)) return false;
  if ((reference || !allow_range) && pattern.kind == Pattern::kRange && !old_range) {
    Complain("the range pattern here has ambiguous interpretation");
  }
  if (reference) pattern = {};
  if (Is(TokenKind::kAt)) return Fail("a name on the left of `@`");
  return true;
}

bool Parser::PatternCore(Pattern& pattern) {
  if (Is(TokenKind::kOpenParen)) {
    uint32_t count = 0;
    bool trailing = false;
    Pattern inner;
    CommaList([&] { return PatternTop(inner, true); }, &count, &trailing);
    return true;
  }
  if (Is(TokenKind::kOpenBracket)) {
    CommaList([&] {
      Pattern inner;
      return PatternTop(inner, true);
    });
    return true;
  }
  if (Is(TokenKind::kDotDot) && !StartsRangeEnd(1)) {
    Bump();
    return true;
  }
  if (Is(TokenKind::kDotDotDot)) return Fail("pattern: `..` or `..=`");
  if (Eat(TokenKind::kDotDot) || Eat(TokenKind::kDotDotEq)) return PatternRangeEnd(pattern, true);
  if (Eat(TokenKind::kNot) || Eat(Keyword::kUnderscore)) return true;
  if (Eat(Keyword::kMut)) {
    const bool by_reference = Eat(Keyword::kRef);
    if (by_reference) PinOrMut();
    const uint32_t begin = token_.begin;
    Pattern inner;
    if (!PatternNoAlternatives(inner)) return false;
    if (inner.kind != Pattern::kBinding)
      ComplainAt({begin, previous_end_}, "`mut` must be followed by a named binding");
    return true;
  }
  if (Eat(Keyword::kRef)) {
    PinOrMut();
    return PatternIdentifier(pattern, false);
  }
  if (Eat(Keyword::kBox)) {
    Pattern inner;
    return PatternNoAlternatives(inner, false);
  }
  if (IsConstBlock()) return Fail("pattern: const blocks cannot be used as patterns");
  if (IsBuiltin()) {  // builtin # deref(pattern)
    Bump();
    Bump();
    if (!Name() || !Is(TokenKind::kOpenParen)) return Fail("`(`");
    Group([&] {
      Pattern inner;
      return PatternTop(inner, true);
    });
    return true;
  }
  const TokenKind next = Peek().kind;
  const bool name = IsName(token_) && !IsBool(token_) && !Is(Keyword::kIn);
  if (name && !IsPathKeyword(token_.keyword) && next != TokenKind::kOpenParen && next != TokenKind::kOpenBrace &&
      next != TokenKind::kDotDotDot && next != TokenKind::kDotDotEq && next != TokenKind::kDotDot &&
      next != TokenKind::kPathSep && next != TokenKind::kNot) {
    return PatternIdentifier(pattern, true);
  }
  if (name || StartsPath(token_)) return PatternPath(pattern);
  if (!PatternLiteral()) return false;
  return PatternRangeEnd(pattern, false);
}

bool Parser::PatternLiteral() {
  Eat(TokenKind::kMinus);
  if (!IsLiteral(token_) && !IsBool(token_)) return Fail("pattern");
  Bump();
  return true;
}

bool Parser::PatternPath(Pattern& pattern) {
  PathResult path;
  const bool qualified = Is(TokenKind::kLt) || Is(TokenKind::kShl);
  if (!(qualified ? QualifiedPath(PathStyle::kPattern, path) : Path(PathStyle::kPattern, path))) return false;
  if (!qualified && Eat(TokenKind::kNot)) {
    bool brace = false;
    return MacroArguments(brace);
  }
  if (Is(TokenKind::kOpenBrace)) return PatternFields();
  if (Is(TokenKind::kOpenParen)) {
    CommaList([&] {
      Pattern inner;
      return PatternTop(inner, true);
    });
    return true;
  }
  return PatternRangeEnd(pattern, false);
}

bool Parser::PatternIdentifier(Pattern& pattern, bool plain) {
  const std::string_view name = token_.Text(source_);
  if (!Name()) return false;
  if (bindings_ != nullptr) bindings_->emplace_back(name);
  if (plain) pattern.kind = Pattern::kBinding;
  if (Eat(TokenKind::kAt)) {
    Pattern inner;
    if (!PatternNoAlternatives(inner)) return false;
  }
  return !Is(TokenKind::kOpenParen) || Fail("no arguments behind a name");
}

bool Parser::PatternFields() {
  Group([&] {
    while (!AtClose()) {
      if (Is(TokenKind::kDotDot)) {
        Bump();
        return AtClose() || Fail("`}`");
      }
      Attributes attributes;
      OuterAttributes(attributes);
      if (PeekIs(1, TokenKind::kColon)) {
        Pattern inner;
        if (!FieldName()) return false;
        Bump();
        if (!PatternTop(inner, true)) return false;
      } else {
        Eat(Keyword::kBox);
        Eat(Keyword::kMut);
        if (Eat(Keyword::kRef)) PinOrMut();
        if (bindings_ != nullptr) bindings_->emplace_back(token_.Text(source_));
        if (!FieldName()) return false;
      }
      if (!Eat(TokenKind::kComma) && !AtClose()) return Fail("`,`");
    }
    return true;
  });
  return true;
}

bool Parser::StartsRangeEnd(size_t ahead) const {
  const Token& token = Peek(ahead);
  return IsConstBlock(ahead) || StartsPath(token) || IsLiteral(token) || token.kind == TokenKind::kMinus ||
         IsBool(token) || token.kind == TokenKind::kDot || IsLifetime(token);
}

// Behind the start of a range, or (`required`) behind a leading operator.
bool Parser::PatternRangeEnd(Pattern& pattern, bool required) {
  bool closed = false;
  if (!required) {
    if (!Is(TokenKind::kDotDot) && !Is(TokenKind::kDotDotEq) && !Is(TokenKind::kDotDotDot)) return true;
    closed = !Is(TokenKind::kDotDot);
    Bump();
  }
  pattern.kind = Pattern::kRange;
  if (!StartsRangeEnd(0)) {
    if (closed || required) return Fail("the end of the range");
    return true;
  }
  if (IsConstBlock()) return Fail("pattern: const blocks cannot be used as patterns");
  PathResult path;
  if (Is(TokenKind::kLt) || Is(TokenKind::kShl)) return QualifiedPath(PathStyle::kPattern, path);
  if (StartsPath(token_)) return Path(PathStyle::kPattern, path);
  return PatternLiteral();
}

// mut, pin mut, pin const, or nothing.
void Parser::PinOrMut() {
  if (NameIs(token_, "pin") && IsMutability(Peek())) {
    Bump();
    Bump();
  } else {
    Eat(Keyword::kMut);
  }
}

}  // namespace pintle::rust
