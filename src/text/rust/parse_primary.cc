// Primary expressions: literals, paths, blocks, control flow, closures, arrays.
#include "text/rust/parser_impl.h"

namespace pintle::rust {

bool Parser::Primary(Expression& expression) {
  expression = {};
  if (IsLiteral(token_) || IsBool(token_)) {
    Bump();
    expression.kind = Expression::kLiteral;
    return true;
  }
  switch (token_.kind) {
    case TokenKind::kOpenParen:
      return Parenthesised(expression);
    case TokenKind::kOpenBrace:
      return BlockExpression(expression);
    case TokenKind::kOr:
    case TokenKind::kOrOr:
      return Closure(expression);
    case TokenKind::kOpenBracket:
      return Array(expression);
    case TokenKind::kLifetime:
    case TokenKind::kRawLifetime:
      return Labelled(expression);
    default:
      break;
  }
  if (IsBuiltin()) return Builtin(expression);
  if (StartsPath(token_)) return PathExpression(expression);
  return KeywordPrimary(expression);
}

bool Parser::KeywordPrimary(Expression& expression) {
  const bool let_allowed = (restrictions_ & kAllowLet) != 0;
  const Restrict restrict(*this, restrictions_ & static_cast<uint8_t>(~kAllowLet));
  switch (token_.keyword) {
    case Keyword::kMove:
    case Keyword::kUse:
    case Keyword::kStatic:
      return Closure(expression);
    case Keyword::kConst:
      if (IsConstClosure()) return Closure(expression);
      if (!IsConstBlock()) return Fail("expression");
      Bump();
      expression.kind = Expression::kConstBlock;
      expression.trailing_brace = true;
      return Block(true);
    case Keyword::kIf:
      return If(expression);
    case Keyword::kFor:
      return ChoosesGenerics(1) ? Closure(expression) : For(expression);
    case Keyword::kWhile:
      return While(expression);
    case Keyword::kLoop:
      Bump();
      expression.kind = Expression::kControl;
      expression.trailing_brace = true;
      return Block(true);
    case Keyword::kMatch:
      return Match(expression);
    case Keyword::kUnsafe:
      Bump();
      return BlockExpression(expression);
    case Keyword::kTry:
      return TryBlock(expression);
    case Keyword::kReturn:
    case Keyword::kYield:
      Bump();
      return OptionalOperand(expression);
    case Keyword::kBreak:
      return Break(expression);
    case Keyword::kContinue:
      Bump();
      if (IsLifetime(token_)) UseLabel();
      return true;
    case Keyword::kDo:
      if (!PeekIs(1, Keyword::kYeet)) return Fail("expression");
      Bump();
      Bump();
      return OptionalOperand(expression);
    case Keyword::kBecome: {
      Bump();
      Expression call;
      if (!ParseExpression(call)) return false;
      expression.trailing_brace = call.trailing_brace;
      return true;
    }
    case Keyword::kLet:
      return Let(expression, let_allowed);
    case Keyword::kUnderscore:
      Bump();
      return true;
    case Keyword::kAsync:
      if (options_.edition >= 2024 && IsCoroutineBlock(Keyword::kGen, 1)) return AsyncBlock(expression);
      return IsCoroutineBlock(Keyword::kAsync, 0) ? AsyncBlock(expression) : Closure(expression);
    case Keyword::kGen:
      if (options_.edition >= 2024 && IsCoroutineBlock(Keyword::kGen, 0)) return AsyncBlock(expression);
      return Fail("expression");
    default:
      return Fail("expression");
  }
}

bool Parser::OptionalOperand(Expression& expression) {
  if (!StartsExpression(token_)) return true;
  Expression operand;
  if (!ParseExpression(operand)) return false;
  expression.trailing_brace = operand.trailing_brace;
  return true;
}

bool Parser::Parenthesised(Expression& /*expression*/) {
  CommaList([&] { return ParseExpression(); });
  return true;
}

bool Parser::Array(Expression& /*expression*/) {
  Group([&] {
    if (AtClose()) return true;
    if (!ParseExpression()) return false;
    if (Eat(TokenKind::kSemi)) return ParseExpression();
    while (Eat(TokenKind::kComma)) {
      if (AtClose()) return true;
      if (!ParseExpression()) return false;
    }
    return AtClose() || Fail("`,`, `;` or `]`");
  });
  return true;
}

bool Parser::PathExpression(Expression& expression) {
  PathResult path;
  const bool qualified = Is(TokenKind::kLt) || Is(TokenKind::kShl);
  if (!(qualified ? QualifiedPath(PathStyle::kExpression, path) : Path(PathStyle::kExpression, path))) return false;
  if (Is(TokenKind::kNot)) {
    if (qualified) Complain("macros cannot use qualified paths");
    Bump();
    expression.kind = Expression::kMacro;
    if (!MacroArguments(expression.brace_macro)) return false;
    expression.trailing_brace = expression.brace_macro;
    return true;
  }
  if (Is(TokenKind::kOpenBrace)) {
    if ((restrictions_ & kNoStruct) == 0) return StructLiteral(expression);
    if (LooksLikeStruct()) return Fail("parentheses around a struct literal here");
  }
  if (!qualified && path.segments == 1 && !path.arguments) expression.kind = Expression::kIdentifier;
  return true;
}

// Where no struct literal may stand, `{ name:` or names with commas only are one all the same (a block or the arms of a
// match could hardly start so), and an error.
bool Parser::LooksLikeStruct() const {
  if (!IsName(Peek())) return false;
  if (PeekIs(2, TokenKind::kColon)) return true;
  if (!PeekIs(2, TokenKind::kComma)) return false;
  const size_t close = closes_[at_];
  size_t i = at_ + 1;
  while (i < close && IsName(tokens_[i]) && tokens_[i + 1].kind == TokenKind::kComma) i += 2;
  return i == close || (i + 1 == close && IsName(tokens_[i]));
}

// { fields } behind a path.
bool Parser::StructLiteral(Expression& expression) {
  expression.trailing_brace = true;
  Group([&] {
    while (!AtClose()) {
      if (Eat(TokenKind::kDotDot)) {
        if (!AtClose() && !ParseExpression()) return false;
        return AtClose() || Fail("`}`");
      }
      if (!StructField()) return false;
      if (!Eat(TokenKind::kComma) && !AtClose()) return Fail("`,`");
    }
    return true;
  });
  return true;
}

bool Parser::StructField() {
  Attributes attributes;
  OuterAttributes(attributes);
  if (!PeekIs(1, TokenKind::kColon)) return Name();
  if (!FieldName()) return false;
  Bump();
  return ParseExpression();
}

bool Parser::CaptureClause() {
  if (!Eat(Keyword::kMove) && !Eat(Keyword::kUse)) return true;
  return !Is(Keyword::kAsync) || Fail("`async` before `move`");
}

bool Parser::Closure(Expression& expression) {
  bool binder = false;
  if (!Binder(binder)) return false;
  if (IsConstClosure()) Bump();
  Eat(Keyword::kStatic);
  if (Is(Keyword::kAsync) && Reserved(Keyword::kAsync)) Bump();
  if (options_.edition >= 2024) Eat(Keyword::kGen);
  if (!CaptureClause()) return false;
  if (!Eat(TokenKind::kOrOr)) {
    if (!Eat(TokenKind::kOr)) return Fail("`|`");
    while (!Is(TokenKind::kOr) && !Is(TokenKind::kOrOr)) {
      Attributes attributes;
      OuterAttributes(attributes);
      Pattern pattern;
      if (!PatternNoAlternatives(pattern)) return false;
      if (Eat(TokenKind::kColon) && !ParseType()) return false;
      if (!Eat(TokenKind::kComma)) break;
    }
    if (!EatSplit(TokenKind::kOr)) return Fail("`,` or `|`");
  }
  if (Is(TokenKind::kArrow)) {
    if (!ReturnType(true, nullptr)) return false;
    Expression body;
    if (!BlockExpression(body)) return false;
    expression.trailing_brace = true;
    return true;
  }
  Expression body;
  if (!ParseExpression(body, restrictions_ & static_cast<uint8_t>(~(kStatementExpr | kAllowLet)))) return false;
  expression.trailing_brace = body.trailing_brace;
  return true;
}

// The condition of if and while, or (`guard`) of a match arm. Let chains are new in 2024, except in guards.
bool Parser::Condition(bool guard) {
  const Span first = {token_.begin, token_.end};
  Expression condition;
  const uint8_t restrictions = guard ? kAllowLet : static_cast<uint8_t>(kNoStruct | kAllowLet);
  if (!ParseExpression(condition, restrictions)) return false;
  if (!guard && condition.kind == Expression::kAnd && condition.has_let && options_.edition < 2024) {
    ComplainAt(first, "let chains are only allowed in Rust 2024 or later");
  }
  return true;
}

bool Parser::If(Expression& expression) {
  expression.kind = Expression::kControl;
  expression.trailing_brace = true;
  while (true) {
    Bump();
    if (!Condition(false)) return false;
    NoAttributes("outer attributes are not allowed on `if` and `else` branches");
    if (!Block(false)) return false;
    if (!Eat(Keyword::kElse)) return true;
    NoAttributes("outer attributes are not allowed on `if` and `else` branches");
    if (!Is(Keyword::kIf)) return Block(false);
  }
}

bool Parser::While(Expression& expression) {
  expression.kind = Expression::kControl;
  expression.trailing_brace = true;
  Bump();
  return Condition(false) && Block(true);
}

bool Parser::For(Expression& expression) {
  expression.kind = Expression::kControl;
  expression.trailing_brace = true;
  Bump();
  if (Is(Keyword::kAwait) && Reserved(Keyword::kAwait)) Bump();
  Pattern pattern;
  if (!PatternTop(pattern, true)) return false;
  if (!Eat(Keyword::kIn)) return Fail("`in`");
  Expression iterator;
  return ParseExpression(iterator, kNoStruct) && Block(true);
}

bool Parser::Match(Expression& expression) {
  Bump();
  Expression scrutinee;
  return ParseExpression(scrutinee, kNoStruct) && MatchBlock(expression);
}

bool Parser::MatchBlock(Expression& expression) {
  expression.kind = Expression::kControl;
  expression.trailing_brace = true;
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  Group([&] {
    InnerAttributes();
    while (!AtClose()) {
      if (!Arm()) return false;
    }
    return true;
  });
  return true;
}

bool Parser::Arm() {
  Attributes attributes;
  OuterAttributes(attributes);
  Pattern pattern;
  if (!PatternTop(pattern, false)) return false;
  if (Eat(Keyword::kIf) && !Condition(true)) return false;
  // An arm without a body is for patterns that never match: syntax that the parser takes.
  if (Eat(TokenKind::kComma) || AtClose()) return true;
  if (!Eat(TokenKind::kFatArrow)) return Fail("`=>`");
  Expression body;
  if (!ParseExpression(body, kStatementExpr)) return false;
  if (Eat(TokenKind::kComma) || body.Complete() || AtClose()) return true;
  return Fail("`,` or `}` behind a match arm");
}

bool Parser::Let(Expression& expression, bool allowed) {
  if (!allowed) Complain("expected expression, found `let` statement");
  Bump();
  Pattern pattern;
  if (!PatternTop(pattern, false) || !Expect(TokenKind::kEq, "`=`")) return false;
  Expression scrutinee;
  constexpr int kAboveLazyAnd = 5;
  if (!Associative(kAboveLazyAnd, scrutinee)) return false;
  expression.kind = Expression::kLet;
  expression.has_let = true;
  expression.trailing_brace = scrutinee.trailing_brace;
  return true;
}

bool Parser::Labelled(Expression& expression) {
  UseLabel();
  if (!Eat(TokenKind::kColon)) return Fail("`:` behind a label");
  if (Is(TokenKind::kOpenBrace)) return BlockExpression(expression);
  if (Is(Keyword::kLoop) || Is(Keyword::kWhile) || Is(Keyword::kFor)) return KeywordPrimary(expression);
  return Fail("`while`, `for`, `loop` or `{` after a label");
}

bool Parser::Break(Expression& expression) {
  Bump();
  if (IsLifetime(token_)) {
    // break 'a: loop {} is no label but a labelled loop without parentheses.
    if (PeekIs(1, TokenKind::kColon)) return Fail("parentheses around a labelled expression");
    UseLabel();
  }
  if (Is(TokenKind::kOpenBrace) && (restrictions_ & kNoStruct) != 0) return true;
  return OptionalOperand(expression);
}

bool Parser::IsCoroutineBlock(Keyword keyword, size_t ahead) const {
  if (!PeekIs(ahead, keyword)) return false;
  if (PeekIs(ahead + 1, Keyword::kMove) || PeekIs(ahead + 1, Keyword::kUse)) ++ahead;
  return PeekIs(ahead + 1, TokenKind::kOpenBrace);
}

bool Parser::AsyncBlock(Expression& expression) {
  Eat(Keyword::kAsync);
  Eat(Keyword::kGen);
  expression.trailing_brace = true;
  return CaptureClause() && Block(true);
}

bool Parser::TryBlock(Expression& expression) {
  const bool typed = NameIs(Peek(), "bikeshed");
  if (!typed && !PeekIs(1, TokenKind::kOpenBrace)) return Fail("expression");
  Bump();
  if (typed) {
    Bump();
    if (!ParseType()) return false;
  }
  expression.kind = Expression::kControl;
  expression.trailing_brace = true;
  return Block(true);
}

// builtin # offset_of(..) and its like, which the standard library's macros expand to.
bool Parser::Builtin(Expression& /*expression*/) {
  Bump();
  Bump();
  const std::string_view name = token_.Text(source_);
  if (!Name()) return false;
  if (!Is(TokenKind::kOpenParen)) return Fail("`(`");
  Group([&] {
    if (name == "offset_of") {
      return ParseType() && Expect(TokenKind::kComma, "`,`") && ParseExpression() && (Eat(TokenKind::kComma) || true);
    }
    if (name == "type_ascribe") return ParseExpression() && Expect(TokenKind::kComma, "`,`") && ParseType();
    if (name == "wrap_binder" || name == "unwrap_binder") {
      return ParseExpression() && (!Eat(TokenKind::kComma) || ParseType());
    }
    return Fail("a builtin construct");
  });
  return true;
}

}  // namespace pintle::rust
