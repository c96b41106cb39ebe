// Blocks and statements.
#include "text/rust/parser_impl.h"

namespace pintle::rust {
namespace {

// Keywords with which an item in a block can start; most statements start with none of them.
bool MayStartItem(Keyword keyword) {
  switch (keyword) {
    case Keyword::kUse:
    case Keyword::kFn:
    case Keyword::kExtern:
    case Keyword::kStatic:
    case Keyword::kUnsafe:
    case Keyword::kSafe:
    case Keyword::kPub:
    case Keyword::kConst:
    case Keyword::kAsync:
    case Keyword::kGen:
    case Keyword::kImpl:
    case Keyword::kTrait:
    case Keyword::kAuto:
    case Keyword::kMod:
    case Keyword::kType:
    case Keyword::kEnum:
    case Keyword::kStruct:
    case Keyword::kUnion:
    case Keyword::kMacro:
    case Keyword::kMacroRules:
    case Keyword::kFinal:
    case Keyword::kReuse:
      return true;
    default:
      return false;
  }
}

}  // namespace

// `inner_attributes`: whether #![..] may stand at the start.
bool Parser::Block(bool inner_attributes) {
  Level level(*this);
  if (!level.ok()) return false;
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  const size_t close = closes_[at_];
  Bump();
  const uint32_t begin = token_.begin;
  if (InnerAttributes() && !inner_attributes) {
    ComplainAt({begin, previous_end_}, "an inner attribute is not permitted in this context");
  }
  const Restrict restrict(*this, 0);
  Statements(close);
  MoveTo(close);
  Bump();
  return true;
}

bool Parser::BlockExpression(Expression& expression) {
  expression.kind = Expression::kBlock;
  expression.trailing_brace = true;
  return Block(true);
}

void Parser::Statements(size_t close) {
  while (at_ < close) {
    const size_t start = at_;
    const uint32_t begin = token_.begin;
    size_t record = 0;
    if (outline_ != nullptr) {
      record = outline_->statements.size();
      outline_->statements.push_back({begin, begin});
    }
    if (!Statement()) SkipBroken(start, close, true);
    if (outline_ != nullptr) outline_->statements[record] = ParsedFrom(begin);
  }
}

bool Parser::Statement() {
  Attributes attributes;
  if (Is(TokenKind::kPound) || Is(TokenKind::kOuterDoc) || Is(TokenKind::kInnerDoc)) OuterAttributes(attributes);
  if (Is(Keyword::kSuper) && PeekIs(1, Keyword::kLet)) Bump();
  if (Is(Keyword::kLet)) return Local();
  const bool qualified = Is(TokenKind::kLt) || Is(TokenKind::kShl);
  if (StartsPath(token_) && !qualified && !StartsPathItem() && !IsBuiltin()) return PathStatement();
  if (MayStartItem(token_.keyword)) {
    const ItemResult result = Item(ItemPlace::kStatement, attributes);
    if (result != ItemResult::kNone) return result == ItemResult::kOk;
  }
  if (Is(TokenKind::kSemi) || AtClose()) {
    if (attributes.any) return Fail("statement after outer attribute or doc comment");
    return Eat(TokenKind::kSemi) || Fail("statement");
  }
  if (attributes.any && (Is(TokenKind::kDotDot) || Is(TokenKind::kDotDotEq))) {
    Complain("attributes are not allowed on range expressions starting with `..`");
  }
  Expression expression;
  return ParseExpression(expression, kStatementExpr) && EndStatement(expression);
}

bool Parser::EndStatement(const Expression& expression) {
  if (Eat(TokenKind::kSemi) || AtClose()) return true;
  if (expression.Complete() || (expression.kind == Expression::kMacro && expression.brace_macro)) return true;
  return Fail("`;` or `}`");
}

// Weak keywords that open an item although they could open a path.
bool Parser::StartsPathItem() const {
  if (token_.keyword == Keyword::kNone) return false;
  return (Is(Keyword::kUnion) && IsFreeName(Peek())) || IsReuse() || StartsTrait() || IsMacroRules() ||
         (Is(Keyword::kAsync) && PeekIs(1, Keyword::kFn));
}

bool Parser::PathStatement() {
  PathResult path;
  if (!Path(PathStyle::kExpression, path)) return false;
  if (Eat(TokenKind::kNot)) return MacroStatement();
  const Restrict restrict(*this, kStatementExpr);
  Expression expression;
  if (Is(TokenKind::kOpenBrace) && !StructLiteral(expression)) return false;
  return Postfix(expression) && AssociativeRest(0, expression) && EndStatement(expression);
}

// Behind name!: with braces a statement of its own unless `.` or `?` follows.
bool Parser::MacroStatement() {
  bool brace = false;
  if (!MacroArguments(brace)) return false;
  if ((brace && !Is(TokenKind::kDot) && !Is(TokenKind::kQuestion)) || Is(TokenKind::kSemi) || Is(TokenKind::kEnd)) {
    Eat(TokenKind::kSemi);
    return true;
  }
  Expression expression;
  expression.kind = Expression::kMacro;
  expression.brace_macro = brace;
  return Postfix(expression) && AssociativeRest(0, expression) && EndStatement(expression);
}

bool Parser::Local() {
  Bump();
  Pattern pattern;
  if (!PatternTop(pattern, false)) return false;
  if (pattern.alternatives) Complain("`let` bindings require top-level or-patterns in parentheses");
  if (Eat(TokenKind::kColon) && !ParseType()) return false;
  if (Eat(TokenKind::kEq)) {
    Expression value;
    if (!ParseExpression(value)) return false;
    if (Eat(Keyword::kElse)) {
      if (!Block(false)) return false;
      if (value.kind == Expression::kAnd || value.kind == Expression::kOr) {
        Complain("a lazy boolean expression cannot be directly assigned in `let...else`");
      }
      if (value.trailing_brace) Complain("right curly brace `}` before `else` in a `let...else` statement not allowed");
    }
  }
  return Semi();
}

}  // namespace pintle::rust
