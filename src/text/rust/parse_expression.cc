// Expressions by precedence: binary operators, casts, ranges, prefixes, postfixes.
#include "text/rust/parser_impl.h"
#include "text/rust/scanner.h"

namespace pintle::rust {
namespace {

enum Precedence : uint8_t {
  kNone = 0,
  kAssign,
  kRange,
  kLazyOr,
  kLazyAnd,
  kCompare,
  kBitOr,
  kBitXor,
  kBitAnd,
  kShift,
  kSum,
  kProduct,
  kCast,
};

Precedence OperatorPrecedence(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEq:
    case TokenKind::kPlusEq:
    case TokenKind::kMinusEq:
    case TokenKind::kStarEq:
    case TokenKind::kSlashEq:
    case TokenKind::kPercentEq:
    case TokenKind::kCaretEq:
    case TokenKind::kAndEq:
    case TokenKind::kOrEq:
    case TokenKind::kShlEq:
    case TokenKind::kShrEq:
      return kAssign;
    case TokenKind::kDotDot:
    case TokenKind::kDotDotEq:
    case TokenKind::kDotDotDot:
      return kRange;
    case TokenKind::kOrOr:
      return kLazyOr;
    case TokenKind::kAndAnd:
      return kLazyAnd;
    case TokenKind::kEqEq:
    case TokenKind::kNe:
    case TokenKind::kLt:
    case TokenKind::kLe:
    case TokenKind::kGt:
    case TokenKind::kGe:
    case TokenKind::kLeftArrow:
      return kCompare;
    case TokenKind::kOr:
      return kBitOr;
    case TokenKind::kCaret:
      return kBitXor;
    case TokenKind::kAnd:
      return kBitAnd;
    case TokenKind::kShl:
    case TokenKind::kShr:
      return kShift;
    case TokenKind::kPlus:
    case TokenKind::kMinus:
      return kSum;
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent:
      return kProduct;
    case TokenKind::kIdentifier:
      return token.keyword == Keyword::kAs ? kCast : kNone;
    default:
      return kNone;
  }
}

// Behind a block-like statement these go on with the expression, which is then an error: parentheses are missing.
bool ContinuesBlock(TokenKind kind, Precedence precedence) {
  return precedence == kAssign || precedence == kCast || kind == TokenKind::kCaret || kind == TokenKind::kSlash ||
         kind == TokenKind::kPercent || kind == TokenKind::kShr || kind == TokenKind::kLe || kind == TokenKind::kGt ||
         kind == TokenKind::kGe;
}

bool IsRange(TokenKind kind) {
  return kind == TokenKind::kDotDot || kind == TokenKind::kDotDotEq || kind == TokenKind::kDotDotDot;
}

}  // namespace

bool Parser::ParseExpression(Expression& expression, uint8_t restrictions) {
  const Restrict restrict(*this, restrictions);
  return Associative(0, expression);
}

// An expression of operators that bind at least as tightly as `least`.
bool Parser::Associative(int least, Expression& expression) {
  Level level(*this);
  if (!level.ok()) return false;
  expression = {};
  if (Is(TokenKind::kPound) || Is(TokenKind::kOuterDoc) || Is(TokenKind::kInnerDoc)) {
    Attributes attributes;
    OuterAttributes(attributes);
    if (IsRange(token_.kind)) Complain("attributes are not allowed on range expressions starting with `..`");
  }
  if (IsRange(token_.kind)) return PrefixRange(expression);
  return Prefix(expression) && AssociativeRest(least, expression);
}

bool Parser::AssociativeRest(int least, Expression& left) {
  if (left.Complete() && (restrictions_ & kStatementExpr) != 0) {
    const Precedence precedence = OperatorPrecedence(token_);
    if (precedence == kNone || !ContinuesBlock(token_.kind, precedence)) return true;
    Complain("this expression starts a statement: parentheses are needed");
  }
  while (true) {
    const TokenKind kind = token_.kind;
    const Precedence precedence = OperatorPrecedence(token_);
    if (precedence == kNone || precedence < least) return true;
    if ((restrictions_ & kConstArgument) != 0 &&
        (kind == TokenKind::kGt || kind == TokenKind::kGe || kind == TokenKind::kShr || kind == TokenKind::kShrEq)) {
      return true;
    }
    if (kind == TokenKind::kDotDotDot || kind == TokenKind::kLeftArrow) Complain("unexpected token: not an operator");
    if (precedence == kCompare && left.kind == Expression::kComparison)
      Complain("comparison operators cannot be chained");
    if (left.has_let && precedence != kLazyAnd) Complain("`let` is only supported in `&&` chains");
    Bump();
    if (precedence == kCast) {
      Type type;
      if (!ParseType(type, false)) return false;
      left = {};
      left.trailing_brace = type.brace_macro;
      if (Is(TokenKind::kQuestion) || Is(TokenKind::kDot) || Is(TokenKind::kOpenParen) || Is(TokenKind::kOpenBracket) ||
          Is(TokenKind::kArrow)) {
        return Fail("parentheses around a cast before this");
      }
      continue;
    }
    Expression right;
    if (precedence == kRange) {
      left = {};
      if (StartsRangeOperand()) {
        const Restrict restrict(*this, restrictions_ & static_cast<uint8_t>(~kAllowLet));
        if (!Associative(kRange + 1, right)) return false;
        left.trailing_brace = right.trailing_brace;
      } else if (kind != TokenKind::kDotDot) {
        return Fail("the end of the range");
      }
      return true;
    }
    {
      uint8_t restrictions = restrictions_ & static_cast<uint8_t>(~kStatementExpr);
      if (precedence == kAssign) restrictions &= kNoStruct;
      if (precedence != kLazyAnd) restrictions &= static_cast<uint8_t>(~kAllowLet);
      const Restrict restrict(*this, restrictions);
      if (!Associative(precedence == kAssign ? kAssign : precedence + 1, right)) return false;
    }
    const bool has_let = precedence == kLazyAnd && (left.has_let || right.has_let);
    left = {};
    left.has_let = has_let;
    left.trailing_brace = right.trailing_brace;
    if (precedence == kLazyAnd) left.kind = Expression::kAnd;
    if (precedence == kLazyOr) left.kind = Expression::kOr;
    if (precedence == kCompare) left.kind = Expression::kComparison;
  }
}

