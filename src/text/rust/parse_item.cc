// Items: modules, functions, types, traits, impls, uses, macros. Which item starts is decided by a few tokens of
// look-ahead, in the order in which rustc's parser decides.
#include <utility>

#include "text/rust/parser_impl.h"

namespace pintle::rust {

void Parser::ModuleItems(size_t close) {
  InnerAttributes();
  while (at_ < close) {
    const size_t start = at_;
    Attributes attributes;
    OuterAttributes(attributes);
    const ItemResult result = Item(ItemPlace::kModule, attributes);
    if (result == ItemResult::kOk) continue;
    if (result == ItemResult::kNone) {
      if (at_ == close && !attributes.any) {
        Fail("item");
        break;
      }
      Fail(attributes.any ? "item after attributes or doc comment" : "item");
    }
    SkipBroken(start, close, false);
  }
}

Parser::ItemResult Parser::Item(ItemPlace place, const Attributes& attributes) {
  Level level(*this);
  if (!level.ok()) return ItemResult::kFail;
  // A quick no for the start of most statements.
  const int32_t record = OpenRecord(attributes.any ? attributes.begin : token_.begin);
  const uint32_t begin = token_.begin;
  bool has_visibility = false;
  if (!Visibility(false, has_visibility)) {
    CloseRecord(record, false);
    return ItemResult::kFail;
  }
  RecordStart(record, begin, has_visibility);
  bool defaultness = false;
  if (Is(Keyword::kDefault) && Peek().kind == TokenKind::kIdentifier && !PeekIs(1, Keyword::kAs)) {
    defaultness = true;
    Bump();
  } else if (Is(Keyword::kFinal)) {
    defaultness = true;
    Bump();
  }
  const int32_t parent = parent_;
  if (record >= 0) parent_ = record;
  const ItemResult result = ItemBody(place, attributes, has_visibility, record);
  parent_ = parent;
  if (result == ItemResult::kNone) {
    if (has_visibility) Complain("visibility is not followed by an item");
    if (defaultness) Complain("`default` is not followed by an item");
  }
  CloseRecord(record, result != ItemResult::kNone);
  return result;
}

Parser::ItemResult Parser::ItemBody(ItemPlace place, const Attributes& attributes, bool has_visibility,
                                    int32_t record) {
  const auto result = [](bool ok) { return ok ? ItemResult::kOk : ItemResult::kFail; };
  const bool associated = place == ItemPlace::kTrait || place == ItemPlace::kImpl || place == ItemPlace::kForeign;
  // Items that make no sense in a trait, impl or extern block are parsed and complained about.
  const auto only_free = [&] {
    if (associated) Complain("this kind of item is not supported in a trait, impl or extern block");
  };
  const uint32_t signature = token_.begin;
  if (Is(Keyword::kUse) && !IsUseClosure()) {
    only_free();
    NameRecord(record, ItemKind::kUse, {});
    Bump();
    return result(UseItem());
  }
  if (StartsFunction()) return result(Function(place, attributes, record, signature));
  if (Is(Keyword::kExtern) && PeekIs(1, Keyword::kCrate)) {
    only_free();
    NameRecord(record, ItemKind::kExternCrate, {});
    return result(ExternCrate());
  }
  if (Is(Keyword::kExtern) || IsUnsafeForeignModule()) {
    only_free();
    NameRecord(record, ItemKind::kExternBlock, {});
    Eat(Keyword::kUnsafe);
    Bump();
    return result(Abi() && ItemList(ItemPlace::kForeign));
  }
  if (StartsStatic()) {
    if (associated && place != ItemPlace::kForeign) Complain("associated `static` items are not allowed");
    return result(StaticItem(record));
  }
  if (StartsTrait()) {
    only_free();
    return result(Trait(record));
  }
  if (StartsImpl()) {
    only_free();
    return result(Impl(record, false));
  }
  if (place != ItemPlace::kStatement && IsConstBlock()) {
    only_free();
    NameRecord(record, ItemKind::kConst, {});
    Bump();
    return result(Block(false));
  }
  if (Is(Keyword::kConst) && !IsConstClosure() && !PeekIs(1, TokenKind::kOpenBrace)) {
    if (place == ItemPlace::kForeign) Complain("extern items cannot be `const`");
    return result(ConstItem(record));
  }
  if (IsReuse()) return result(Reuse());
  if (Is(Keyword::kMod) || (Is(Keyword::kUnsafe) && PeekIs(1, Keyword::kMod))) {
    only_free();
    return result(Module(record, attributes));
  }
  if (Is(Keyword::kType)) {
    Bump();
    if (Is(Keyword::kConst)) {
      if (place == ItemPlace::kForeign) Complain("extern items cannot be `const`");
      return result(ConstItem(record));
    }
    return result(TypeAlias(record));
  }
  if (Is(Keyword::kEnum)) {
    only_free();
    return result(Enum(record));
  }
  if (Is(Keyword::kStruct)) {
    only_free();
    return result(Struct(record));
  }
  if (Is(Keyword::kUnion) && IsFreeName(Peek())) {
    only_free();
    return result(Union(record));
  }
  if (IsBuiltin()) return ItemResult::kNone;
  if (Is(Keyword::kMacro)) {
    only_free();
    return result(MacroDefinition(record));
  }
  if (IsMacroRules()) {
    only_free();
    if (has_visibility) Complain("macro_rules cannot have a visibility");
    return result(MacroRules(record));
  }
  if (place == ItemPlace::kStatement || !StartsPath(token_)) return ItemResult::kNone;
  NameRecord(record, ItemKind::kMacroCall, {});
  PathResult path;
  if (!Path(PathStyle::kModule, path) || !Expect(TokenKind::kNot, "`!`")) return ItemResult::kFail;
  bool brace = false;
  if (!MacroArguments(brace)) return ItemResult::kFail;
  if (has_visibility) Complain("a macro call cannot have a visibility");
  if (record >= 0 && path.last == "global_asm") NameRecord(record, ItemKind::kGlobalAsm, {});
  return result(brace || Semi());
}

bool Parser::Visibility(bool before_type, bool& present) {
  present = false;
  if (!Eat(Keyword::kPub)) return true;
  present = true;
  if (!Is(TokenKind::kOpenParen)) return true;
  const bool in = PeekIs(1, Keyword::kIn);
  const bool shorthand = PeekIs(2, TokenKind::kCloseParen) &&
                         (PeekIs(1, Keyword::kCrate) || PeekIs(1, Keyword::kSuper) || PeekIs(1, Keyword::kSelfLower));
  if (!in && !shorthand) return before_type || Fail("`crate`, `self`, `super` or `in` path in a visibility");
  Group([&] {
    Eat(Keyword::kIn);
    PathResult path;
    return Path(PathStyle::kModule, path);
  });
  return true;
}

bool Parser::StartsFunction() const {
  if (Is(Keyword::kFn)) return true;
  const auto qualifier = [&](Keyword keyword) {
    return keyword == Keyword::kGen || keyword == Keyword::kConst || keyword == Keyword::kAsync ||
           keyword == Keyword::kUnsafe || keyword == Keyword::kSafe || keyword == Keyword::kExtern;
  };
  if (!qualifier(token_.keyword)) return false;
  if (PeekIs(1, Keyword::kFn)) return true;
  const Keyword next = Peek().keyword;
  if (qualifier(next) && Reserved(next) && !IsUnsafeForeignModule() &&
      !(Is(Keyword::kAsync) && IsCoroutineBlock(Keyword::kGen, 1)) && !PeekIs(2, Keyword::kAuto) &&
      !PeekIs(2, Keyword::kTrait) && !PeekIs(2, Keyword::kImpl)) {
    return true;
  }
  return Is(Keyword::kExtern) && IsLiteral(Peek()) && PeekIs(2, Keyword::kFn);
}

bool Parser::IsUnsafeForeignModule() const {
  if (!Is(Keyword::kUnsafe) || !PeekIs(1, Keyword::kExtern)) return false;
  return PeekIs(IsLiteral(Peek(2)) ? 3 : 2, TokenKind::kOpenBrace);
}

bool Parser::StartsTrait() const {
  size_t ahead = 0;
  if (PeekIs(ahead, Keyword::kConst)) ++ahead;
  if (PeekIs(ahead, Keyword::kUnsafe)) ++ahead;
  if (PeekIs(ahead, Keyword::kAuto)) ++ahead;
  return PeekIs(ahead, Keyword::kTrait);
}

bool Parser::StartsImpl(size_t ahead) const {
  for (size_t i = ahead; i < ahead + 2; ++i) {
    if (PeekIs(i, Keyword::kImpl)) return true;
    if (!PeekIs(i, Keyword::kConst) && !PeekIs(i, Keyword::kUnsafe)) return false;
  }
  return PeekIs(ahead + 2, Keyword::kImpl);
}

bool Parser::StartsStatic() const {
  if (Is(Keyword::kStatic)) {
    return !(PeekIs(1, Keyword::kMove) || PeekIs(1, Keyword::kUse) || PeekIs(1, TokenKind::kOr) ||
             PeekIs(1, TokenKind::kOrOr));
  }
  return (Is(Keyword::kUnsafe) || Is(Keyword::kSafe)) && PeekIs(1, Keyword::kStatic);
}

bool Parser::IsUseClosure() const {
  if (!Is(Keyword::kUse)) return false;
  const size_t bar = PeekIs(1, Keyword::kMove) || PeekIs(1, Keyword::kAsync) ? 2 : 1;
  return PeekIs(bar, TokenKind::kOr) || PeekIs(bar, TokenKind::kOrOr);
}

bool Parser::IsReuse() const {
  if (!Is(Keyword::kReuse)) return false;
  return (StartsPath(Peek()) && !PeekIs(1, TokenKind::kPathSep)) || StartsImpl(1);
}

bool Parser::IsMacroRules() const {
  return Is(Keyword::kMacroRules) && (IsName(Peek()) || (PeekIs(1, TokenKind::kNot) && IsName(Peek(2))));
}

bool Parser::ItemList(ItemPlace place) {
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  const size_t close = closes_[at_];
  Bump();
  InnerAttributes();
  while (at_ < close) {
    const size_t start = at_;
    Attributes attributes;
    OuterAttributes(attributes);
    const ItemResult result = Item(place, attributes);
    if (result == ItemResult::kOk) continue;
    if (result == ItemResult::kNone) Fail("item");
    SkipBroken(start, close, false);
  }
  MoveTo(close);
  Bump();
  return true;
}

bool Parser::UseItem() { return UseTree({}) && Semi(); }

bool Parser::UseTree(const std::string& prefix) {
  Level level(*this);
  if (!level.ok()) return false;
  std::string path = prefix;
  const auto leaf = [&](Span span, std::string_view alias) {
    if (outline_ != nullptr) outline_->uses.push_back({.path = path, .alias = std::string(alias), .span = span});
  };
  if (IsImportCoupler()) {
    path += "::";
    Bump();
  } else if (!Is(TokenKind::kOpenBrace) && !Is(TokenKind::kStar)) {
    const uint32_t begin = token_.begin;
    PathResult result;
    if (!Path(PathStyle::kModule, result)) return false;
    const Span last = {previous_end_ - static_cast<uint32_t>(result.last.size()), previous_end_};
    if (outline_ != nullptr) {
      for (const char c : source_.substr(begin, previous_end_ - begin)) {
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') path += c;
      }
    }
    if (!EatPathSep()) {
      if (!Eat(Keyword::kAs)) {
        leaf(last, {});
        return true;
      }
      const std::string_view alias = token_.Text(source_);
      if (!NameOrUnderscore()) return false;
      leaf(last, alias);
      return true;
    }
    path += "::";
  }
  if (Is(TokenKind::kStar)) {
    path += "*";
    const Span star = {token_.begin, token_.end};
    Bump();
    leaf(star, {});
    return true;
  }
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{` or `*`");
  CommaList([&] { return UseTree(path); });
  return true;
}

bool Parser::ExternCrate() {
  Bump();
  Bump();
  const std::string_view name = token_.Text(source_);
  if (!Eat(Keyword::kSelfLower) && !Name()) return false;
  if (outline_ != nullptr && name != "self") outline_->extern_crates.emplace_back(name);
  if (Eat(Keyword::kAs) && !NameOrUnderscore()) return false;
  return Semi();
}

bool Parser::ConstItem(int32_t record) {
  Bump();
  NameRecord(record, ItemKind::kConst, token_.Text(source_));
  if (!NameOrUnderscore() || !Generics()) return false;
  if (!Expect(TokenKind::kColon, "`:` and the type of the constant") || !ParseType()) return false;
  const bool early_where = Is(Keyword::kWhere);
  if (!WhereClause()) return false;
  if (Is(TokenKind::kEq)) {
    if (early_where) Complain("where clauses are not allowed before const item bodies");
    Bump();
    if (!ParseExpression()) return false;
  }
  return WhereClause() && Semi();
}

bool Parser::StaticItem(int32_t record) {
  if (!Is(Keyword::kStatic)) Bump();
  Bump();
  Eat(Keyword::kMut);
  NameRecord(record, ItemKind::kStatic, token_.Text(source_));
  if (!Name() || !Expect(TokenKind::kColon, "`:` and the type of the static") || !ParseType()) return false;
  if (Eat(TokenKind::kEq) && !ParseExpression()) return false;
  return Semi();
}

bool Parser::TypeAlias(int32_t record) {
  NameRecord(record, ItemKind::kTypeAlias, token_.Text(source_));
  if (!Name() || !Generics()) return false;
  Bounds bounds;
  if (Eat(TokenKind::kColon) && !BoundList(true, bounds)) return false;
  if (!WhereClause()) return false;
  if (Eat(TokenKind::kEq) && !ParseType()) return false;
  return WhereClause() && Semi();
}

bool Parser::Struct(int32_t record) {
  Bump();
  NameRecord(record, ItemKind::kStruct, token_.Text(source_));
  if (!Name() || !Generics()) return false;
  if (Is(Keyword::kWhere)) {
    if (!WhereClause()) return false;
    return Eat(TokenKind::kSemi) || RecordFields();
  }
  if (Eat(TokenKind::kSemi)) return true;
  if (Is(TokenKind::kOpenBrace)) return RecordFields();
  if (!Is(TokenKind::kOpenParen)) return Fail("`where`, `{`, `(` or `;` after the name of a struct");
  return TupleFields() && WhereClause() && Semi();
}

bool Parser::Union(int32_t record) {
  Bump();
  NameRecord(record, ItemKind::kUnion, token_.Text(source_));
  return Name() && Generics() && WhereClause() && RecordFields();
}

bool Parser::RecordFields() {
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  CommaList([&] {
    Attributes attributes;
    OuterAttributes(attributes);
    bool present = false;
    if (!Visibility(false, present)) return false;
    Eat(Keyword::kUnsafe);
    if (!Name() || !Expect(TokenKind::kColon, "`:`") || !ParseType()) return false;
    return !Eat(TokenKind::kEq) || ParseExpression();
  });
  return true;
}

bool Parser::TupleFields() {
  CommaList([&] {
    Attributes attributes;
    OuterAttributes(attributes);
    bool present = false;
    if (!Visibility(true, present) || !ParseType()) return false;
    return !Eat(TokenKind::kEq) || ParseExpression();
  });
  return true;
}

bool Parser::Enum(int32_t record) {
  Bump();
  NameRecord(record, ItemKind::kEnum, token_.Text(source_));
  if (!Name() || !Generics() || !WhereClause()) return false;
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  CommaList([&] { return Variant(); });
  return true;
}

bool Parser::Variant() {
  Attributes attributes;
  OuterAttributes(attributes);
  bool present = false;
  if (!Visibility(false, present) || !Name()) return false;
  if (Is(TokenKind::kOpenBrace)) {
    if (!RecordFields()) return false;
  } else if (Is(TokenKind::kOpenParen)) {
    if (!TupleFields()) return false;
  }
  return !Eat(TokenKind::kEq) || ParseExpression();
}

bool Parser::Trait(int32_t record) {
  Eat(Keyword::kConst);
  const bool is_unsafe = Eat(Keyword::kUnsafe);
  const bool is_auto = Eat(Keyword::kAuto);
  Bump();
  NameRecord(record, ItemKind::kTrait, token_.Text(source_));
  if (!Name() || !Generics()) return false;
  Bounds bounds;
  const bool colon = Eat(TokenKind::kColon);
  if (colon && !BoundList(true, bounds)) return false;
  if (Is(TokenKind::kEq)) {
    if (colon) Complain("bounds are not allowed on trait aliases");
    if (is_unsafe || is_auto) Complain("trait aliases cannot be `auto` or `unsafe`");
    if (record >= 0) outline_->items[static_cast<size_t>(record)].kind = ItemKind::kTraitAlias;
    Bump();
    return BoundList(true, bounds) && WhereClause() && Semi();
  }
  return WhereClause() && ItemList(ItemPlace::kTrait);
}

bool Parser::Impl(int32_t record, bool reuse) {
  const bool is_const = Eat(Keyword::kConst);
  const bool is_unsafe = Eat(Keyword::kUnsafe);
  Bump();
  NameRecord(record, ItemKind::kImpl, {});
  if (ChoosesGenerics(0) && !Generics()) return false;
  if (!is_const && Is(Keyword::kConst) && !PeekIs(1, TokenKind::kOpenBrace)) Bump();
  if (Is(Keyword::kAsync) && Reserved(Keyword::kAsync)) {
    Complain("`async` impls are not supported");
    Bump();
  }
  bool negative = false;
  if (Is(TokenKind::kNot) && StartsType(Peek())) {
    negative = true;
    Bump();
  }
  if (Is(Keyword::kFor) && !PeekIs(1, TokenKind::kLt)) return Fail("a trait");
  const Span first = {token_.begin, token_.end};
  Type type;
  if (!ParseType(type)) return false;
  std::string_view name = type.last_segment;
  if (Eat(Keyword::kFor)) {
    if (type.kind != Type::kPath) ComplainAt(first, "expected a trait, found type");
    Type self;
    if (!Eat(TokenKind::kDotDot) && !ParseType(self)) return false;
    name = self.last_segment;
  } else if (is_unsafe || negative) {
    Complain("inherent impls cannot be unsafe or negative");
  }
  NameRecord(record, ItemKind::kImpl, name);
  if (!WhereClause()) return false;
  return reuse || ItemList(ItemPlace::kImpl);
}

// reuse path::{a, b} { body } (an unstable feature).
bool Parser::Reuse() {
  Bump();
  const auto body = [&] { return Is(TokenKind::kOpenBrace) ? Block(false) : Semi(); };
  if (StartsImpl()) return Impl(-1, true) && body();
  PathResult path;
  if (Is(TokenKind::kLt) || Is(TokenKind::kShl)) {
    if (!QualifiedPath(PathStyle::kExpression, path)) return false;
  } else if (!Path(PathStyle::kExpression, path)) {
    return false;
  }
  const auto rename = [&] { return !Eat(Keyword::kAs) || Name(); };
  if (!EatPathSep()) return rename() && body();
  if (!Eat(TokenKind::kStar)) {
    if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
    CommaList([&] {
      if (IsPathKeyword(token_.keyword)) {
        Bump();
      } else if (!Name()) {
        return false;
      }
      return rename();
    });
  }
  return body();
}

bool Parser::Module(int32_t record, const Attributes& attributes) {
  Eat(Keyword::kUnsafe);
  Bump();
  const std::string_view name = token_.Text(source_);
  NameRecord(record, ItemKind::kModule, name);
  if (!Name()) return false;
  if (Eat(TokenKind::kSemi)) {
    if (outline_ != nullptr) {
      outline_->module_files.push_back({.name = std::string(name), .path_attribute = std::string(attributes.path)});
    }
    return true;
  }
  if (!Is(TokenKind::kOpenBrace)) return Fail("`;` or `{`");
  const size_t close = closes_[at_];
  Bump();
  test_modules_ += attributes.cfg_test ? 1 : 0;
  ModuleItems(close);
  test_modules_ -= attributes.cfg_test ? 1 : 0;
  MoveTo(close);
  Bump();
  return true;
}

bool Parser::MacroDefinition(int32_t record) {
  Bump();
  NameRecord(record, ItemKind::kMacroDefinition, token_.Text(source_));
  if (!Name()) return false;
  if (Is(TokenKind::kOpenParen)) SkipGroup();
  if (!Is(TokenKind::kOpenBrace)) return Fail("`{`");
  SkipGroup();
  return true;
}

bool Parser::MacroRules(int32_t record) {
  Bump();
  if (!Expect(TokenKind::kNot, "`!`")) return false;
  NameRecord(record, ItemKind::kMacroDefinition, token_.Text(source_));
  bool brace = false;
  return Name() && MacroArguments(brace) && (brace || Semi());
}

int32_t Parser::OpenRecord(uint32_t begin) {
  if (outline_ == nullptr) return -1;
  const uint32_t depth = parent_ < 0 ? 0 : outline_->items[static_cast<size_t>(parent_)].depth + 1;
  pintle::rust::Item item;
  item.span = {begin, begin};
  item.keyword = {begin, begin};
  item.parent = parent_;
  item.depth = depth;
  outline_->items.push_back(std::move(item));
  return static_cast<int32_t>(outline_->items.size()) - 1;
}

void Parser::NameRecord(int32_t record, ItemKind kind, std::string_view name) {
  if (record < 0) return;
  pintle::rust::Item& item = outline_->items[static_cast<size_t>(record)];
  item.kind = kind;
  item.name = name;
}

void Parser::RecordStart(int32_t record, uint32_t keyword_begin, bool is_public) {
  if (record < 0) return;
  outline_->items[static_cast<size_t>(record)].keyword.begin = keyword_begin;
  outline_->items[static_cast<size_t>(record)].is_public = is_public;
}

// What turned out to be no item has no items in it: its record is the last and goes.
void Parser::CloseRecord(int32_t record, bool keep) {
  if (record < 0) return;
  if (!keep) {
    outline_->items.resize(static_cast<size_t>(record));
    return;
  }
  pintle::rust::Item& item = outline_->items[static_cast<size_t>(record)];
  item.keyword = ParsedFrom(item.keyword.begin);
  item.span = ParsedFrom(item.span.begin);
}

}  // namespace pintle::rust
