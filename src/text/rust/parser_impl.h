// The parser's class, shared by its parts: parser.cc (tokens, errors, recovery), parse_item.cc, parse_generics.cc,
// parse_type.cc, parse_pattern.cc, parse_expression.cc, parse_primary.cc, parse_statement.cc. Recursive descent over a
// token array whose delimiters are matched beforehand; no rewinding, so each token is looked at a bounded number of
// times.
//
// A parse function returns true when it stands behind what it parsed (errors may have been noted on the way: Complain),
// and false when it cannot go on (Fail has noted why). Then some caller that knows a closing delimiter or the start of
// the next statement skips to it and goes on. No parse function steps over a closing delimiter that it did not open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/rust/keyword.h"
#include "text/rust/lexer.h"
#include "text/rust/outline.h"
#include "text/rust/parser.h"

namespace pintle::rust {

/// Where generic arguments stand in a path: directly (Type), behind `::` (Expr, Pat), nowhere (Mod).
enum class PathStyle : uint8_t { kExpression, kPattern, kType, kModule };

/// Where an item stands: what is allowed there differs.
enum class ItemPlace : uint8_t { kModule, kStatement, kTrait, kImpl, kForeign };

/// The recursive-descent parser; one object a file.
class Parser {
 public:
  /// `outline` may be null; `source` outlives the parser.
  Parser(std::string_view source, const ParseOptions& options, Outline* outline);
  ParseReport Run();

 private:
  // What an expression is as far as its context has to know.
  struct Expression {
    enum Kind : uint8_t {
      kOther,
      kLiteral,
      kNegativeLiteral,
      kIdentifier,  // a path of one segment without arguments
      kMacro,
      kBlock,  // { }, unsafe { }, 'a: { }
      kConstBlock,
      kControl,  // if, match, loops, try: like blocks they end a statement
      kLet,
      kAnd,
      kOr,
      kComparison,
    };
    Kind kind = kOther;
    bool brace_macro = false;     // kMacro: name! { }
    bool trailing_brace = false;  // ends with a } that let-else does not allow
    bool has_let = false;         // a let, or && with one
    [[nodiscard]] bool Complete() const { return kind == kBlock || kind == kConstBlock || kind == kControl; }
  };
  struct Type {
    enum Kind : uint8_t { kOther, kPath, kBareBound };
    Kind kind = kOther;
    bool single_segment = false;  // kPath: one segment, arguments or not
    bool unit = false;            // ()
    bool brace_macro = false;
    std::string_view last_segment;  // kPath
  };
  struct Pattern {
    enum Kind : uint8_t { kOther, kBinding, kRange };
    Kind kind = kOther;         // kBinding: a plain name, neither ref nor mut
    bool alternatives = false;  // a | at the top, a leading one included
  };
  struct PathResult {
    uint32_t segments = 0;
    bool arguments = false;  // of any segment
    std::string_view last;   // text of the last segment
  };
  struct Attributes {
    bool any = false;
    bool test = false;
    bool cfg_test = false;
    uint32_t begin = 0;  // of the first
    Span doc;
    std::string_view path;  // #[path = "..."]
  };
  struct Bounds {
    uint32_t count = 0;
    bool trailing_plus = false;
  };
  struct Parameter {
    bool named = false;
    bool variadic = false;
    bool attributes = false;
  };
  enum class ItemResult : uint8_t { kNone, kOk, kFail };
  enum class NameRule : uint8_t { kRequired, kOptional };  // of parameters

  // Restrictions on the expression being parsed, as bits of restrictions_.
  static constexpr uint8_t kStatementExpr = 1;  // a block-like expression ends it
  static constexpr uint8_t kNoStruct = 2;       // no struct literal: what follows is a block
  static constexpr uint8_t kConstArgument = 4;  // `>` ends it
  static constexpr uint8_t kAllowLet = 8;       // let may stand here

  // Sets restrictions_ for a scope.
  class Restrict {
   public:
    Restrict(Parser& parser, uint8_t bits) : parser_(parser), saved_(parser.restrictions_) {
      parser.restrictions_ = bits;
    }
    ~Restrict() { parser_.restrictions_ = saved_; }
    Restrict(const Restrict&) = delete;
    Restrict& operator=(const Restrict&) = delete;

   private:
    Parser& parser_;
    uint8_t saved_;
  };
  // Counts a level of nesting; !ok() means that the limit is reached and an error is noted.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser), ok_(++parser.depth_ <= parser.options_.max_depth) {
      if (!ok_) parser.Fail("less nesting");
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    [[nodiscard]] bool ok() const { return ok_; }

   private:
    Parser& parser_;
    bool ok_;
  };

