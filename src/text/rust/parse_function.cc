// Functions: qualifiers, parameters, return type, body.
#include <utility>

#include "text/rust/parser_impl.h"

namespace pintle::rust {

// const async gen unsafe|safe extern "abi" fn, in this order. `pointer`: the type of a function.
bool Parser::FunctionQualifiers(bool pointer) {
  if (Is(Keyword::kConst)) {
    if (pointer) Complain("an `fn` pointer type cannot be `const`");
    Bump();
  }
  if (Is(Keyword::kAsync)) {
    if (pointer) Complain("an `fn` pointer type cannot be `async`");
    if (options_.edition < 2018) Complain("`async fn` is not permitted in Rust 2015");
    Bump();
  }
  if (options_.edition >= 2024) Eat(Keyword::kGen);
  if (!Eat(Keyword::kUnsafe)) Eat(Keyword::kSafe);
  if (Eat(Keyword::kExtern) && !Abi()) return false;
  return Eat(Keyword::kFn) || Fail("`fn`");
}

bool Parser::Abi() {
  if (!IsLiteral(token_) && !IsBool(token_)) return true;
  const bool string = Is(TokenKind::kString) || Is(TokenKind::kRawString);
  const char last = source_[token_.end - 1];
  if (!string || (last != '"' && last != '#')) Complain("an ABI is a string literal without suffix");
  Bump();
  return true;
}

bool Parser::Function(ItemPlace place, const Attributes& attributes, int32_t record, uint32_t signature) {
  if (!FunctionQualifiers(false)) return false;
  const std::string_view name = token_.Text(source_);
  NameRecord(record, ItemKind::kFunction, name);
  if (!Name()) return false;
  size_t index = 0;
  std::vector<std::string> names;
  if (outline_ != nullptr) {
    index = outline_->functions.size();
    const uint32_t begin = outline_->items[static_cast<size_t>(record)].keyword.begin;
    outline_->functions.push_back({.name = std::string(name),
                                   .item = static_cast<uint32_t>(record),
                                   .signature = {begin, signature},
                                   .body = {},
                                   .doc = attributes.doc,
                                   .parameters = {},
                                   .is_test = attributes.test,
                                   .in_test_module = test_modules_ > 0});
  }
  if (!Generics()) return false;
  NameRule rule = NameRule::kRequired;
  if (place == ItemPlace::kTrait && options_.edition < 2018) rule = NameRule::kOptional;
  if (outline_ != nullptr) bindings_ = &names;
  const bool parameters = Parameters(rule);
  bindings_ = nullptr;
  if (outline_ != nullptr) {
    pintle::rust::Function& function = outline_->functions[index];
    if (!names.empty() && names.front() == "self") {
      function.has_self = true;
      names.erase(names.begin());
    }
    function.parameters = std::move(names);
  }
  bool unit = true;
  if (!parameters || !ReturnType(true, &unit) || !Contract() || !WhereClause()) return false;
  if (outline_ != nullptr) {
    outline_->functions[index].signature = ParsedFrom(outline_->functions[index].signature.begin);
    outline_->functions[index].returns_value = !unit;
  }
  Span body;
  const bool ok = FunctionBody(body);
  if (outline_ != nullptr) outline_->functions[index].body = body;
  return ok;
}

bool Parser::FunctionBody(Span& body) {
  if (Eat(TokenKind::kSemi)) return true;
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{` or `;`");
  const uint32_t begin = token_.begin;
  const bool ok = Block(true);
  body = ParsedFrom(begin);
  return ok;
}

bool Parser::Parameters(NameRule rule) {
  if (!Is(TokenKind::kOpenParen)) return Fail("`(`");
  bool first = true;
  CommaList([&] {
    Parameter parameter;
    const bool ok = ParameterGeneral(rule, first, parameter);
    first = false;
    return ok;
  });
  return true;
}

bool Parser::ParameterGeneral(NameRule rule, bool first, Parameter& parameter) {
  Attributes attributes;
  OuterAttributes(attributes);
  parameter.attributes = attributes.any;
  bool self = false;
  if (!SelfParameter(self)) return false;
  if (self) {
    parameter.named = true;
    if (!first) Complain("unexpected `self` parameter in function");
    if (bindings_ != nullptr) bindings_->emplace_back("self");
    return true;
  }
  const bool dots = Is(TokenKind::kDotDotDot);
  bool named = rule != NameRule::kOptional && !dots;
  if (!named) {
    const size_t name = Is(TokenKind::kAnd) || Is(TokenKind::kAndAnd) || Is(Keyword::kMut) ? 1 : 0;
    named = IsName(Peek(name)) && PeekIs(name + 1, TokenKind::kColon);
  }
  parameter.named = named;
  Type type;
  if (named) {
    Pattern pattern;
    if (!PatternTop(pattern, false)) return false;
    if (pattern.alternatives) Complain("function parameters require top-level or-patterns in parentheses");
    if (!Expect(TokenKind::kColon, "`:`")) return false;
    parameter.variadic = Is(TokenKind::kDotDotDot);
    return ParseType(type, true, true);
  }
  parameter.variadic = dots;
  if (!ParseType(type, true, true)) return false;
  return Is(TokenKind::kComma) || Is(TokenKind::kCloseParen) || Fail("`,` or `)`");
}

// self, mut self, &self, &'a mut self, &pin mut self, self: Type.
bool Parser::SelfParameter(bool& found) {
  const auto self_at = [&](size_t ahead) {
    return PeekIs(ahead, Keyword::kSelfLower) && !PeekIs(ahead + 1, TokenKind::kPathSep);
  };
  found = false;
  if (Is(TokenKind::kAnd)) {
    const size_t after = IsLifetime(Peek()) ? 2 : 1;
    size_t self = after;
    if (PeekIs(self, Keyword::kMut)) {
      ++self;
    } else if (NameIs(Peek(self), "pin") && IsMutability(Peek(self + 1))) {
      self += 2;
    }
    if (!self_at(self)) return true;
    found = true;
    Bump();
    if (after == 2) UseLifetime();
    while (!Is(Keyword::kSelfLower)) Bump();
    Bump();
    return true;
  }
  const bool mutable_self = Is(Keyword::kMut) && self_at(1);
  if (!mutable_self && !(Is(Keyword::kSelfLower) && self_at(0))) return true;
  found = true;
  if (mutable_self) Bump();
  Bump();
  return !Eat(TokenKind::kColon) || ParseType();
}

bool Parser::ReturnType(bool allow_plus, bool* unit) {
  if (!Eat(TokenKind::kArrow)) return true;
  Type type;
  if (!ParseType(type, allow_plus)) return false;
  if (unit != nullptr) *unit = type.unit;
  return true;
}

}  // namespace pintle::rust
