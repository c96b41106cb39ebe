// The parser's ground: matching delimiters, errors, recovery, names, attributes, and the entry points.
#include "text/rust/parser.h"

#include <algorithm>

#include "text/rust/parser_impl.h"
#include "text/rust/scanner.h"
#include "text/rust/unicode.h"

namespace pintle::rust {
namespace {

TokenKind Closing(TokenKind open) {
  if (open == TokenKind::kOpenParen) return TokenKind::kCloseParen;
  if (open == TokenKind::kOpenBracket) return TokenKind::kCloseBracket;
  return TokenKind::kCloseBrace;
}
bool IsOpening(TokenKind kind) {
  return kind == TokenKind::kOpenParen || kind == TokenKind::kOpenBracket || kind == TokenKind::kOpenBrace;
}
bool IsClosing(TokenKind kind) {
  return kind == TokenKind::kCloseParen || kind == TokenKind::kCloseBracket || kind == TokenKind::kCloseBrace;
}

// The longest look-ahead is below this.
constexpr size_t kPadding = 8;

}  // namespace

Parser::Parser(std::string_view source, const ParseOptions& options, Outline* outline)
    : source_(source), options_(options), outline_(outline) {
  for (int i = 0; i < kKeywordCount; ++i) {
    reserved_[static_cast<size_t>(i)] = IsReserved(static_cast<Keyword>(i), options.edition);
  }
}

ParseReport Parser::Run() {
  report_.accepted = true;
  std::vector<Token> raw;
  LexRust(source_, raw, options_.edition);
  for (size_t bad = FindInvalidUtf8(source_); bad < source_.size(); bad = FindInvalidUtf8(source_, bad + 1)) {
    ComplainAt({static_cast<uint32_t>(bad), static_cast<uint32_t>(bad + 1)}, "invalid UTF-8");
  }
  for (const Token& token : raw) {
    if (token.bad) ComplainAt({token.begin, token.end}, "malformed token");
  }
  MatchDelimiters(raw);
  MoveTo(0);
  ModuleItems(tokens_.size() - kPadding);

  std::sort(error_spans_.begin(), error_spans_.end(),
            [](const Span& a, const Span& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint32_t covered = 0;
  for (const Span& span : error_spans_) {
    const uint32_t begin = std::max(span.begin, covered);
    if (span.end <= begin) continue;
    report_.error_bytes += span.end - begin;
    covered = span.end;
  }
  report_.steps = steps_;
  return std::move(report_);
}

// Copies the tokens without plain comments and pairs the delimiters. A missing closing delimiter is put in, empty,
// where an outer one closes; one that closes nothing is left out. Either is an error.
void Parser::MatchDelimiters(const std::vector<Token>& raw) {
  tokens_.reserve(raw.size() + kPadding);
  std::vector<uint32_t> open;
  std::array<uint32_t, 3> counts{};
  const auto slot = [](TokenKind kind) {
    if (kind == TokenKind::kOpenParen || kind == TokenKind::kCloseParen) return 0;
    return kind == TokenKind::kOpenBracket || kind == TokenKind::kCloseBracket ? 1 : 2;
  };
  const auto close_top = [&](uint32_t where) {
    const Token& opening = tokens_[open.back()];
    ComplainAt({opening.begin, opening.end}, "unclosed delimiter");
    const TokenKind kind = Closing(opening.kind);
    --counts[static_cast<size_t>(slot(opening.kind))];
    closes_[open.back()] = static_cast<uint32_t>(tokens_.size());
    open.pop_back();
    tokens_.push_back({.kind = kind, .begin = where, .end = where});
    closes_.push_back(0);
  };
  closes_.reserve(raw.size() + kPadding);
  for (const Token& token : raw) {
    if (IsComment(token.kind) || token.kind == TokenKind::kShebang || token.kind == TokenKind::kFrontmatter) continue;
    if (IsOpening(token.kind)) {
      ++counts[static_cast<size_t>(slot(token.kind))];
      open.push_back(static_cast<uint32_t>(tokens_.size()));
    } else if (IsClosing(token.kind)) {
      const auto kind = static_cast<size_t>(slot(token.kind));
      if (counts[kind] == 0) {
        ComplainAt({token.begin, token.end}, "unexpected closing delimiter");
        continue;
      }
      while (Closing(tokens_[open.back()].kind) != token.kind) close_top(token.begin);
      --counts[kind];
      closes_[open.back()] = static_cast<uint32_t>(tokens_.size());
      open.pop_back();
    } else if (token.kind == TokenKind::kEnd) {
      while (!open.empty()) close_top(token.begin);
    }
    tokens_.push_back(token);
    closes_.push_back(0);
  }
  for (size_t i = 1; i < kPadding; ++i) {
    tokens_.push_back(tokens_.back());
    closes_.push_back(0);
  }
}

void Parser::MoveTo(size_t index) {
  if (index > 0 && index <= tokens_.size()) previous_end_ = tokens_[index - 1].end;
  ++steps_;
  at_ = index;
  token_ = tokens_[index];
}

bool Parser::EatSplit(TokenKind kind) {
  using enum TokenKind;
  if (Is(kind)) {
    Bump();
    return true;
  }
  TokenKind rest = kError;
  switch (token_.kind) {
    case kShl:
      rest = kind == kLt ? kLt : kError;
      break;
    case kLe:
      rest = kind == kLt ? kEq : kError;
      break;
    case kShlEq:
      rest = kind == kLt ? kLe : kError;
      break;
    case kLeftArrow:
      rest = kind == kLt ? kMinus : kError;
      break;
    case kShr:
      rest = kind == kGt ? kGt : kError;
      break;
    case kGe:
      rest = kind == kGt ? kEq : kError;
      break;
    case kShrEq:
      rest = kind == kGt ? kGe : kError;
      break;
    case kAndAnd:
      rest = kind == kAnd ? kAnd : kError;
      break;
    case kAndEq:
      rest = kind == kAnd ? kEq : kError;
      break;
    case kOrOr:
      rest = kind == kOr ? kOr : kError;
      break;
    case kOrEq:
      rest = kind == kOr ? kEq : kError;
      break;
    case kPlusEq:
      rest = kind == kPlus ? kEq : kError;
      break;
    default:
      break;
  }
  if (rest == kError) return false;
  ++steps_;
  previous_end_ = ++token_.begin;
  token_.kind = rest;
  return true;
}

bool Parser::StartsExpression(const Token& token) const {
  using enum TokenKind;
  switch (token.kind) {
    case kIdentifier:
      break;
    case kRawIdentifier:
    case kLifetime:
    case kRawLifetime:
    case kOpenParen:
    case kOpenBracket:
    case kOpenBrace:
    case kNot:
    case kMinus:
    case kStar:
    case kOr:
    case kOrOr:
    case kAnd:
    case kAndAnd:
    case kDotDot:
    case kDotDotDot:
    case kDotDotEq:
    case kLt:
    case kShl:
    case kPathSep:
    case kPound:
      return true;
    default:
      return IsLiteral(token);
  }
  if (!Reserved(token.keyword) || IsPathKeyword(token.keyword)) return true;
  switch (token.keyword) {
    case Keyword::kAsync:
    case Keyword::kDo:
    case Keyword::kBox:
    case Keyword::kBreak:
    case Keyword::kConst:
    case Keyword::kContinue:
    case Keyword::kFalse:
    case Keyword::kFor:
    case Keyword::kGen:
    case Keyword::kIf:
    case Keyword::kLet:
    case Keyword::kLoop:
    case Keyword::kMatch:
    case Keyword::kMove:
    case Keyword::kReturn:
    case Keyword::kTrue:
    case Keyword::kTry:
    case Keyword::kUnsafe:
    case Keyword::kWhile:
    case Keyword::kYield:
    case Keyword::kStatic:
      return true;
    default:
      return false;
  }
}

bool Parser::StartsType(const Token& token) const {
  using enum TokenKind;
  switch (token.kind) {
    case kIdentifier:
      break;
    case kRawIdentifier:
    case kLifetime:
    case kRawLifetime:
    case kOpenParen:
    case kOpenBracket:
    case kNot:
    case kStar:
    case kAnd:
    case kAndAnd:
    case kQuestion:
    case kLt:
    case kShl:
    case kPathSep:
      return true;
    default:
      return false;
  }
  if (!Reserved(token.keyword) || IsPathKeyword(token.keyword)) return true;
  switch (token.keyword) {
    case Keyword::kUnderscore:
    case Keyword::kFor:
    case Keyword::kImpl:
    case Keyword::kFn:
    case Keyword::kUnsafe:
    case Keyword::kExtern:
    case Keyword::kTypeof:
    case Keyword::kDyn:
      return true;
    default:
      return false;
  }
}

bool Parser::IsConstClosure() const {
  if (!Is(Keyword::kConst)) return false;
  const Token& next = Peek();
  return next.keyword == Keyword::kMove || next.keyword == Keyword::kUse || next.keyword == Keyword::kStatic ||
         next.kind == TokenKind::kOr || next.kind == TokenKind::kOrOr;
}

bool Parser::Fail(std::string_view expected) {
  std::string message;
  if (report_.errors.size() < static_cast<size_t>(options_.max_errors)) {
    message = "expected " + std::string(expected) + ", found ";
    if (Is(TokenKind::kEnd)) {
      message += "the end of the file";
    } else {
      constexpr size_t kShown = 40;
      message += "`" + std::string(token_.Text(source_).substr(0, kShown)) + "`";
    }
  }
  ComplainAt({token_.begin, token_.end}, message);
  return false;
}

void Parser::Complain(std::string_view message) { ComplainAt({token_.begin, token_.end}, message); }

void Parser::ComplainAt(Span span, std::string_view message) {
  report_.accepted = false;
  if (report_.errors.size() < static_cast<size_t>(options_.max_errors)) {
    report_.errors.push_back({.span = span, .message = std::string(message)});
  }
  AddErrorSpan(span.begin, span.end);
}

void Parser::AddErrorSpan(uint32_t begin, uint32_t end) {
  if (begin >= end) return;
  if (!error_spans_.empty() && begin >= error_spans_.back().begin && begin <= error_spans_.back().end) {
    error_spans_.back().end = std::max(error_spans_.back().end, end);
    return;
  }
  error_spans_.push_back({begin, end});
}

bool Parser::StartsItemOrLet(const Token& token, bool statement) const {
  switch (token.keyword) {
    case Keyword::kFn:
    case Keyword::kStruct:
    case Keyword::kEnum:
    case Keyword::kTrait:
    case Keyword::kImpl:
    case Keyword::kMod:
    case Keyword::kUse:
    case Keyword::kPub:
    case Keyword::kStatic:
    case Keyword::kExtern:
    case Keyword::kType:
      return true;
    case Keyword::kLet:
      return statement;
    case Keyword::kConst:
    case Keyword::kUnsafe:
    case Keyword::kAsync:
      return !statement;
    default:
      return token.kind == TokenKind::kPound && !statement;
  }
}

void Parser::SkipBroken(size_t start, size_t close, bool statement) {
  const uint32_t from = token_.begin;
  size_t i = start;
  while (i < close) {
    ++steps_;
    const Token& token = tokens_[i];
    if (i >= at_ && i > start && StartsItemOrLet(token, statement)) break;
    if (IsOpening(token.kind)) {
      const size_t end = closes_[i];
      i = end + 1;
      if (token.kind == TokenKind::kOpenBrace && end >= at_) break;
      continue;
    }
    ++i;
    if (token.kind == TokenKind::kSemi && i > at_) break;
  }
  // A group in which the failure was not caught may end before it: at least one token is skipped.
  i = std::min(std::max(i, start + 1), close);
  AddErrorSpan(from, i > 0 ? tokens_[i - 1].end : from);
  MoveTo(i);
}

bool Parser::Name() {
  if (!IsFreeName(token_)) return Fail("identifier");
  Bump();
  return true;
}

bool Parser::NameOrUnderscore() { return Eat(Keyword::kUnderscore) || Name(); }

bool Parser::FieldName() {
  if (Is(TokenKind::kInteger)) {
    const std::string_view text = token_.Text(source_);
    if (NumberSuffix(text) != text.size()) {
      Complain("suffixes on a tuple index are invalid");
    }
    Bump();
    return true;
  }
  return Name();
}

void Parser::UseLifetime() {
  if (Is(TokenKind::kLifetime)) {
    const Keyword word = FindKeyword(token_.Text(source_).substr(1));
    if (word != Keyword::kStatic && word != Keyword::kUnderscore && Reserved(word)) {
      Complain("lifetimes cannot use keyword names");
    }
  }
  Bump();
}

void Parser::UseLabel() {
  if (Is(TokenKind::kLifetime) && Reserved(FindKeyword(token_.Text(source_).substr(1)))) {
    Complain("labels cannot use keyword names");
  }
  Bump();
}

void Parser::OuterAttributes(Attributes& attributes) {
  while (true) {
    const uint32_t begin = token_.begin;
    if (Is(TokenKind::kPound)) {
      Attribute(false, &attributes);
    } else if (Is(TokenKind::kOuterDoc) || Is(TokenKind::kInnerDoc)) {
      if (Is(TokenKind::kInnerDoc)) Complain("expected outer doc comment");
      if (attributes.doc.size() == 0) attributes.doc.begin = token_.begin;
      attributes.doc.end = token_.end;
      Bump();
    } else {
      return;
    }
    if (!attributes.any) attributes.begin = begin;
    attributes.any = true;
  }
}

void Parser::NoAttributes(std::string_view message) {
  Attributes attributes;
  const uint32_t begin = token_.begin;
  OuterAttributes(attributes);
  if (attributes.any) ComplainAt({begin, previous_end_}, message);
}

bool Parser::InnerAttributes() {
  bool any = false;
  while (true) {
    if (Is(TokenKind::kPound) && PeekIs(1, TokenKind::kNot)) {
      Attribute(true, nullptr);
    } else if (Is(TokenKind::kInnerDoc)) {
      Bump();
    } else {
      return any;
    }
    any = true;
  }
}

// At `#`. Always gets over it, so that attributes make progress.
void Parser::Attribute(bool inner, Attributes* attributes) {
  Bump();
  if (Is(TokenKind::kNot)) {
    if (!inner) Complain("an inner attribute is not permitted in this context");
    Bump();
  }
  if (!Is(TokenKind::kOpenBracket)) {
    Fail("`[`");
    return;
  }
  Group([&] { return AttributeBody(attributes); });
}

bool Parser::AttributeBody(Attributes* attributes) {
  const auto body = [&] {
    PathResult path;
    if (!Path(PathStyle::kModule, path)) return false;
    const size_t arguments = at_;
    if (AtOpen()) {
      SkipGroup();
    } else if (Eat(TokenKind::kEq)) {
      if (!ParseExpression()) return false;
    }
    if (attributes == nullptr || outline_ == nullptr) return true;
    if (path.last == "test") attributes->test = true;
    if (path.last == "cfg") {
      bool test = false;
      bool negated = false;
      for (size_t i = arguments; i < at_; ++i) {
        test = test || NameIs(tokens_[i], "test");
        negated = negated || NameIs(tokens_[i], "not");
      }
      if (test && !negated) attributes->cfg_test = true;
    }
    if (path.last == "path" && tokens_[arguments].kind == TokenKind::kEq &&
        tokens_[arguments + 1].kind == TokenKind::kString) {
      const std::string_view text = tokens_[arguments + 1].Text(source_);
      if (text.size() >= 2) attributes->path = text.substr(1, text.size() - 2);
    }
    return true;
  };
  if (!Is(Keyword::kUnsafe)) return body();
  Bump();
  if (!Is(TokenKind::kOpenParen)) return Fail("`(`");
  Group(body);
  return true;
}

bool Parser::MacroArguments(bool& brace) {
  if (!AtOpen()) return Fail("`(`, `[` or `{`");
  brace = Is(TokenKind::kOpenBrace);
  SkipGroup();
  return true;
}

ParseReport ParseRust(std::string_view source, const ParseOptions& options) {
  return Parser(source, options, nullptr).Run();
}

uint32_t ErrorShare(const ParseReport& report, std::string_view source) {
  if (source.empty()) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(10000, report.error_bytes * 10000 / source.size()));
}

}  // namespace pintle::rust