  // --- Tokens (parser.cc)
  void MatchDelimiters(const std::vector<Token>& raw);
  [[nodiscard]] const Token& Peek(size_t ahead = 1) const { return tokens_[at_ + ahead]; }
  [[nodiscard]] bool Is(TokenKind kind) const { return token_.kind == kind; }
  [[nodiscard]] bool Is(Keyword keyword) const { return token_.keyword == keyword; }
  [[nodiscard]] bool PeekIs(size_t ahead, TokenKind kind) const { return Peek(ahead).kind == kind; }
  [[nodiscard]] bool PeekIs(size_t ahead, Keyword keyword) const { return Peek(ahead).keyword == keyword; }
  void Bump() {
    ++steps_;
    previous_end_ = token_.end;
    if (token_.kind != TokenKind::kEnd) token_ = tokens_[++at_];
  }
  void MoveTo(size_t index);
  // From `begin` to the end of the last token that was stepped over; empty if that is before `begin`.
  [[nodiscard]] Span ParsedFrom(uint32_t begin) const { return {begin, begin < previous_end_ ? previous_end_ : begin}; }
  bool Eat(TokenKind kind) {
    if (token_.kind != kind) return false;
    Bump();
    return true;
  }
  bool Eat(Keyword keyword) {
    if (token_.keyword != keyword) return false;
    Bump();
    return true;
  }
  bool Expect(TokenKind kind, const char* spelling) { return Eat(kind) || Fail(spelling); }
  // Eats the first byte of a token such as `>>`: only the kinds `<`, `>`, `&`, `|`, `+`.
  bool EatSplit(TokenKind kind);
  [[nodiscard]] bool IsPlus() const { return Is(TokenKind::kPlus) || Is(TokenKind::kPlusEq); }
  [[nodiscard]] bool Reserved(Keyword keyword) const { return reserved_[static_cast<size_t>(keyword)]; }
  [[nodiscard]] static bool IsName(const Token& token) {
    return token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kRawIdentifier;
  }
  [[nodiscard]] bool IsFreeName(const Token& token) const {
    return token.kind == TokenKind::kRawIdentifier ||
           (token.kind == TokenKind::kIdentifier && !Reserved(token.keyword));
  }
  [[nodiscard]] static bool IsPathKeyword(Keyword keyword) {
    return keyword == Keyword::kSuper || keyword == Keyword::kSelfLower || keyword == Keyword::kSelfUpper ||
           keyword == Keyword::kCrate;
  }
  [[nodiscard]] static bool IsLifetime(const Token& token) {
    return token.kind == TokenKind::kLifetime || token.kind == TokenKind::kRawLifetime;
  }
  [[nodiscard]] static bool IsLiteral(const Token& token) {
    return token.kind >= TokenKind::kInteger && token.kind <= TokenKind::kRawCString;
  }
  [[nodiscard]] static bool IsBool(const Token& token) {
    return token.keyword == Keyword::kTrue || token.keyword == Keyword::kFalse;
  }
  [[nodiscard]] static bool IsMutability(const Token& token) {
    return token.keyword == Keyword::kMut || token.keyword == Keyword::kConst;
  }
  [[nodiscard]] bool StartsPath(const Token& token) const {
    return IsFreeName(token) || IsPathKeyword(token.keyword) || token.kind == TokenKind::kPathSep ||
           token.kind == TokenKind::kLt || token.kind == TokenKind::kShl;
  }
  [[nodiscard]] bool StartsExpression(const Token& token) const;
  [[nodiscard]] bool StartsType(const Token& token) const;
  [[nodiscard]] bool NameIs(const Token& token, std::string_view text) const {
    return token.kind == TokenKind::kIdentifier && token.Text(source_) == text;
  }
  [[nodiscard]] bool IsBuiltin() const { return Is(Keyword::kBuiltin) && PeekIs(1, TokenKind::kPound); }
  [[nodiscard]] bool IsConstBlock(size_t ahead = 0) const {
    return PeekIs(ahead, Keyword::kConst) && PeekIs(ahead + 1, TokenKind::kOpenBrace);
  }
  [[nodiscard]] bool IsConstClosure() const;
  [[nodiscard]] bool IsImportCoupler() const {
    return Is(TokenKind::kPathSep) && (PeekIs(1, TokenKind::kOpenBrace) || PeekIs(1, TokenKind::kStar));
  }

  // --- Errors and recovery (parser.cc)
  bool Fail(std::string_view expected);  // always false
  void Complain(std::string_view message);
  void ComplainAt(Span span, std::string_view message);
  void AddErrorSpan(uint32_t begin, uint32_t end);
  // From a failure to the end of the statement or item that starts at token `start`, in the group that closes at
  // `close`.
  void SkipBroken(size_t start, size_t close, bool statement);
  [[nodiscard]] bool StartsItemOrLet(const Token& token, bool statement) const;

