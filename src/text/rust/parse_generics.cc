// Generic parameters, bounds, where clauses, binders.
#include "text/rust/parser_impl.h"

namespace pintle::rust {

// After `impl`, `where` or `for`: whether `<` opens generic parameters or a qualified path.
bool Parser::ChoosesGenerics(size_t ahead) const {
  if (!PeekIs(ahead, TokenKind::kLt) && !(ahead == 0 && Is(TokenKind::kLt))) return false;
  const Token& first = Peek(ahead + 1);
  if (first.kind == TokenKind::kPound || first.kind == TokenKind::kGt || first.keyword == Keyword::kConst) return true;
  if (!IsLifetime(first) && !IsName(first)) return false;
  const TokenKind second = Peek(ahead + 2).kind;
  return second == TokenKind::kGt || second == TokenKind::kComma || second == TokenKind::kColon ||
         second == TokenKind::kEq || second == TokenKind::kQuestion;
}

bool Parser::Generics() {
  if (Is(TokenKind::kPathSep)) return Fail("`<` without `::`");
  if (!EatSplit(TokenKind::kLt)) return true;
  return GenericParameters() && (EatSplit(TokenKind::kGt) || Fail("`>`"));
}

bool Parser::GenericParameters() {
  while (true) {
    Attributes attributes;
    OuterAttributes(attributes);
    if (IsLifetime(token_)) {
      UseLifetime();
      if (Eat(TokenKind::kColon) && !LifetimeBounds()) return false;
    } else if (Is(Keyword::kConst)) {
      Bump();
      if (!Name() || !Expect(TokenKind::kColon, "`:`") || !ParseType()) return false;
      if (Eat(TokenKind::kEq) && !ConstArgument()) return false;
    } else if (IsName(token_)) {
      if (!Name()) return false;
      Bounds bounds;
      if (Eat(TokenKind::kColon)) {
        if (Is(Keyword::kImpl)) return Fail("trait bound");
        if (!BoundList(true, bounds)) return false;
      }
      if (Eat(TokenKind::kEq) && !ParseType()) return false;
    } else {
      if (attributes.any) Complain("an attribute must be followed by a generic parameter");
      return true;
    }
    if (!Eat(TokenKind::kComma)) return true;
  }
}

bool Parser::LifetimeBounds() {
  while (IsLifetime(token_)) {
    UseLifetime();
    if (!EatSplit(TokenKind::kPlus)) break;
  }
  return true;
}

bool Parser::Binder(bool& present) {
  present = Eat(Keyword::kFor);
  if (!present) return true;
  return (EatSplit(TokenKind::kLt) || Fail("`<`")) && GenericParameters() && (EatSplit(TokenKind::kGt) || Fail("`>`"));
}

bool Parser::IsMaybeConst() const {
  return Is(TokenKind::kOpenBracket) && PeekIs(1, Keyword::kConst) && PeekIs(2, TokenKind::kCloseBracket);
}

bool Parser::StartsBound() const {
  return StartsPath(token_) || IsLifetime(token_) || Is(TokenKind::kNot) || Is(TokenKind::kQuestion) ||
         Is(TokenKind::kTilde) || Is(Keyword::kFor) || Is(TokenKind::kOpenParen) || IsMaybeConst() ||
         Is(Keyword::kConst) || Is(Keyword::kAsync) || Is(Keyword::kUse);
}

bool Parser::BoundList(bool allow_plus, Bounds& bounds) {
  bounds = {};
  while (true) {
    if (!StartsBound()) {
      const bool name = token_.kind == TokenKind::kIdentifier && Reserved(token_.keyword) && !Is(Keyword::kWhere);
      if (StartsType(token_) || name) return Fail("a trait or lifetime bound");
      return true;
    }
    if (!Bound()) return false;
    ++bounds.count;
    bounds.trailing_plus = false;
    if (!allow_plus || !EatSplit(TokenKind::kPlus)) return true;
    bounds.trailing_plus = true;
  }
}

bool Parser::Bound() {
  Level level(*this);
  if (!level.ok()) return false;
  if (Is(TokenKind::kOpenParen)) {
    Group([&] {
      if (!IsLifetime(token_) && !Is(Keyword::kUse)) return TraitBound();
      return Fail("a trait: lifetimes and capture lists may not stand in parentheses");
    });
    return true;
  }
  if (IsLifetime(token_)) {
    UseLifetime();
    return true;
  }
  if (Eat(Keyword::kUse)) return UseBound();
  return TraitBound();
}

bool Parser::UseBound() {
  if (!EatSplit(TokenKind::kLt)) return Fail("`<`");
  while (!Is(TokenKind::kGt) && !Is(TokenKind::kGe) && !Is(TokenKind::kShr)) {
    if (Is(Keyword::kSelfUpper)) {
      Bump();
    } else if (IsLifetime(token_)) {
      UseLifetime();
    } else if (!Name()) {
      return false;
    }
    if (!Eat(TokenKind::kComma)) break;
  }
  return EatSplit(TokenKind::kGt) || Fail("`>`");
}

bool Parser::TraitBound() {
  bool binder = false;
  if (!Binder(binder)) return false;
  bool modifier = false;
  if (Eat(TokenKind::kTilde)) {
    modifier = true;
    if (!Eat(Keyword::kConst)) return Fail("`const`");
  } else if (IsMaybeConst()) {
    modifier = true;
    SkipGroup();
  } else if (Eat(Keyword::kConst)) {
    modifier = true;
  }
  if (Is(Keyword::kAsync) && Reserved(Keyword::kAsync)) {
    modifier = true;
    Bump();
  }
  if (Is(TokenKind::kQuestion) || Is(TokenKind::kNot)) {
    if (modifier) Complain("this modifier cannot stand with `const`, `~const` or `async`");
    if (binder) Complain("this modifier cannot stand with a `for<...>` binder");
    Bump();
  }
  if (IsLifetime(token_)) return Fail("a trait: modifiers may not be applied to lifetime bounds");
  if (Is(Keyword::kFor)) return Fail("a trait: `for<...>` stands before the modifiers");
  PathResult path;
  return Path(PathStyle::kType, path);
}

bool Parser::WhereClause() {
  if (!Eat(Keyword::kWhere)) return true;
  if (ChoosesGenerics(0)) return Fail("where predicates: generic parameters stand behind the name");
  while (true) {
    Attributes attributes;
    OuterAttributes(attributes);
    if (IsLifetime(token_) && !PeekIs(1, TokenKind::kPlus) && !PeekIs(1, TokenKind::kPlusEq)) {
      UseLifetime();
      if (!Expect(TokenKind::kColon, "`:`") || !LifetimeBounds()) return false;
    } else if (StartsType(token_)) {
      bool binder = false;
      if (!Binder(binder) || !ParseType()) return false;
      if (Eat(TokenKind::kColon)) {
        Bounds bounds;
        if (!BoundList(true, bounds)) return false;
      } else if (Eat(TokenKind::kEq) || Eat(TokenKind::kEqEq)) {
        if (!ParseType()) return false;
      } else {
        return Fail("`:`, `=` or `==`");
      }
    } else {
      if (attributes.any) Complain("an attribute must be followed by a where predicate");
      return true;
    }
    if (!Eat(TokenKind::kComma)) break;
  }
  return !Is(Keyword::kWhere) || Fail("one where clause");
}

// contract_requires { .. } contract_ensures expr: what the compiler's contract macros expand to.
bool Parser::Contract() {
  if (Eat(Keyword::kContractRequires) && !Block(false)) return false;
  return !Eat(Keyword::kContractEnsures) || ParseExpression();
}

}  // namespace pintle::rust
