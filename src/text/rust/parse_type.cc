// Types, paths and generic arguments.
#include "text/rust/parser_impl.h"

namespace pintle::rust {

// `allow_plus`: bounds joined by + may follow (dyn A + B). References, pointers and casts take none: there a type with
// several bounds is ambiguous.
bool Parser::ParseType(Type& type, bool allow_plus, bool allow_variadic) {
  Level level(*this);
  if (!level.ok()) return false;
  type = {};
  bool pointer = false;
  while (true) {
    if (EatSplit(TokenKind::kAnd)) {
      while (EatSplit(TokenKind::kAnd)) {
      }
      if (IsLifetime(token_)) UseLifetime();
      PinOrMut();
    } else if (Is(TokenKind::kStar)) {
      Bump();
      if (!IsMutability(token_)) return Fail("`mut` or `const`");
      Bump();
    } else {
      break;
    }
    pointer = true;
  }
  bool many_bounds = false;
  const bool inner_plus = allow_plus && !pointer;
  if (!TypeCore(type, inner_plus, allow_variadic && !pointer, many_bounds)) return false;
  if (!inner_plus && many_bounds) Complain("ambiguous `+` in a type");
  if (pointer) {
    const bool brace = type.brace_macro;
    type = {};
    type.brace_macro = brace;
  }
  if (allow_plus && IsPlus()) return Fail("a path on the left-hand side of `+`");
  return true;
}

bool Parser::TypeCore(Type& type, bool allow_plus, bool allow_variadic, bool& many_bounds) {
  const auto bounds_follow = [&] { return allow_plus && IsPlus(); };
  Bounds bounds;
  if (Is(TokenKind::kOpenParen)) {
    uint32_t count = 0;
    bool trailing = false;
    Type inner;
    CommaList([&] { return ParseType(inner); }, &count, &trailing);
    type.unit = count == 0;
    if (count == 1 && !trailing && inner.kind != Type::kOther && bounds_follow()) {
      type.kind = Type::kOther;
      return RemainingBounds();
    }
    return true;
  }
  if (Eat(TokenKind::kNot) || Eat(Keyword::kUnderscore)) return true;
  if (Is(TokenKind::kOpenBracket) && !IsMaybeConst()) {
    Group([&] {
      if (!ParseType()) return false;
      return !Eat(TokenKind::kSemi) || ParseExpression();
    });
    return true;
  }
  if (IsBuiltin()) {  // builtin # field_of(..)
    Bump();
    Bump();
    if (!Name() || !Is(TokenKind::kOpenParen)) return Fail("`(`");
    SkipGroup();
    return true;
  }
  if (StartsFunction()) return FunctionPointer();
  if (Is(Keyword::kFor)) {
    bool binder = false;
    if (!Binder(binder)) return false;
    if (StartsFunction()) return FunctionPointer();
    PathResult path;
    if (!Path(PathStyle::kType, path)) return false;
    if (bounds_follow()) return RemainingBounds();
    type.kind = Type::kBareBound;
    return true;
  }
  if (Eat(Keyword::kImpl) || (Is(Keyword::kDyn) && Reserved(Keyword::kDyn) && Eat(Keyword::kDyn))) {
    if (!BoundList(true, bounds)) return false;
    many_bounds = bounds.count > 1 || bounds.trailing_plus;
    return true;
  }
  if (Is(Keyword::kDyn) && !Reserved(Keyword::kDyn)) {  // 2015: a keyword only where a bound follows
    const Token& next = Peek();
    if (IsLifetime(next) || next.kind == TokenKind::kQuestion || next.kind == TokenKind::kOpenParen ||
        next.keyword == Keyword::kFor || IsFreeName(next) || IsPathKeyword(next.keyword)) {
      Bump();
      if (!BoundList(true, bounds)) return false;
      many_bounds = bounds.count > 1 || bounds.trailing_plus;
      return true;
    }
  }
  if (Is(TokenKind::kLt) || Is(TokenKind::kShl)) {
    PathResult path;
    return QualifiedPath(PathStyle::kType, path);
  }
  if (StartsPath(token_)) {
    PathResult path;
    if (!Path(PathStyle::kType, path)) return false;
    if (Eat(TokenKind::kNot)) return MacroArguments(type.brace_macro);
    if (bounds_follow()) return RemainingBounds();
    type.kind = Type::kPath;
    type.single_segment = path.segments == 1;
    type.last_segment = path.last;
    return true;
  }
  if (IsLifetime(token_) && !PeekIs(1, TokenKind::kPlus) && !PeekIs(1, TokenKind::kPlusEq)) {
    return Fail("type, not a lifetime");
  }
  if (StartsBound()) {
    if (!BoundList(allow_plus, bounds)) return false;
    if (bounds.count == 1 && !bounds.trailing_plus) type.kind = Type::kBareBound;
    return true;
  }
  if (allow_variadic && Eat(TokenKind::kDotDotDot)) return true;
  if (Is(Keyword::kUnsafe) && PeekIs(1, TokenKind::kLt)) {
    Bump();
    Bump();
    return GenericParameters() && (EatSplit(TokenKind::kGt) || Fail("`>`")) && ParseType();
  }
  return Fail("type");
}

bool Parser::RemainingBounds() {
  EatSplit(TokenKind::kPlus);
  Bounds bounds;
  return BoundList(true, bounds);
}

bool Parser::FunctionPointer() {
  if (!FunctionQualifiers(true)) return false;
  std::vector<std::string>* const saved = bindings_;
  bindings_ = nullptr;
  const bool ok = Parameters(NameRule::kOptional) && ReturnType(false, nullptr);
  bindings_ = saved;
  return ok;
}

bool Parser::EatPathSep() {
  if (!Eat(TokenKind::kPathSep)) return false;
  if (Is(TokenKind::kColon)) {
    Complain("path separator must be a double colon");
    Bump();
  }
  return true;
}

bool Parser::Path(PathStyle style, PathResult& path) {
  path = {};
  if (EatPathSep()) ++path.segments;
  return PathSegments(style, path);
}

bool Parser::PathSegments(PathStyle style, PathResult& path) {
  while (true) {
    if (!PathSegment(style, path)) return false;
    ++path.segments;
    if (IsImportCoupler() || !EatPathSep()) return true;
  }
}

bool Parser::PathSegment(PathStyle style, PathResult& path) {
  path.last = token_.Text(source_);
  if (IsPathKeyword(token_.keyword)) {
    Bump();
  } else if (!Name()) {
    return false;
  }
  const auto starts_arguments = [](TokenKind kind) {
    return kind == TokenKind::kLt || kind == TokenKind::kShl || kind == TokenKind::kOpenParen ||
           kind == TokenKind::kLeftArrow;
  };
  const bool direct = style == PathStyle::kType && starts_arguments(token_.kind);
  const bool behind = style != PathStyle::kModule && Is(TokenKind::kPathSep) && starts_arguments(Peek().kind);
  if (!direct && !behind) return true;
  if (behind) Bump();
  path.arguments = true;
  if (EatSplit(TokenKind::kLt)) return AngleArguments() && (EatSplit(TokenKind::kGt) || Fail("`,` or `>`"));
  return ParenthesisedArguments();
}

// (A, B) -> C behind Fn, or the (..) of return type notation.
bool Parser::ParenthesisedArguments() {
  if (PeekIs(1, TokenKind::kDotDot)) {
    Group([&] {
      Bump();
      return true;
    });
    return !Is(TokenKind::kArrow) || Fail("no return type behind `(..)`");
  }
  std::vector<std::string>* const saved = bindings_;
  bindings_ = nullptr;
  CommaList([&] {
    const Span start = {token_.begin, token_.end};
    Parameter parameter;
    if (!ParameterGeneral(NameRule::kOptional, false, parameter)) return false;
    if (parameter.named || parameter.variadic || parameter.attributes) {
      ComplainAt(start, "only types may stand in the arguments of `Fn`");
    }
    return true;
  });
  bindings_ = saved;
  return ReturnType(false, nullptr);
}

bool Parser::QualifiedPath(PathStyle style, PathResult& path) {
  path = {};
  EatSplit(TokenKind::kLt);
  if (!ParseType()) return false;
  if (Eat(Keyword::kAs)) {
    PathResult trait;
    if (!Path(PathStyle::kType, trait)) return false;
  }
  if (!Expect(TokenKind::kGt, "`>`")) return false;
  if (IsImportCoupler()) return true;
  if (!EatPathSep()) return Fail("`::`");
  path.segments = 1;
  return PathSegments(style, path);
}

bool Parser::AngleArguments() {
  while (true) {
    bool found = false;
    if (!AngleArgument(found)) return false;
    if (!found || !Eat(TokenKind::kComma)) return true;
  }
}

bool Parser::AngleArgument(bool& found) {
  Type type;
  if (!GenericArgument(found, type)) return false;
  if (!found) return true;
  if (!type.single_segment) return true;
  if (Eat(TokenKind::kColon)) {
    Bounds bounds;
    return BoundList(true, bounds);
  }
  if (!Eat(TokenKind::kEq)) return true;
  if (IsLifetime(token_)) return Fail("type");
  bool term = false;
  Type value;
  if (!GenericArgument(term, value)) return false;
  return term || Fail("type");
}

bool Parser::GenericArgument(bool& found, Type& type) {
  found = true;
  type = {};
  if (Is(TokenKind::kPound)) return Fail("generic argument without attributes");
  if (IsLifetime(token_) && !PeekIs(1, TokenKind::kPlus) && !PeekIs(1, TokenKind::kPlusEq)) {
    UseLifetime();
    return true;
  }
  if (Is(TokenKind::kOpenBrace) || IsLiteral(token_) || Is(TokenKind::kMinus) || IsBool(token_) || IsConstBlock()) {
    return ConstArgument();
  }
  if (StartsType(token_)) return ParseType(type);
  found = false;
  return true;
}

// A block, a literal with or without minus, or a name (only reached as the default of a const parameter).
bool Parser::ConstArgument() {
  Expression expression;
  if (Is(TokenKind::kOpenBrace)) return BlockExpression(expression);
  const uint32_t begin = token_.begin;
  if (!ParseExpression(expression, kConstArgument)) return false;
  const bool plain = expression.kind == Expression::kLiteral || expression.kind == Expression::kNegativeLiteral ||
                     expression.kind == Expression::kIdentifier || expression.kind == Expression::kBlock ||
                     expression.kind == Expression::kConstBlock;
  if (!plain)
    ComplainAt({begin, previous_end_}, "expressions must be enclosed in braces to be const generic arguments");
  return true;
}

}  // namespace pintle::rust
