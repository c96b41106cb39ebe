#include "text/rust/outline.h"

#include <doctest/doctest.h>

#include <string>

namespace pintle::rust {
namespace {

std::string_view Cut(std::string_view source, Span span) { return source.substr(span.begin, span.size()); }

TEST_CASE("functions: signature, body, doc, parameters") {
  const std::string source = R"(
/// Adds.
/// Twice.
#[inline]
pub fn add(a: u8, (b, c): (u8, u8), S { d, e: f, .. }: S) -> u8 where u8: Copy { a + b }
struct T;
impl T {
    fn get(&self, mut n: usize) -> Option<&u8> { self.0.get(n) }
    async fn none(self: Box<Self>) {}
}
trait U { fn declared(&self); fn unit() -> () {} }
#[cfg(test)]
mod tests {
    #[test]
    fn works() { fn inner(x: fn(y: u8)) {} }
    #[tokio::test] async fn later() {}
}
#[cfg(not(test))]
mod other { fn plain() {} }
)";
  const Outline outline = OutlineRust(source);
  REQUIRE(outline.report.accepted);
  REQUIRE(outline.functions.size() == 9);
  const Function& add = outline.functions[0];
  CHECK(add.name == "add");
  CHECK(Cut(source, add.signature) == "pub fn add(a: u8, (b, c): (u8, u8), S { d, e: f, .. }: S) -> u8 where u8: Copy");
  CHECK(Cut(source, add.body) == "{ a + b }");
  CHECK(Cut(source, add.doc) == "/// Adds.\n/// Twice.");
  CHECK(add.parameters == std::vector<std::string>{"a", "b", "c", "d", "f"});
  CHECK_FALSE(add.has_self);
  CHECK(add.returns_value);
  CHECK(outline.items[add.item].is_public);
  CHECK(Cut(source, outline.items[add.item].span).substr(0, 9) == "/// Adds.");
  const Function& get = outline.functions[1];
  CHECK(get.has_self);
  CHECK(get.parameters == std::vector<std::string>{"n"});
  CHECK(outline.items[static_cast<size_t>(outline.items[get.item].parent)].name == "T");
  CHECK(outline.functions[2].has_self);
  CHECK_FALSE(outline.functions[2].returns_value);
  CHECK(outline.functions[3].body.size() == 0);
  CHECK_FALSE(outline.functions[4].returns_value);
  CHECK(outline.functions[5].is_test);
  CHECK(outline.functions[5].in_test_module);
  CHECK(outline.functions[6].name == "inner");
  CHECK(outline.functions[6].parameters == std::vector<std::string>{"x"});
  CHECK(outline.functions[7].is_test);
  CHECK(outline.functions[8].name == "plain");
  CHECK_FALSE(outline.functions[8].in_test_module);
}

TEST_CASE("items with kind, name and nesting") {
  const std::string source =
      "struct A; enum B {} union C { x: u8 } trait D {} trait E = D; impl D for A {} type F = u8; const G: u8 = 1; "
      "static H: u8 "
      "= 2; mod i { use a; } extern crate j; extern {} macro_rules! k { () => {} } l! {} macro m {}";
  const Outline outline = OutlineRust(source);
  REQUIRE(outline.report.accepted);
  std::string names;
  for (const Item& item : outline.items) names += std::to_string(static_cast<int>(item.kind)) + item.name + " ";
  CHECK(names == "1A 2B 3C 4D 5E 6A 7F 8G 9H 10i 11 12 13 14k 15 14m ");
  CHECK(outline.items[10].parent == 9);
  CHECK(outline.items[10].depth == 1);
  CHECK(Cut(source, outline.items[10].span) == "use a;");
}

TEST_CASE("uses, module files, crate roots") {
  const Outline outline = OutlineRust(
      "use std::io; use serde::{Serialize, de::{self, Error as E}, *}; use crate::x; use ::rand::Rng; use local::y; "
      "mod local; "
      "#[path = \"z/w.rs\"] mod w; extern crate log; mod inner { use super::q; use tokio; }");
  REQUIRE(outline.report.accepted);
  std::string uses;
  for (const UseLeaf& use : outline.uses) uses += use.path + (use.alias.empty() ? "" : "=" + use.alias) + " ";
  CHECK(uses ==
        "std::io serde::Serialize serde::de::self serde::de::Error=E serde::* crate::x ::rand::Rng local::y super::q "
        "tokio ");
  REQUIRE(outline.module_files.size() == 2);
  CHECK(outline.module_files[0].name == "local");
  CHECK(outline.module_files[1].path_attribute == "z/w.rs");
  CHECK(CrateRoots(outline) == std::vector<std::string>{"log", "rand", "serde", "tokio"});
}

TEST_CASE("statements, nested ones too") {
  const std::string source = "fn f() { let a = 1; if a { b(); c } m! { d } e }";
  const Outline outline = OutlineRust(source);
  std::vector<std::string_view> statements;
  for (const Span& span : outline.statements) statements.push_back(Cut(source, span));
  CHECK(statements == std::vector<std::string_view>{"let a = 1;", "if a { b(); c }", "b();", "c", "m! { d }", "e"});
}

TEST_CASE("a damaged file still has an outline") {
  const std::string source = "fn a() { x y } fn b(n: u8) { c() } struct ; impl D { fn e(&self) {} fn ( }  fn g() {}";
  const Outline outline = OutlineRust(source);
  CHECK_FALSE(outline.report.accepted);
  std::string names;
  for (const Function& function : outline.functions) names += function.name + " ";
  CHECK(names == "a b e g ");
}

BodyKind Classify(const std::string& source) {
  const Outline outline = OutlineRust(source);
  REQUIRE(outline.functions.size() == 1);
  return ClassifyBody(source, outline.functions[0]);
}

TEST_CASE("trivial bodies") {
  for (const char* body : {"{}", "{ }", "{ () }", "{ return; }", "{ ; }", "{ /* nothing */ }", "{ return (); }"}) {
    CHECK(Classify(std::string("fn f(x: u8) ") + body) == BodyKind::kEmpty);
  }
  for (const char* body : {"{ todo!() }", "{ unimplemented!(\"{x}\") }", "{ panic!(\"no\"); }",
                           "{ let y = x; unreachable!() }", "{ loop {} }", "{ loop { x; } }",
                           "{ std::process::exit(1) }", "{ return todo!(); }", "{ let y: u8 = todo!(); y + x }"}) {
    CAPTURE(body);
    CHECK(Classify(std::string("fn f(x: u8) -> u8 ") + body) == BodyKind::kDiverges);
  }
  for (const char* body : {"{ 0 }", "{ return true; }", "{ None }", "{ Some(1) }", "{ Vec::new() }",
                           "{ String::from(\"a\") }", "{ Default::default() }", "{ vec![1, 2] }",
                           "{ \"a\".to_string() }", "{ Ok(()) }", "{ -1 }", "{ S { a: 1 } }", "{ u8::MAX }"}) {
    CAPTURE(body);
    CHECK(Classify(std::string("fn f(x: u8) -> u8 ") + body) == BodyKind::kConstant);
  }
  for (const char* body :
       {"{ let y = 1; y + 2 }", "{ println!(\"hello\"); 3 }", "{ g() }", "{ if true { 1 } else { 2 } }"}) {
    CAPTURE(body);
    CHECK(Classify(std::string("fn f(x: u8) -> u8 ") + body) == BodyKind::kIgnoresParameters);
  }
  for (const char* body :
       {"{ x }", "{ x + 1 }", "{ println!(\"{x}\"); 1 }", "{ if x > 1 { panic!() } x }", "{ Some(x) }",
        "{ let g = |y| todo!(); x }", "{ loop { if x > 1 { break x } } }", "{ x > 1 && todo!() }"}) {
    CAPTURE(body);
    CHECK(Classify(std::string("fn f(x: u8) -> u8 ") + body) == BodyKind::kOrdinary);
  }
  CHECK(Classify("fn f() -> u8 { g() }") == BodyKind::kOrdinary);
  CHECK(Classify("fn f(_x: u8) -> u8 { g() }") == BodyKind::kOrdinary);
  CHECK(Classify("impl A { fn f(&self) -> u8 { g() } }") == BodyKind::kIgnoresParameters);
  CHECK(Classify("impl A { fn f(&self) -> u8 { self.x } }") == BodyKind::kOrdinary);
  CHECK(Classify("trait A { fn f(&self); }") == BodyKind::kOrdinary);
}

TEST_CASE("the brace that closes") {
  const std::string source = "fn f() { \"}\"; '}'; // }\n /* } */ { } } fn g() {";
  const auto open = static_cast<uint32_t>(source.find('{'));
  CHECK(ClosingBrace(source, open) == source.find(" fn g"));
  CHECK_FALSE(ClosingBrace(source, static_cast<uint32_t>(source.size() - 1)).has_value());
  CHECK_FALSE(ClosingBrace(source, 0).has_value());
  CHECK_FALSE(ClosingBrace(source, 1000).has_value());
}

}  // namespace
}  // namespace pintle::rust
