#include "catalogue/catalogue.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

namespace pintle {
namespace {

constexpr const char* kGood =
    "[[model]]\nid = \"a\"\nname = \"A\"\nrepository = \"o/r\"\nfile = \"a.gguf\"\nbytes = 10\nram_bytes = 20\n"
    "licence = \"MIT\"\n";

std::string With(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("the list that comes with the program is whole") {
  const auto& models = ShippedCatalogue();
  CHECK(models.size() >= 4);
  for (const char* id : {"qwen3-0.6b", "qwen3-8b", "llama-3.1-8b", "mistral-7b"}) {
    CAPTURE(id);
    const CatalogueModel* model = FindCatalogueModel(models, id);
    REQUIRE(model != nullptr);
    CHECK(IsSha256Hex(model->sha256));
    CHECK(model->ram_bytes > model->bytes);
    CHECK_FALSE(model->licence.empty());
  }
  CHECK(FindCatalogueModel(models, "qwen3") == nullptr);
}

TEST_CASE("a list with a mistake names the line") {
  REQUIRE(ParseCatalogue(kGood, "m").ok());
  const struct {
    const char *from, *to, *reason;
  } rows[] = {{"id = \"a\"", "id = \"../a\"", "id '../a'"},
              {"o/r", "o", "OWNER/NAME"},
              {"o/r", "o/r/x", "OWNER/NAME"},
              {"a.gguf", "a/b.gguf", "NAME.gguf"},
              {"a.gguf", ".gguf", "NAME.gguf"},
              {"bytes = 10", "bytes = 0", "must be given"},
              {"licence = \"MIT\"", "licences = \"MIT\"", "licences"},
              {"bytes = 10", "bytes = -1", "bytes"},
              {"licence = \"MIT\"", "sha256 = \"12\"", "64 hexadecimal digits"}};
  for (const auto& [from, to, reason] : rows) {
    CAPTURE(to);
    const auto result = ParseCatalogue(With(kGood, from, to), "m");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Code::kConfig);
    CHECK(result.error().what.find(reason) != std::string::npos);
    CHECK(result.error().where == "m:1");
  }
  const auto twice = ParseCatalogue(std::string(kGood) + kGood, "m");
  REQUIRE_FALSE(twice.ok());
  CHECK(twice.error().where == "m:9");
  CHECK_FALSE(ParseCatalogue("", "m").ok());
  CHECK_FALSE(ParseCatalogue("model = 3", "m").ok());
  CHECK_FALSE(ParseCatalogue("[[model]", "m").ok());
  CHECK_FALSE(ParseCatalogue(std::string(kGood) + "[other]\nx = 1\n", "m").ok());
}

}  // namespace pintle