bool Parser::StartsRangeOperand() const {
  if (Is(TokenKind::kOpenBrace)) return (restrictions_ & kNoStruct) == 0;
  return StartsExpression(token_);
}

bool Parser::PrefixRange(Expression& expression) {
  expression = {};
  const TokenKind kind = token_.kind;
  if (kind == TokenKind::kDotDotDot) Complain("unexpected token: `...`");
  Bump();
  if (!StartsRangeOperand()) return kind == TokenKind::kDotDot || Fail("the end of the range");
  Expression end;
  const Restrict restrict(*this, restrictions_ & static_cast<uint8_t>(~kAllowLet));
  if (!Associative(kRange + 1, end)) return false;
  expression.trailing_brace = end.trailing_brace;
  return true;
}

// - ! * & &mut &raw const, any number of them, then a primary with its postfixes.
bool Parser::Prefix(Expression& expression) {
  const TokenKind first = token_.kind;  // of a split token the rest: Foo::<-1> starts with `<-`
  int prefixes = 0;
  const Restrict restrict(*this, restrictions_);
  while (true) {
    if (Is(TokenKind::kNot) || Is(TokenKind::kMinus) || Is(TokenKind::kStar)) {
      Bump();
    } else if (Is(TokenKind::kAnd) || Is(TokenKind::kAndAnd)) {
      Bump();
      if (IsLifetime(token_) && !PeekIs(1, TokenKind::kColon)) return Fail("no lifetime in a borrow expression");
      if (Is(Keyword::kRaw) && IsMutability(Peek())) {
        Bump();
        Bump();
      } else {
        PinOrMut();
      }
    } else {
      break;
    }
    ++prefixes;
    restrictions_ &= static_cast<uint8_t>(~kAllowLet);
    if (Is(TokenKind::kPound) || Is(TokenKind::kOuterDoc)) {
      Attributes attributes;
      OuterAttributes(attributes);
    }
    if (IsRange(token_.kind)) return PrefixRange(expression);
  }
  if (!Primary(expression) || !Postfix(expression)) return false;
  if (prefixes == 0) return true;
  const bool brace = expression.trailing_brace;
  const bool negative = prefixes == 1 && first == TokenKind::kMinus && expression.kind == Expression::kLiteral;
  expression = {};
  expression.trailing_brace = brace;
  if (negative) expression.kind = Expression::kNegativeLiteral;
  return true;
}

bool Parser::Postfix(Expression& expression) {
  while (true) {
    if (Eat(TokenKind::kQuestion)) {
      expression = {};
    } else if (Eat(TokenKind::kDot)) {
      if (!DotSuffix(expression)) return false;
    } else if (Is(TokenKind::kArrow)) {
      return Fail("`.`");
    } else if (expression.Complete() && (restrictions_ & kStatementExpr) != 0) {
      return true;
    } else if (Is(TokenKind::kOpenParen)) {
      if (!CallArguments()) return false;
      expression = {};
    } else if (Is(TokenKind::kOpenBracket)) {
      Group([&] { return ParseExpression(); });
      expression = {};
    } else {
      return true;
    }
  }
}

bool Parser::CallArguments() {
  CommaList([&] { return ParseExpression(); });
  return true;
}

// Behind the dot: a field, a method call, a tuple index (1.2 is two of them), await, match.
bool Parser::DotSuffix(Expression& expression) {
  expression = {};
  while (Is(TokenKind::kFloat)) {
    const std::string_view text = token_.Text(source_);
    if (NumberSuffix(text) != text.size()) Complain("suffixes on a tuple index are invalid");
    if (text.find_first_of("+-") != std::string_view::npos) return Fail("field or method");
    Bump();
    if (text.back() != '.') return true;
  }
  if (Is(TokenKind::kInteger)) return FieldName();
  if (Is(Keyword::kAwait) && Reserved(Keyword::kAwait)) {
    Bump();
    if (Is(TokenKind::kOpenParen) && PeekIs(1, TokenKind::kCloseParen)) return Fail("`.await` without parentheses");
    return true;
  }
  if (Eat(Keyword::kUse) || Eat(Keyword::kYield)) return true;
  if (Eat(Keyword::kMatch)) return MatchBlock(expression);
  PathResult segment;
  if (!PathSegment(PathStyle::kExpression, segment)) return false;
  if (Is(TokenKind::kOpenParen)) return CallArguments();
  return !segment.arguments || Fail("`(`: field expressions cannot have generic arguments");
}

}  // namespace pintle::rust
