#include "net/transfer.h"

#include <doctest/doctest.h>

#include "net/test_server.h"

namespace pintle {
namespace {

struct Fetched {
  TransferOutcome outcome;
  TransferHead head;
  std::string body;
};

Fetched Fetch(const std::string& url, const TransferOptions& options = {}) {
  Fetched fetched;
  fetched.outcome = FetchOnce(url, options,
                              {[&](const TransferHead& head) -> Status {
                                 fetched.head = head;
                                 return {};
                               },
                               [&](std::string_view bytes) -> Status {
                                 fetched.body += bytes;
                                 return {};
                               }});
  return fetched;
}

}  // namespace

TEST_CASE("a file comes whole or from a byte on, with what the server says about it") {
  TestServer server([](const ServedRequest& request) { return ServeVersion(request, "0123456789", "\"v1\""); });
  const Fetched whole = Fetch(server.Url("/f"));
  REQUIRE(whole.outcome.status.ok());
  CHECK(whole.body == "0123456789");
  CHECK(whole.head.total == 10);
  CHECK(whole.head.offset == 0);
  CHECK(whole.head.validator == "\"v1\"");
  TransferOptions options;
  options.offset = 4;
  options.validator = "\"v1\"";
  const Fetched part = Fetch(server.Url("/f"), options);
  CHECK(part.body == "456789");
  CHECK(part.head.offset == 4);
  CHECK(part.head.total == 10);
  options.validator = "\"v0\"";
  const Fetched other = Fetch(server.Url("/f"), options);
  CHECK(other.body == "0123456789");
  CHECK(other.head.offset == 0);
}

TEST_CASE("a token goes to its own host alone, and redirects have an end") {
  std::string seen_by_other = "nothing";
  TestServer other([&](const ServedRequest& request) -> ServedReply {
    seen_by_other = request.Header("Authorization");
    return {200, "bytes"};
  });
  std::string seen_first, seen_second;
  const std::string hash(64, 'a');
  TestServer hub([&](const ServedRequest& request) -> ServedReply {
    if (request.path == "/round") return {302, "", {"Location: /round"}};
    if (request.path == "/a") {
      seen_first = request.Header("Authorization");
      return {302, "", {"Location: /b"}};
    }
    seen_second = request.Header("Authorization");
    return {307, "moved", {"Location: " + other.Url("/c"), "X-Linked-Etag: \"" + hash + "\""}};
  });
  TransferOptions options;
  options.bearer = "secret";
  const Fetched fetched = Fetch(hub.Url("/a"), options);
  REQUIRE(fetched.outcome.status.ok());
  CHECK(fetched.body == "bytes");
  CHECK(fetched.head.linked_sha256 == hash);
  CHECK(seen_first == "Bearer secret");
  CHECK(seen_second == "Bearer secret");
  CHECK(seen_by_other.empty());

  const int before = hub.requests();
  const Fetched round = Fetch(hub.Url("/round"), options);
  CHECK_FALSE(round.outcome.status.ok());
  CHECK(hub.requests() == before + 6);
}

TEST_CASE("only https, but for this machine") {
  for (const char* url : {"http://example.org/f", "ftp://127.0.0.1/f", "file:///etc/passwd", "nonsense://", ""}) {
    CAPTURE(url);
    const Fetched fetched = Fetch(url);
    CHECK_FALSE(fetched.outcome.status.ok());
    CHECK_FALSE(fetched.outcome.retry);
    CHECK(fetched.outcome.http_status == 0);
  }
  CHECK(IsLoopbackUrl("http://localhost:8/f"));
  CHECK(IsLoopbackUrl("http://127.1.2.3/f"));
  CHECK(IsLoopbackUrl("http://[::1]:80/"));
  CHECK_FALSE(IsLoopbackUrl("http://127.example.org/"));
  CHECK_FALSE(IsLoopbackUrl("http://localhost.example.org/"));
  CHECK_FALSE(IsLoopbackUrl("http://127.0.0.1@example.org/"));

  // A local server may not send us anywhere without https, nor to files.
  TestServer server([](const ServedRequest& request) -> ServedReply {
    return {
        302, "", {"Location: " + std::string(request.path == "/out" ? "http://example.org/f" : "file:///etc/passwd")}};
  });
  for (const char* path : {"/out", "/file"}) {
    const Fetched fetched = Fetch(server.Url(path));
    CHECK_FALSE(fetched.outcome.status.ok());
    CHECK(fetched.body.empty());
  }
}

TEST_CASE("an answer that is no file is an error, and says whether another try can help") {
  TestServer server([](const ServedRequest& request) -> ServedReply {
    if (request.path == "/part") return {206, "abc", {"Content-Range: bytes 0-2/3"}};
    return {std::stoi(request.path.substr(1)), "<html>"};
  });
  for (const auto& [code, retry] : {std::pair(404, false), {401, false}, {503, true}, {429, true}}) {
    const Fetched fetched = Fetch(server.Url("/" + std::to_string(code)));
    CHECK_FALSE(fetched.outcome.status.ok());
    CHECK(fetched.outcome.http_status == code);
    CHECK(fetched.outcome.retry == retry);
    CHECK(fetched.body.empty());
  }
  TransferOptions options;
  options.offset = 1;
  CHECK_FALSE(Fetch(server.Url("/part"), options).outcome.status.ok());
  options = {};
  options.stop = [] { return true; };
  CHECK_FALSE(Fetch(server.Url("/200"), options).outcome.status.ok());
}

}  // namespace pintle
