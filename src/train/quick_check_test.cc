#include "train/quick_check.h"

#include <doctest/doctest.h>

#include "text/rust/parser.h"

namespace pintle {

TEST_CASE("quick check: every beginning is Rust once its braces are closed") {
  CHECK(QuickPrompts().size() == 8);
  for (const std::string& prompt : QuickPrompts()) {
    CAPTURE(prompt);
    CHECK(!rust::ParseRust(prompt).accepted);
    const std::string closed = FinishedFunction(prompt, "todo!() } } }");
    CHECK(rust::ParseRust(closed).accepted);
  }
}

TEST_CASE("quick check: a function ends at its own brace") {
  CHECK(FinishedFunction("fn f() {", " if a { b(\"}\") } // }\n } fn g() {}") == "fn f() { if a { b(\"}\") } // }\n }");
  CHECK(FinishedFunction("struct P {}\nfn f() {", " 1 } }") == "struct P {}\nfn f() { 1 }");
  CHECK(FinishedFunction("fn f() {", " 1") == "fn f() { 1");
}

TEST_CASE("quick check: only what parses is shown to the judge") {
  const std::vector<std::string> functions = {"fn f() { 1 }", "fn g() { 1", "fn h() -> { }", "fn i() { x }"};
  std::vector<std::string> seen;
  const auto check =
      CheckFunctions(functions, [&](const std::vector<std::string>& programs) -> Result<std::optional<int64_t>> {
        seen = programs;
        return std::optional<int64_t>(1);
      });
  REQUIRE(check.ok());
  CHECK(check->functions == 4);
  CHECK(check->parsed == 2);
  CHECK(check->compiled == 1);
  REQUIRE(seen.size() == 2);
  CHECK(seen[1] == "fn i() { x }\n\nfn main() {}\n");

  const auto unjudged = CheckFunctions(functions, {});
  REQUIRE(unjudged.ok());
  CHECK(!unjudged->compiled.has_value());
  CHECK(!CheckFunctions(functions, [](const auto&) -> Result<std::optional<int64_t>> {
           return RuntimeError("lost");
         }).ok());
}

}  // namespace pintle