  // Parses `parse` until the delimiter that closes the current opening one, with commas between and an optional one
  // behind. A failure inside skips to the closing delimiter. `count` and `trailing` may be null.
  template <typename Parse>
  void CommaList(Parse parse, uint32_t* count = nullptr, bool* trailing = nullptr) {
    Group([&] {
      uint32_t n = 0;
      bool comma = false;
      while (!AtClose()) {
        if (!parse()) return false;
        ++n;
        comma = Eat(TokenKind::kComma);
        if (!comma && !AtClose()) return Fail("`,`");
      }
      if (count != nullptr) *count = n;
      if (trailing != nullptr) *trailing = comma;
      return true;
    });
  }
  // Runs `body` inside the group that the current token opens and leaves behind its closing delimiter, whatever
  // happened.
  template <typename Body>
  void Group(Body body) {
    const size_t close = closes_[at_];
    Bump();
    if (!body()) {
      AddErrorSpan(token_.begin, tokens_[close].begin);
      MoveTo(close);
    } else if (at_ != close) {
      Fail("a closing delimiter");
      AddErrorSpan(token_.begin, tokens_[close].begin);
      MoveTo(close);
    }
    Bump();
  }
  [[nodiscard]] bool AtClose() const {
    return Is(TokenKind::kCloseParen) || Is(TokenKind::kCloseBracket) || Is(TokenKind::kCloseBrace) ||
           Is(TokenKind::kEnd);
  }
  [[nodiscard]] bool AtOpen() const {
    return Is(TokenKind::kOpenParen) || Is(TokenKind::kOpenBracket) || Is(TokenKind::kOpenBrace);
  }
  // Steps over a group without looking in: macro input.
  void SkipGroup() {
    MoveTo(closes_[at_]);
    Bump();
  }

  // --- Names and attributes (parser.cc)
  bool Name();
  bool NameOrUnderscore();
  bool FieldName();  // a name or an integer
  void UseLifetime();
  void UseLabel();
  void OuterAttributes(Attributes& attributes);
  void NoAttributes(std::string_view message);
  bool InnerAttributes();  // true if there was one
  void Attribute(bool inner, Attributes* attributes);
  bool AttributeBody(Attributes* attributes);
  bool MacroArguments(bool& brace);

  // --- Items (parse_item.cc)
  void ModuleItems(size_t close);
  ItemResult Item(ItemPlace place, const Attributes& attributes);
  ItemResult ItemBody(ItemPlace place, const Attributes& attributes, bool has_visibility, int32_t record);
  bool ItemList(ItemPlace place);
  bool Visibility(bool before_type, bool& present);
  [[nodiscard]] bool StartsFunction() const;
  [[nodiscard]] bool IsUnsafeForeignModule() const;
  [[nodiscard]] bool StartsTrait() const;
  [[nodiscard]] bool StartsImpl(size_t ahead = 0) const;
  [[nodiscard]] bool StartsStatic() const;
  [[nodiscard]] bool IsUseClosure() const;
  [[nodiscard]] bool IsReuse() const;
  [[nodiscard]] bool IsMacroRules() const;
  bool FunctionQualifiers(bool pointer);
  bool Function(ItemPlace place, const Attributes& attributes, int32_t record, uint32_t signature);
  bool FunctionBody(Span& body);
  bool Parameters(NameRule rule);
  bool ParameterGeneral(NameRule rule, bool first, Parameter& parameter);
  bool SelfParameter(bool& found);
  bool ReturnType(bool allow_plus, bool* unit);
  bool Abi();
  bool UseItem();
  bool UseTree(const std::string& prefix);
  bool ExternCrate();
  bool ConstItem(int32_t record);
  bool StaticItem(int32_t record);
  bool TypeAlias(int32_t record);
  bool Struct(int32_t record);
  bool Union(int32_t record);
  bool RecordFields();
  bool TupleFields();
  bool Enum(int32_t record);
  bool Variant();
  bool Trait(int32_t record);
  bool Impl(int32_t record, bool reuse);
  bool Reuse();
  bool Module(int32_t record, const Attributes& attributes);
  bool MacroDefinition(int32_t record);
  bool MacroRules(int32_t record);
  bool Semi() { return Expect(TokenKind::kSemi, "`;`"); }
  int32_t OpenRecord(uint32_t begin);
  void NameRecord(int32_t record, ItemKind kind, std::string_view name);
  void RecordStart(int32_t record, uint32_t keyword_begin, bool is_public);
  void CloseRecord(int32_t record, bool keep);

