#include "serve/gateway/model_scan.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

std::string ModelOf(const std::string& body) {
  const auto scanned = ScanRequest(body);
  return scanned.ok() ? scanned->model : "refused: " + scanned.error().what;
}

TEST_CASE("the model's name is found wherever it stands, escaped or not") {
  CHECK(ModelOf(R"({"model":"a"})") == "a");
  CHECK(ModelOf("  {\"messages\" : [{\"model\":\"inner\"}, [], {}, 1.5e-3, true] , \"model\"\n:\t\"b/c:d\" } \r\n") ==
        "b/c:d");
  CHECK(ModelOf(R"({"mod\u0065l":"\u00e9\ud83d\ude00\n\/"})") == "é😀\n/");
  CHECK(ModelOf("{}").empty());
  CHECK(ModelOf(R"({"nested":{"model":"x"},"n":[[["model"]]]})").empty());
}

TEST_CASE("what gateway and node could read differently is refused") {
  for (const char* body : {"",
                           "[]",
                           "\"model\"",
                           "{",
                           "{\"model\"}",
                           "{\"model\":}",
                           "{\"model\":\"a\"",
                           "{\"model\":\"a\",}",
                           "{,}",
                           "{\"model\":\"a\"} {}",
                           "{\"model\":\"a\"}x",
                           "{\"model\":\"a\",\"model\":\"b\"}",
                           R"({"model":"a","m\u006fdel":"b"})",
                           "{'model':'a'}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":-}",
                           "{\"a\":1e}",
                           "{\"a\":+1}",
                           "{\"a\":tru}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1}",
                           "{\"a\":{\"b\":1]}",
                           "{\"a\":{1:2}}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":nan}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{/**/}",
                           "\xef\xbb\xbf{}"}) {
    CHECK_MESSAGE(!ScanRequest(body).ok(), body);
  }
  const auto wrong = ScanRequest(R"({"model":5})");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().where == "model");
  CHECK_FALSE(ScanRequest("{\"model\":\"" + std::string(257, 'a') + "\"}").ok());
  CHECK(ScanRequest("{\"model\":\"" + std::string(256, 'a') + "\"}").ok());
}

TEST_CASE("depth and number of keys are bounded") {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(ScanRequest(nested(64)).ok());
  const auto deep = ScanRequest(nested(65));
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().what.find("deeper than 64") != std::string::npos);
  CHECK_FALSE(ScanRequest(std::string(1'000'000, '[')).ok());
  CHECK_FALSE(ScanRequest("{\"a\":" + std::string(1'000'000, '[')).ok());
  std::string many = "{\"k\":0";
  for (int i = 0; i < 256; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  CHECK_FALSE(ScanRequest(many + "}").ok());
}

TEST_CASE("requests with the same beginning have the same prefix") {
  const std::string beginning(600, 'x');
  const auto hash = [](const std::string& body) { return ScanRequest(body)->prefix_hash; };
  CHECK(hash(R"({"model":"a","prompt":")" + beginning + R"(1"})") == hash(R"({"prompt":")" + beginning + R"(2"})"));
  CHECK(hash(R"({"prompt":"1"})") != hash(R"({"prompt":"2"})"));
  CHECK(hash(R"({"model":"a"})") == 0);
}

}  // namespace
}  // namespace pintle
