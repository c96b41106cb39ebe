#include "text/rust/lexer.h"

#include <doctest/doctest.h>

#include <string>

#include "text/rust/keyword.h"
#include "text/rust/scanner.h"
#include "text/rust/unicode.h"

namespace pintle::rust {
namespace {

using enum TokenKind;

std::vector<TokenKind> Kinds(std::string_view source, int edition = 2021) {
  std::vector<Token> tokens;
  LexRust(source, tokens, edition);
  std::vector<TokenKind> kinds;
  for (const Token& token : tokens) kinds.push_back(token.kind);
  REQUIRE(kinds.back() == kEnd);
  kinds.pop_back();
  return kinds;
}

Token First(std::string_view source, int edition = 2021) {
  std::vector<Token> tokens;
  LexRust(source, tokens, edition);
  return tokens.front();
}

using List = std::vector<TokenKind>;

TEST_CASE("operators are the longest match") {
  CHECK(Kinds(">>= >> >= > <<= << <= <- <") == List{kShrEq, kShr, kGe, kGt, kShlEq, kShl, kLe, kLeftArrow, kLt});
  CHECK(Kinds("... ..= .. . :: : -> -= - => == =") ==
        List{kDotDotDot, kDotDotEq, kDotDot, kDot, kPathSep, kColon, kArrow, kMinusEq, kMinus, kFatArrow, kEqEq, kEq});
  CHECK(Kinds("&&= ||| !== :::") == List{kAndAnd, kEq, kOrOr, kOr, kNe, kEq, kPathSep, kColon});
}

TEST_CASE("literals, prefixes and suffixes") {
  CHECK(Kinds("1 1.5 1. 1e3 1.foo 1..2 0x1fu8") ==
        List{kInteger, kFloat, kFloat, kFloat, kInteger, kDot, kIdentifier, kInteger, kDotDot, kInteger, kInteger});
  CHECK(Kinds("'a' 'a b'a' \"s\" b\"s\" c\"s\" r\"s\" br#\"s\"# cr\"s\"") ==
        List{kChar, kLifetime, kByte, kString, kByteString, kCString, kRawString, kRawByteString, kRawCString});
  CHECK(Kinds("r#fn 'r#fn _ r b c rb") ==
        List{kRawIdentifier, kRawLifetime, kIdentifier, kIdentifier, kIdentifier, kIdentifier, kIdentifier});
  CHECK(Kinds("c\"s\"", 2018) == List{kIdentifier, kString});
  CHECK(First("\"a\\\"b\"x").end == 7);
  CHECK(First("r##\"a\"#\"##").end == 10);
  CHECK(First("'\\''").end == 4);
  CHECK(NumberSuffix("0xffu8") == 4);
  CHECK(NumberSuffix("1.5e-3f32") == 6);
}

TEST_CASE("what no compiler takes is marked") {
  for (const char* text : {"0x", "0b12", "1e", "0b1e1", "'ab'", "''", "'\\q'", "\"\\xff\"", "\"open", "r#\"open\"",
                           "/* open", "b\"\xC3\xA9\"", "c\"\\0\"", "\"a\"_", "a\"s\"", "r#self", "'0a", "\x01", "`"}) {
    CAPTURE(text);
    CHECK(First(text).bad);
  }
  for (const char* text : {"0b11", "1e3", "'\\u{1F600}'", "\"\\x7f\"", "b\"\\xff\"", "'\xC3\xA9'", "\"a\\\n  b\"",
                           "\"a\r\nb\"", "'_", "r#fn", "1__", "99999999999999999999u8"}) {
    CAPTURE(text);
    CHECK_FALSE(First(text).bad);
  }
  CHECK(First("\"a\rb\"").bad);
  CHECK(First("/// a\rb").bad);
  CHECK_FALSE(First("// a\rb").bad);
  CHECK_FALSE(First("a\"s\"", 2018).bad);
  CHECK(First("#\"s\"#", 2024).bad);
}

TEST_CASE("comments, doc comments, shebang, frontmatter") {
  CHECK(Kinds("// a\n/// b\n//// c\n//! d") == List{kLineComment, kOuterDoc, kLineComment, kInnerDoc});
  CHECK(Kinds("/* a */ /** b */ /*** c */ /**/ /*! d */ /* /* e */ */") ==
        List{kBlockComment, kOuterDoc, kBlockComment, kBlockComment, kInnerDoc, kBlockComment});
  CHECK(Kinds("#!/bin/sh\nx") == List{kShebang, kIdentifier});
  CHECK(Kinds("#![x]") == List{kPound, kNot, kOpenBracket, kIdentifier, kCloseBracket});
  CHECK(Kinds("#! // c\n [x]").front() == kPound);
  CHECK(Kinds("---\na = 1\n---\nx") == List{kFrontmatter, kIdentifier});
  CHECK(Kinds("\xEF\xBB\xBFx") == List{kIdentifier});
}

TEST_CASE("spans are ascending, cover all but white space, and tell what is joint") {
  const std::string source = "fn f<'a>(x: &'a str) -> Vec<Vec<u8>> { \"s\".len() } // é\n/* x */ #[a]";
  std::vector<Token> tokens;
  LexRust(source, tokens);
  uint32_t at = 0;
  for (const Token& token : tokens) {
    REQUIRE(token.begin >= at);
    for (uint32_t i = at; i < token.begin; ++i) CHECK((source[i] == ' ' || source[i] == '\n'));
    at = token.end;
  }
  CHECK(at == source.size());
  CHECK(tokens[0].keyword == Keyword::kFn);
  CHECK_FALSE(tokens[0].joint);
  CHECK(tokens[1].joint);
}

TEST_CASE("any bytes lex, invalid UTF-8 too") {
  std::string source;
  for (int i = 0; i < 256; ++i) source += static_cast<char>(i);
  source += source;
  std::vector<Token> tokens;
  LexRust(source, tokens);
  CHECK(tokens.back().end == source.size());
  CHECK(FindInvalidUtf8("abc\xC3\xA9 12345678") == 14);
  CHECK(FindInvalidUtf8("12345678\xC0\x80") == 8);
  CHECK(FindInvalidUtf8("\xED\xA0\x80") == 0);
  CHECK(FindInvalidUtf8("\xF4\x90\x80\x80") == 0);
}

TEST_CASE("keywords and their editions") {
  for (int i = 1; i < kKeywordCount; ++i) {
    const auto keyword = static_cast<Keyword>(i);
    CHECK(FindKeyword(KeywordText(keyword)) == keyword);
  }
  CHECK(FindKeyword("fnn") == Keyword::kNone);
  CHECK(IsReserved(Keyword::kFn, 2015));
  CHECK_FALSE(IsReserved(Keyword::kAsync, 2015));
  CHECK(IsReserved(Keyword::kAsync, 2018));
  CHECK_FALSE(IsReserved(Keyword::kGen, 2021));
  CHECK(IsReserved(Keyword::kGen, 2024));
  CHECK_FALSE(IsReserved(Keyword::kUnion, 2024));
}

TEST_CASE("identifiers follow Unicode") {
  CHECK(IsXidStart(0xE9));
  CHECK(IsXidContinue(0x301));
  CHECK_FALSE(IsXidStart(0x301));
  CHECK_FALSE(IsXidContinue(0x2116));
  CHECK(IsEmoji(0x1F980));
  CHECK(Kinds("\xC3\xA9t\xC3\xA9\xC2\x85x") == List{kIdentifier, kIdentifier});
}

}  // namespace
}  // namespace pintle::rust