  // --- Generics, bounds, where clauses (parse_generics.cc)
  bool Generics();
  bool GenericParameters();
  bool ChoosesGenerics(size_t ahead) const;
  bool WhereClause();
  bool BoundList(bool allow_plus, Bounds& bounds);
  [[nodiscard]] bool StartsBound() const;
  [[nodiscard]] bool IsMaybeConst() const;
  bool Bound();
  bool TraitBound();
  bool UseBound();
  bool LifetimeBounds();
  bool Binder(bool& present);
  bool Contract();

  // --- Types and paths (parse_type.cc)
  bool ParseType(Type& type, bool allow_plus = true, bool allow_variadic = false);
  bool TypeCore(Type& type, bool allow_plus, bool allow_variadic, bool& many_bounds);
  bool ParseType() {
    Type type;
    return ParseType(type);
  }
  bool FunctionPointer();
  bool Path(PathStyle style, PathResult& path);
  bool PathSegment(PathStyle style, PathResult& path);
  bool PathSegments(PathStyle style, PathResult& path);
  bool QualifiedPath(PathStyle style, PathResult& path);
  bool EatPathSep();
  bool AngleArguments();
  bool AngleArgument(bool& found);
  bool GenericArgument(bool& found, Type& type);
  bool ConstArgument();
  bool ParenthesisedArguments();
  bool RemainingBounds();

  // --- Patterns (parse_pattern.cc)
  bool PatternTop(Pattern& pattern, bool allow_guard);  // with |
  bool PatternNoAlternatives(Pattern& pattern, bool allow_range = true);
  bool PatternCore(Pattern& pattern);
  bool PatternPath(Pattern& pattern);
  bool PatternIdentifier(Pattern& pattern, bool plain);
  bool PatternFields();
  bool PatternRangeEnd(Pattern& pattern, bool required);
  [[nodiscard]] bool StartsRangeEnd(size_t ahead) const;
  bool PatternLiteral();
  void PinOrMut();

  // --- Expressions (parse_expression.cc, parse_primary.cc)
  bool ParseExpression(Expression& expression, uint8_t restrictions = 0);
  bool ParseExpression() {
    Expression expression;
    return ParseExpression(expression);
  }
  bool Associative(int least, Expression& expression);
  bool AssociativeRest(int least, Expression& left);
  bool PrefixRange(Expression& expression);
  bool Prefix(Expression& expression);
  bool Postfix(Expression& expression);
  bool DotSuffix(Expression& expression);
  bool Primary(Expression& expression);
  bool KeywordPrimary(Expression& expression);
  bool PathExpression(Expression& expression);
  [[nodiscard]] bool LooksLikeStruct() const;
  bool StructLiteral(Expression& expression);
  bool StructField();
  bool Array(Expression& expression);
  bool Parenthesised(Expression& expression);
  bool CallArguments();
  bool Closure(Expression& expression);
  bool If(Expression& expression);
  bool While(Expression& expression);
  bool For(Expression& expression);
  bool Match(Expression& expression);
  bool MatchBlock(Expression& expression);
  bool Arm();
  bool Condition(bool guard);
  bool Let(Expression& expression, bool allowed);
  bool Labelled(Expression& expression);
  bool Break(Expression& expression);
  bool OptionalOperand(Expression& expression);
  bool AsyncBlock(Expression& expression);
  bool TryBlock(Expression& expression);
  bool Builtin(Expression& expression);
  bool CaptureClause();
  [[nodiscard]] bool IsCoroutineBlock(Keyword keyword, size_t ahead) const;
  [[nodiscard]] bool StartsRangeOperand() const;

  // --- Statements (parse_statement.cc)
  bool Block(bool inner_attributes);
  bool BlockExpression(Expression& expression);
  void Statements(size_t close);
  bool Statement();
  bool Local();
  bool PathStatement();
  bool MacroStatement();
  bool EndStatement(const Expression& expression);
  [[nodiscard]] bool StartsPathItem() const;

  std::string_view source_;
  ParseOptions options_;
  Outline* outline_;
  std::array<bool, kKeywordCount> reserved_{};

  std::vector<Token> tokens_;     // without plain comments; several kEnd at the end, so that Peek needs no check
  std::vector<uint32_t> closes_;  // of an opening delimiter's index: the index of its closing one
  size_t at_ = 0;
  Token token_;  // tokens_[at_], or what is left of it after a split
  uint32_t previous_end_ = 0;

  uint8_t restrictions_ = 0;
  int depth_ = 0;
  uint64_t steps_ = 0;
  ParseReport report_;
  std::vector<Span> error_spans_;

  // Of the outline.
  int32_t parent_ = -1;
  int32_t test_modules_ = 0;
  std::vector<std::string>* bindings_ = nullptr;  // where a parameter's pattern puts its names
};

}  // namespace pintle::rust
