// The Rust lexer: source bytes to tokens with byte spans. The parser, the outline, the corpus filter and the
// fill-in-the-middle splitter stand on it. It never fails: what is no Rust token becomes an error token and lexing goes
// on. It does not judge syntax, expand anything or intern names; white space has no tokens. Source: The Rust Reference,
// chapter "Lexical structure".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pintle::rust {

/// Kinds of token. Operators are the longest match ("<<=" is one token); a parser splits them where the grammar wants
/// less.
enum class TokenKind : uint8_t {
  kEnd,  ///< one, empty, behind the last token
  kError,
  kIdentifier,     ///< keywords and `_` too; see Token::keyword
  kRawIdentifier,  ///< r#name
  kLifetime,       ///< 'a, 'static, '_
  kRawLifetime,    ///< 'r#a
  kInteger,
  kFloat,
  kChar,
  kByte,
  kString,
  kByteString,
  kCString,
  kRawString,
  kRawByteString,
  kRawCString,
  kLineComment,
  kBlockComment,
  kOuterDoc,  ///< `///` and `/** */`
  kInnerDoc,  ///< `//!` and `/*! */`
  kShebang,   ///< the first line, if it starts with #! and is no inner attribute
  kFrontmatter,
  // Delimiters.
  kOpenParen,
  kCloseParen,
  kOpenBracket,
  kCloseBracket,
  kOpenBrace,
  kCloseBrace,
  // Punctuation.
  kSemi,
  kComma,
  kDot,
  kDotDot,
  kDotDotDot,
  kDotDotEq,
  kColon,
  kPathSep,    ///< ::
  kArrow,      ///< ->
  kFatArrow,   ///< =>
  kLeftArrow,  ///< <-
  kPound,
  kDollar,
  kQuestion,
  kAt,
  kTilde,
  kNot,
  kEq,
  kEqEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAnd,
  kAndAnd,
  kOr,
  kOrOr,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kCaret,
  kShl,
  kShr,
  kPlusEq,
  kMinusEq,
  kStarEq,
  kSlashEq,
  kPercentEq,
  kCaretEq,
  kAndEq,
  kOrEq,
  kShlEq,
  kShrEq,
};

/// Spelling of an identifier that is a keyword somewhere: strict, reserved or weak, of any edition. What it means where
/// is the parser's business.
enum class Keyword : uint8_t {
  kNone,
  kUnderscore,
  // Strict in every edition.
  kAs,
  kBreak,
  kConst,
  kContinue,
  kCrate,
  kElse,
  kEnum,
  kExtern,
  kFalse,
  kFn,
  kFor,
  kIf,
  kImpl,
  kIn,
  kLet,
  kLoop,
  kMatch,
  kMod,
  kMove,
  kMut,
  kPub,
  kRef,
  kReturn,
  kSelfLower,
  kSelfUpper,
  kStatic,
  kStruct,
  kSuper,
  kTrait,
  kTrue,
  kType,
  kUnsafe,
  kUse,
  kWhere,
  kWhile,
  // Reserved in every edition.
  kAbstract,
  kBecome,
  kBox,
  kDo,
  kFinal,
  kMacro,
  kOverride,
  kPriv,
  kTypeof,
  kUnsized,
  kVirtual,
  kYield,
  // From 2018 on.
  kAsync,
  kAwait,
  kDyn,
  kTry,
  // From 2024 on.
  kGen,
  // Weak: identifiers except in one place.
  kAuto,
  kBuiltin,
  kContractEnsures,
  kContractRequires,
  kDefault,
  kMacroRules,
  kRaw,
  kReuse,
  kSafe,
  kUnion,
  kYeet,
};

/// Bytes [begin, end) of the source.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  [[nodiscard]] uint32_t size() const { return end - begin; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// One token as a span of the source.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNone;  ///< only for kIdentifier
  bool bad = false;    ///< a token of this kind that no compiler takes: unterminated, bad escape, bad digit, ...
  bool joint = false;  ///< the next token (comments count) starts where this one ends
  uint32_t begin = 0;  ///< byte offset
  uint32_t end = 0;

  [[nodiscard]] std::string_view Text(std::string_view source) const { return source.substr(begin, end - begin); }
};

/// White space apart, comments are what a parser skips.
inline bool IsComment(TokenKind kind) { return kind == TokenKind::kLineComment || kind == TokenKind::kBlockComment; }

/// Replaces `tokens` by the tokens of `source` (comments and doc comments included) and a kEnd token. Any bytes are
/// allowed, up to 2^32 - 2 of them (longer: the rest is one error token). One pass, linear in the size, `edition` 2015,
/// 2018, 2021 or 2024 (prefixes such as k"x" and c"x" differ). Spans are ascending and do not overlap; what lies
/// between them is white space.
void LexRust(std::string_view source, std::vector<Token>& tokens, int edition = 2021);

}  // namespace pintle::rust
