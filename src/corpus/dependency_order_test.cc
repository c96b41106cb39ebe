#include "corpus/dependency_order.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace pintle {
namespace {

std::vector<std::string> Order(const std::vector<CrateFile>& files, const std::string& crate = "my-crate") {
  std::vector<std::string> paths;
  for (const uint32_t i : DependencyOrder(files, crate)) paths.push_back(files[i].path);
  return paths;
}
using List = std::vector<std::string>;

TEST_CASE("leaf modules come before those that use them, the root last, tests behind the library") {
  const std::vector<CrateFile> files{
      {"x/src/a.rs", {}, {"crate::z::Thing", "std::fmt"}},
      {"x/src/b/mod.rs", {{"inner", ""}}, {"self::inner::f"}},
      {"x/src/b/inner.rs", {}, {"crate::a::*"}},
      {"x/src/lib.rs", {{"a", ""}, {"b", ""}, {"z", ""}}, {}},
      {"x/src/z.rs", {}, {}},
      {"x/tests/all.rs", {}, {"my_crate::b::inner"}},
  };
  CHECK(Order(files) ==
        List{"x/src/z.rs", "x/src/a.rs", "x/src/b/inner.rs", "x/src/b/mod.rs", "x/src/lib.rs", "x/tests/all.rs"});
  auto reversed = files;
  std::reverse(reversed.begin(), reversed.end());
  CHECK(Order(reversed) == Order(files));
}

TEST_CASE("modules in a folder beside their file, renamed files, super") {
  CHECK(Order({{"src/a.rs", {{"deep", ""}}, {}},
               {"src/a/deep.rs", {}, {"super::super::q::Q"}},
               {"src/main.rs", {{"a", ""}, {"r", "odd/../name.rs"}}, {}},
               {"src/name.rs", {}, {}},
               {"src/q.rs", {}, {}}}) == List{"src/q.rs", "src/a/deep.rs", "src/a.rs", "src/name.rs", "src/main.rs"});
}

TEST_CASE("cycles end, every file appears once") {
  CHECK(Order({{"src/a.rs", {}, {"crate::b::B"}},
               {"src/b.rs", {}, {"crate::c::C"}},
               {"src/c.rs", {}, {"crate::a::A", "crate::c::Self_"}},
               {"src/lib.rs", {{"a", ""}, {"b", ""}, {"c", ""}}, {"crate::a::A"}}}) ==
        List{"src/c.rs", "src/b.rs", "src/a.rs", "src/lib.rs"});
  CHECK(Order({{"odd.txt", {{"", ""}}, {"", "::", "super::super::super", "crate"}}}) == List{"odd.txt"});
  CHECK(Order({}).empty());
}

TEST_CASE("a chain of ten thousand files needs no recursion") {
  std::vector<CrateFile> files{{"src/lib.rs", {}, {}}};
  const auto name = [](int i) { return "m" + std::to_string(i); };
  for (int i = 0; i < 10000; ++i) files.push_back({"src/" + name(i) + ".rs", {}, {"crate::" + name(i + 1) + "::f"}});
  const List order = Order(files);
  CHECK(order.size() == files.size());
  CHECK(std::find(order.begin(), order.end(), "src/m9999.rs") < std::find(order.begin(), order.end(), "src/m0.rs"));
}

}  // namespace
}  // namespace pintle
