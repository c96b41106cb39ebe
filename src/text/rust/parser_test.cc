#include "text/rust/parser.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

namespace pintle::rust {
namespace {

std::vector<std::string> Cases(const std::string& name) {
  std::ifstream in(std::string(PINTLE_SOURCE_DIR) + "/src/text/rust/testdata/" + name);
  REQUIRE(in.is_open());
  std::vector<std::string> cases;
  std::string line;
  std::getline(in, line);  // the first line says what the file is
  const std::string mark = "\xE2\x90\xA4";
  while (std::getline(in, line)) {
    for (size_t at = line.find(mark); at != std::string::npos; at = line.find(mark))
      line.replace(at, mark.size(), "\n");
    cases.push_back(line);
  }
  return cases;
}

ParseReport Parse(std::string_view source, int edition = 2021) {
  ParseOptions options;
  options.edition = edition;
  return ParseRust(source, options);
}

std::string Repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST_CASE("what rustc's parser takes is accepted, what it refuses is not") {
  for (const int edition : {2015, 2021, 2024}) {
    const std::string suffix = "_" + std::to_string(edition) + ".txt";
    for (const std::string& source : Cases("accept" + suffix)) {
      CAPTURE(source);
      const ParseReport report = Parse(source, edition);
      const std::string error = report.errors.empty() ? "" : report.errors.front().message;
      CAPTURE(error);
      CHECK(report.accepted);
      CHECK(report.error_bytes == 0);
    }
    for (const std::string& source : Cases("reject" + suffix)) {
      CAPTURE(source);
      const ParseReport report = Parse(source, edition);
      CHECK_FALSE(report.accepted);
      CHECK_FALSE(report.errors.empty());
      CHECK(report.error_bytes <= source.size());
    }
  }
}

TEST_CASE("errors say where and what, and the rest of the file still counts") {
  const std::string good = Repeat("fn g(x: u8) -> u8 { let y = x + 1; y * 2 }\n", 50);
  const std::string source = good + "fn f() { let x = 1 let y = 2; }\n" + good;
  const ParseReport report = Parse(source);
  REQUIRE(report.errors.size() == 1);
  CHECK(source.substr(report.errors[0].span.begin, 3) == "let");
  CHECK(report.errors[0].message == "expected `;`, found `let`");
  CHECK(report.error_bytes < 20);
  CHECK(ErrorShare(report, source) < 100);
  CHECK(ErrorShare(Parse("this is no rust at all, it is a sentence"), "this is no rust at all, it is a sentence") >
        5000);
}

TEST_CASE("one broken statement, argument, field, arm or item does not spread") {
  const char* broken[] = {
      "fn f() { a b; let c = 1; d(); }",       "fn f() { a(b c, d); e(); let g = 2; }",
      "struct A { x u8, y: u8 } struct B;",    "fn f() { match a { B => c D => e } g(); }",
      "impl A { fn f( {} } fn g() {}",         "fn f() {} fnn g() {} fn h() { i(); }",
      "fn f() { let x = ; let y = 1; }",       "use a::{b c}; use d;",
      "enum A { B: u8 } enum C { D }",         "fn f() { if x { a b } else { c } }",
      "trait A { fn f() fn g(); } trait B {}", "fn f() { S { a: 1 b: 2 }; c(); }",
  };
  for (const char* text : broken) {
    const std::string source = std::string(text) + Repeat("\nfn rest() -> u8 { 1 }", 20);
    CAPTURE(source);
    const ParseReport report = Parse(source);
    CHECK_FALSE(report.accepted);
    CHECK(report.errors.size() <= 3);
    CHECK(report.error_bytes < 40);
  }
}

TEST_CASE("unbalanced delimiters are paired again") {
  const std::string rest = Repeat("\nfn rest() -> u8 { 1 }", 20);
  CHECK(Parse("fn f() { a(b; }" + rest).error_bytes < 20);
  CHECK(Parse("fn f() { a) }" + rest).error_bytes < 20);
  CHECK(Parse("fn f() { [a(b] }" + rest).error_bytes < 20);
  CHECK(Parse("}}}" + rest).error_bytes < 20);
  CHECK(Parse("fn f() {" + rest).error_bytes < 40);
}

TEST_CASE("the number of errors kept is bounded, their bytes are all counted") {
  const std::string source = Repeat("fn f() { a b c }\n", 1000);
  ParseOptions options;
  options.max_errors = 5;
  const ParseReport report = ParseRust(source, options);
  CHECK(report.errors.size() == 5);
  CHECK(report.error_bytes >= 1000);
}

TEST_CASE("invalid UTF-8 is an error wherever it stands") {
  for (const char* source : {"// \xFF\nfn f() {}", "fn f() { \"\xC3\" }", "fn \xFF() {}", "fn f() { m!(\x80) }"}) {
    CHECK_FALSE(Parse(source).accepted);
  }
}

TEST_CASE("deep nesting is an error, not a crash") {
  constexpr size_t kDeep = 100000;
  const auto nest = [](std::string_view open, std::string_view middle, std::string_view close) {
    return Repeat(open, kDeep) + std::string(middle) + Repeat(close, kDeep);
  };
  const std::string bombs[] = {
      "fn f() { " + nest("(", "1", ")") + "; }",
      "fn f() { " + nest("{", "1", "}") + " }",
      "fn f() { " + nest("[", "1", "]") + "; }",
      "fn f() { " + nest("f(", "1", ")") + "; }",
      "fn f() { " + nest("if a {", "", "}") + " }",
      "fn f() { " + nest("match a { _ => ", "1", "}") + " }",
      "fn f() { " + nest("|x| ", "x", "") + "; }",
      "fn f() { " + nest("a = ", "x", "") + "; }",
      "fn f() { " + nest("return ", "x", "") + "; }",
      "fn f() { " + nest("S { x: ", "1", "}") + "; }",
      "fn f() { " + nest("fn g() {", "", "}") + " }",
      "fn f() { let " + nest("(", "x", ")") + " = 1; }",
      "fn f() { let " + nest("x @ ", "y", "") + " = 1; }",
      "fn f() { let " + nest("A(", "y", ")") + " = 1; }",
      "type A = " + nest("B<", "u8", ">") + ";",
      "type A = " + nest("(", "u8", ")") + ";",
      "type A = " + nest("[", "u8", "]") + ";",
      "type A = " + nest("fn() -> ", "u8", "") + ";",
      "type A = " + nest("Fn() -> ", "u8", "") + ";",
      "type A = " + nest("<", "u8", " as B>::C") + ";",
      "type A = " + nest("impl B<", "u8", ">") + ";",
      "type A = " + nest("dyn for<'a> B<", "u8", ">") + ";",
      nest("mod a {", "", "}"),
      nest("impl A { fn f() {", "", "}}"),
      "use " + nest("{", "a", "}") + ";",
      "fn f() { " + std::string(kDeep, '('),
      std::string(kDeep, '{'),
      std::string(kDeep, ')'),
      "fn f() { " + Repeat("a::<", kDeep) + " }",
      "fn f() { " + Repeat("<", kDeep) + " }",
      "fn f() { " + Repeat("if let A = ", kDeep) + " }",
      "#[a = " + nest("(", "1", ")") + "] fn f() {}",
      Repeat("#[a = ", kDeep),
  };
  for (const std::string& bomb : bombs) {
    CAPTURE(bomb.substr(0, 40));
    CHECK_FALSE(Parse(bomb).accepted);
  }
}

TEST_CASE("what nests without meaning is taken at any depth") {
  constexpr size_t kDeep = 20000;
  const std::string flat[] = {
      Repeat("/*", kDeep) + Repeat("*/", kDeep),
      "m! { " + Repeat("(", kDeep) + Repeat(")", kDeep) + " }",
      "fn f() { " + Repeat("!", kDeep) + "x; }",
      "fn f() { " + Repeat("&", kDeep) + "x; }",
      "fn f() { a" + Repeat(" + a", kDeep) + "; }",
      "fn f() { a" + Repeat(".b()", kDeep) + "; }",
      "fn f() { a" + Repeat("?", kDeep) + "; }",
      "fn f() { a" + Repeat(" as u8", kDeep) + "; }",
      "fn f() { if a {}" + Repeat(" else if b {}", kDeep) + " }",
      "fn f() { a" + Repeat("::b", kDeep) + "; }",
      "fn f() { let " + Repeat("a | ", 0) + "(" + Repeat("A | ", kDeep) + "A) = 1; }",
      "type A = " + Repeat("&", kDeep) + "u8;",
      "type A = " + Repeat("*const ", kDeep) + "u8;",
      "type A = dyn B" + Repeat(" + B", kDeep) + ";",
      Repeat("#[a] ", kDeep) + "fn f() {}",
      Repeat("fn f() {}", kDeep),
      "fn f() { " + Repeat("{}", kDeep) + " }",
      "fn f() { let x = [" + Repeat("1,", kDeep) + "]; }",
  };
  for (const std::string& source : flat) {
    CAPTURE(source.substr(0, 40));
    const ParseReport report = Parse(source);
    const std::string error = report.errors.empty() ? "" : report.errors.front().message;
    CAPTURE(error);
    CHECK(report.accepted);
  }
}

TEST_CASE("steps are linear in the source, on hostile input too") {
  const char* units[] = {
      "fn f() { a b c }\n",
      "{ a b ",
      "( a b ",
      "} ",
      "fn ",
      "let x = ",
      "a::<",
      "<",
      "#[",
      "#[a]",
      "if a { b c ",
      "match a { B ",
      "S { a b ",
      "use {",
      "impl ",
      "struct A { ",
      "enum A { B: ",
      "|",
      "a < b < ",
      "{ ( [ ",
      ") ] } ",
      "{ ) ",
      "\"a",
      "'a ",
      "&",
      "..",
      "x: ",
      "for<",
      "where ",
      "dyn ",
      "fn(",
      "! ",
      "=> ",
      "; ",
      "m! { ",
      "loop { a b } ",
      "f(a b) ",
      "( ; ",
      "[ ; ",
  };
  for (const char* unit : units) {
    CAPTURE(unit);
    for (const size_t count : {200U, 2000U, 20000U}) {
      std::vector<Token> tokens;
      const std::string source = Repeat(unit, count);
      LexRust(source, tokens);
      const ParseReport report = Parse(source);
      CHECK(report.steps <= 12 * tokens.size() + 100);
      CHECK(report.error_bytes <= source.size());
    }
  }
}

}  // namespace
}  // namespace pintle::rust
