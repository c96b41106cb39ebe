#include "evaluate/fim.h"

#include <doctest/doctest.h>

#include <set>

#include "evaluate/fake_model.h"

namespace pintle {
namespace {

std::vector<HeldOutDocument> Documents() {
  std::string text = "// größe\nfn sum(values: &[u32]) -> u32 {\n    let mut total = 0;\n";
  for (int i = 0; i < 40; ++i)
    text += "    total += values[" + std::to_string(i) + "]; // äöü\n    // a comment\n    {}\n";
  text += "    total\n}\n";
  return {{"a", "a/src/lib.rs", "1", text}, {"b", "b/src/lib.rs", "2", "short\n"}};
}

TEST_CASE("cases are pieces of the documents, of their kinds, and reproducible") {
  const auto documents = Documents();
  const auto cases = MakeFimCases(documents, 3, 10);
  CHECK(cases.size() == 30);
  std::set<std::string> prefixes;
  for (const FimCase& one : cases) {
    CHECK(one.prefix + one.middle + one.suffix == documents[one.document].text);
    CHECK(one.middle.size() >= 4);
    CHECK((static_cast<uint8_t>(one.middle.front()) & 0xC0) != 0x80);
    CHECK((one.suffix.empty() || (static_cast<uint8_t>(one.suffix.front()) & 0xC0) != 0x80));
    const auto newlines = std::count(one.middle.begin(), one.middle.end(), '\n');
    if (one.kind == FimKind::kSingleLine) CHECK(newlines == 0);
    if (one.kind == FimKind::kMultiLine) CHECK((newlines >= 1 && newlines <= 4));
    if (one.kind != FimKind::kRandomSpan) CHECK(one.middle.find_first_not_of(' ') != one.middle.find("//"));
    prefixes.insert(one.prefix);
  }
  CHECK(prefixes.size() > 10);
  const auto again = MakeFimCases(documents, 3, 10);
  for (size_t i = 0; i < cases.size(); ++i) CHECK(again[i].middle == cases[i].middle);
  CHECK(MakeFimCases(documents, 4, 10)[0].prefix != cases[0].prefix);
  CHECK(MakeFimCases({}, 3, 10).empty());
}

TEST_CASE("an exact answer counts, a near one is near, a long one is cut off") {
  const auto cases = MakeFimCases(Documents(), 3, 5);
  size_t next = 0;
  FakeModel right([&](auto, auto, const auto&) {
    const std::string blanks = next % 2 == 0 ? "  " : "";
    return cases[next++].middle + blanks;
  });
  const auto exact = RunFim(right, cases);
  REQUIRE(exact.ok());
  for (const FimOutcome& outcome : *exact) {
    CHECK(outcome.exact);
    CHECK(outcome.similarity == 1);
  }
  FakeModel rambling([](auto, auto, const auto&) { return std::string(100000, 'x'); });
  const auto wrong = RunFim(rambling, cases);
  REQUIRE(wrong.ok());
  for (size_t i = 0; i < cases.size(); ++i) {
    CHECK(!wrong->at(i).exact);
    CHECK(wrong->at(i).text.size() <= cases[i].middle.size() * 2 + 65);
  }
}

TEST_CASE("files longer than the context are asked about all the same") {
  const auto cases = MakeFimCases(Documents(), 3, 5);
  FakeModel model([](auto, auto, const auto&) { return "x"; }, 700);
  CHECK(RunFim(model, cases).ok());
}

}  // namespace
}  // namespace pintle
