#include "serve/gateway/table.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace pintle {
namespace {

TEST_CASE("the shipped table loads") {
  const auto config = LoadGatewayConfig(PINTLE_SOURCE_DIR "/configs/gateway.toml");
  REQUIRE(config.ok());
  REQUIRE(config->nodes.size() == 1);
  CHECK(config->nodes[0].host == "127.0.0.1");
  CHECK(config->nodes[0].port == "9000");
  CHECK(config->retries == 2);
}

TEST_CASE("addresses, names and keys") {
  const TemporaryFolder folder;
  const auto key = folder.path() / "key";
  REQUIRE(WriteFileAtomic(key, " secret \nmore\n").ok());
  const auto config = ParseGatewayConfig(
      "[[node]]\nurl = \"http://[::1]:80\"\nmodels = [\"a\", \"b\"]\nkey_file = \"" + key.string() + "\"\n", "t.toml");
  REQUIRE(config.ok());
  CHECK(config->nodes[0].host == "::1");
  CHECK(config->nodes[0].name == "[::1]:80");
  CHECK(config->nodes[0].key == "secret");
  CHECK(config->nodes[0].models.size() == 2);
}

TEST_CASE("a wrong table is refused with its line") {
  const auto error = [](const std::string& text) {
    const auto config = ParseGatewayConfig(text, "t.toml");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().code == Code::kConfig);
    return config.error();
  };
  error("");
  error("node = 3\n");
  CHECK(error("[gateway]\nretry = 1\n[[node]]\nurl=\"http://a:1\"\n").hint.find("retries") != std::string::npos);
  const std::string good = "[[node]]\nurl = \"http://a:1\"\n";
  CHECK(error(good + "\n[[node]]\nurl = \"http://a:1\"\n").what.find("twice") != std::string::npos);
  CHECK(error(good + "\n[[node]]\nname = \"b\"\n").where == "t.toml:4");
  for (const char* url : {"https://a:1", "http://a", "http://:1", "http://a:0", "http://a:99999", "http://a:1/v1",
                          "http://user@a:1", "a:1", "http://a b:1"}) {
    CHECK_MESSAGE(
        error(std::string("[[node]]\nurl = \"") + url + "\"\n").what.find("http://HOST:PORT") != std::string::npos,
        url);
  }
}

}  // namespace
}  // namespace pintle
