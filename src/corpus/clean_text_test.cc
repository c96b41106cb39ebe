#include "corpus/clean_text.h"

#include <doctest/doctest.h>

#include "corpus/content_rules.h"

namespace pintle {
namespace {

std::string Clean(std::string_view source) {
  std::vector<rust::Token> tokens;
  return CleanRust(source, true, tokens).text;
}

std::string Mail(std::string_view text) {
  const MailSpan span = FindMail(text, 0);
  return span.begin == std::string_view::npos ? "" : std::string(text.substr(span.begin, span.end - span.begin));
}

std::string Secret(std::string_view text) {
  const char* kind = "";
  return FindSecret(text, &kind) == std::string_view::npos ? "" : kind;
}

// Tokens that a program can see, line ends unified.
std::vector<std::string> Visible(const std::string& source) {
  std::vector<rust::Token> tokens;
  rust::LexRust(source, tokens);
  std::vector<std::string> out;
  for (const auto& token : tokens) {
    if (!rust::IsComment(token.kind)) out.emplace_back(token.Text(source));
  }
  return out;
}

TEST_CASE("the normal form: line ends, marks, trailing blanks") {
  CHECK(Clean("\xef\xbb\xbf"
              "fn f() {}\r\n\r\n") == "fn f() {}\n");
  CHECK(Clean("fn f() {}  \n\t\n// note \t\nstruct S;") == "fn f() {}\n\n// note\nstruct S;\n");
  // Inside literals and doc comments blanks are content.
  CHECK(Clean("const A: &str = \"x  \ny\";  \n") == "const A: &str = \"x  \ny\";\n");
  CHECK(Clean("const A: &str = r#\"x \t\n\"#;\n") == "const A: &str = r#\"x \t\n\"#;\n");
  CHECK(Clean("/// hard break  \n/// next\nfn f() {}\n") == "/// hard break  \n/// next\nfn f() {}\n");
  CHECK(Clean("/* a  \n b */\n") == "/* a\n b */\n");
  CHECK(Clean("").empty());
  // Carriage returns that end no line.
  CHECK(Clean("fn f() {}\t\r") == "fn f() {}\n");
  CHECK(Clean("a;\r \nb;\r\r\n") == "a;\nb;\n");
}

TEST_CASE("the normal form keeps the tokens and is its own normal form") {
  const std::string source =
      "fn f<'a>(x: &'a str) -> char {  \n    let s = \"a \\\n   b  \n\";  // tail   \n    let t = br##\"  \n\"##; \t\n "
      "   ' '\n}  \n\n\n";
  const std::string clean = Clean(source);
  CHECK(clean != source);
  CHECK(Visible(clean) == Visible(source));
  CHECK(Clean(clean) == clean);
}

TEST_CASE("comments go where they are not wanted, the tokens stay") {
  const std::string source =
      "//! About.\n\n// A note\n// of two lines.\n/// Doubles.\nfn f(a: u8 /* small */) -> u8 {\n    /* first\n       "
      "second */\n    a * 2 // tail\n        + /*0*/1\n}\nconst S: &str = \"// text\";\n/* end */";
  const auto without = [](const std::string& text, Comments comments) {
    std::vector<rust::Token> tokens;
    return CleanRust(text, true, tokens, comments).text;
  };
  const std::string docs = without(source, Comments::kDocs);
  CHECK(docs ==
        "//! About.\n\n/// Doubles.\nfn f(a: u8  ) -> u8 {\n    a * 2\n        +  1\n}\nconst S: &str = \"// "
        "text\";\n");
  const std::string none = without(source, Comments::kNone);
  CHECK(none == "\nfn f(a: u8  ) -> u8 {\n    a * 2\n        +  1\n}\nconst S: &str = \"// text\";\n");
  CHECK(Visible(docs) == Visible(source));
  CHECK(without(none, Comments::kNone) == none);
  CHECK(without(source, Comments::kKeep) == Clean(source));
  CHECK(without("let a = b //*x*/\n/ c;", Comments::kNone) == "let a = b\n/ c;\n");
  // Text that is no Rust and would read otherwise without its comments keeps them.
  CHECK(without("// note\n\xef\xbb\xbf"
                "a\n",
                Comments::kNone) ==
        "// note\n\xef\xbb\xbf"
        "a\n");
  CHECK(without("// note\n#!sh // note\n", Comments::kNone) == "// note\n#!sh // note\n");
  CHECK(without("#!sh // a\n// b\nfn f() {}\n", Comments::kNone) == "#!sh // a\nfn f() {}\n");
  CHECK(without("a /**//**// b", Comments::kNone) == "a   / b\n");
}

TEST_CASE("e-mail addresses in comments and strings are replaced") {
  CHECK(Clean("// by Jane <jane@roe-works.org>\n") == "// by Jane <redacted@example.com>\n");
  CHECK(Clean("let x = \"\\njane@roe.org\";\n") == "let x = \"\\nredacted@example.com\";\n");
  CHECK(Clean("let a@b.c = d;\n") == "let a@b.c = d;\n");
  CHECK(Mail("user@example.com, git@github.com, a@localhost, b@mail.test").empty());
  CHECK(Mail("name @ pattern, #[cfg(a)]@b, 1@2.3").empty());
  CHECK(Mail("see first.last+tag@mail.corp.co.uk.") == "first.last+tag@mail.corp.co.uk");
  CHECK(Mail("a@b.com@c.com") == "a@b.com@c.com");
  CHECK(Mail("x a@b.com+@c.com/") == "a@b.com+@c.com");
  CHECK(Mail("@scope/package@1.0.x").empty());
}

TEST_CASE("credentials that look real are found, examples are not") {
  CHECK(Secret("let k = \"AKIAQ7RZK3M9XW2PVT5D\";") == "aws-access-key");
  CHECK(Secret("let k = \"AKIAIOSFODNN7EXAMPLE\";").empty());
  CHECK(Secret("let k = \"ghp_a8Kx2mQ9vT4zL7wR1yB6nC3dF5gH0jS8pU2e\";") == "github-token");
  CHECK(Secret("let k = \"ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\";").empty());
  const std::string body(70, 'Q');
  CHECK(Secret("\"-----BEGIN RSA PRIVATE KEY-----\\n" + body + "\\n\"") == "private-key");
  // A parser that only knows the title line.
  CHECK(Secret("const TITLE: &str = \"-----BEGIN PRIVATE KEY-----\";").empty());
  CHECK(Secret("let client_secret = \"kJ8s2Lq0Zx7Vb3Nm5Tr9Wc1Y\";") == "assigned-secret");
  CHECK(Secret("let checksum = \"kJ8s2Lq0Zx7Vb3Nm5Tr9Wc1Y\";").empty());
  CHECK(Secret("let password = \"the_name_of_a_configuration_key\";").empty());
}

TEST_CASE("UTF-8 is checked to the letter") {
  CHECK(FindBadUtf8("plain ascii, long enough for the fast path") == std::string_view::npos);
  CHECK(FindBadUtf8("zwölf \xe2\x82\xac \xf0\x9f\xa6\x80") == std::string_view::npos);
  CHECK(FindBadUtf8("12345678\xff") == 8);
  CHECK(FindBadUtf8("\xc0\x80") == 0);          // overlong
  CHECK(FindBadUtf8("a\xed\xa0\x80") == 1);     // surrogate
  CHECK(FindBadUtf8("\xf4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(FindBadUtf8("\xe2\x82") == 0);          // cut off
}

TEST_CASE("a note that a tool wrote the file") {
  std::string note;
  CHECK(FindGeneratedNote("// @generated\nfn f() {}", note) != std::string_view::npos);
  CHECK(FindGeneratedNote("\n// Copyright\n// This file was generated by x.\n", note) != std::string_view::npos);
  CHECK(note == "this file was generated by x.");
  CHECK(FindGeneratedNote("//! Code generated by protoc. DO NOT EDIT.\n", note) != std::string_view::npos);
  CHECK(FindGeneratedNote("//! How the automatically generated drop glue works\n", note) == std::string_view::npos);
  CHECK(FindGeneratedNote("fn f() {}\n// @generated\n", note) == std::string_view::npos);
}

}  // namespace
}  // namespace pintle
