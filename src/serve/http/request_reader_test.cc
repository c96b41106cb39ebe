#include "serve/http/request_reader.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

using State = RequestReader::State;

// Feeds `bytes` in pieces of `step` until the request is whole or refused.
State Read(RequestReader& reader, std::string bytes, size_t step = 1 << 20) {
  std::string inbox;
  while (true) {
    size_t used = 0;
    const State state = reader.Feed(inbox, used);
    inbox.erase(0, used);
    if (state == State::kDone || state == State::kRefused) return state;
    if (state == State::kHeader) continue;
    if (bytes.empty()) return state;
    inbox += bytes.substr(0, step);
    bytes.erase(0, step);
  }
}

int RefusalStatus(const std::string& bytes) {
  RequestReader reader(1024, 100);
  return Read(reader, bytes) == State::kRefused ? reader.refusal().status : 0;
}

TEST_CASE("a request is read the same however the bytes arrive") {
  const std::string bytes =
      "POST /v1/x?a=b HTTP/1.1\r\nHost: localhost\r\nX-Thing:  value \r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n";
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, bytes.size()}) {
    RequestReader reader(1024, 100);
    REQUIRE(Read(reader, bytes, step) == State::kDone);
    const HttpRequest& request = reader.request();
    CHECK(request.method == "POST");
    CHECK(request.path == "/v1/x");
    CHECK(request.query == "a=b");
    CHECK(request.body == "abcde");
    REQUIRE(request.Header("x-thing") != nullptr);
    CHECK(*request.Header("x-thing") == "value");
    CHECK(reader.keep_alive());
  }
}

TEST_CASE("bytes behind a request are left for the next one") {
  RequestReader reader(1024, 100);
  const std::string two = "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  size_t used = 0;
  REQUIRE(reader.Feed(two, used) == State::kHeader);
  CHECK(two.substr(used).starts_with("GET /b"));
}

TEST_CASE("framing that two readers could understand differently is refused") {
  const std::string start = "POST /x HTTP/1.1\r\nHost: h\r\n";
  CHECK(RefusalStatus(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc") == 400);
  CHECK(RefusalStatus(start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc") == 400);
  CHECK(RefusalStatus(start + "Transfer-Encoding: gzip, chunked\r\n\r\n") == 400);
  CHECK(RefusalStatus(start + "Transfer-Encoding: xchunked\r\n\r\n") == 400);
  CHECK(RefusalStatus(start + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc") == 400);
  CHECK(RefusalStatus(start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd") == 400);
  CHECK(RefusalStatus(start + "Content-Length: -1\r\n\r\n") == 400);
  CHECK(RefusalStatus(start + "Content-Length: 99999999999999999999\r\n\r\n") == 400);
  CHECK(RefusalStatus(start + "Content-Length : 3\r\n\r\nabc") == 400);
  CHECK(RefusalStatus(start + "Host: other\r\n\r\n") == 400);
  CHECK(RefusalStatus("GET /x HTTP/1.1\r\n\r\n") == 400);
  CHECK(RefusalStatus("GET x HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
  CHECK(RefusalStatus("GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
  CHECK(RefusalStatus("GET /x HTTP/1.1\nHost: h\n\n") == 505);
  CHECK(RefusalStatus(std::string("GET /") + '\0' + " HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
  CHECK(RefusalStatus(start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
  CHECK(RefusalStatus("GET / HTTP/3.0\r\nHost: h\r\n\r\n") == 505);
  CHECK(RefusalStatus("\x16\x03\x01\x02") == 400);
}

TEST_CASE("limits of header and body") {
  const std::string start = "POST /x HTTP/1.1\r\nHost: h\r\n";
  CHECK(RefusalStatus(start + "Content-Length: 101\r\n\r\n") == 413);
  CHECK(RefusalStatus(start + "Transfer-Encoding: chunked\r\n\r\n70\r\n") == 413);
  CHECK(RefusalStatus(start + "X: " + std::string(2000, 'x')) == 431);
  CHECK(RefusalStatus("GET /" + std::string(2000, 'x')) == 431);
  RequestReader exact(1024, 100);
  CHECK(Read(exact, start + "Content-Length: 100\r\n\r\n" + std::string(100, 'b')) == State::kDone);
}

TEST_CASE("chunks that come byte by byte, the last one too") {
  for (const std::string body : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "0\r\nX: y\r\n\r\n"}) {
    const std::string bytes = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
    RequestReader reader(1024, 100);
    std::string inbox;
    State state = State::kMore;
    for (const char byte : bytes) {
      inbox += byte;
      size_t used = 0;
      do {
        state = reader.Feed(inbox, used);
        inbox.erase(0, used);
      } while (state == State::kHeader);
    }
    CHECK(state == State::kDone);
    CHECK(reader.request().body == (body[0] == '3' ? "abc" : ""));
  }
}

TEST_CASE("methods") {
  CHECK(RefusalStatus("DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n") == 405);
  CHECK(RefusalStatus("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n") == 405);
  CHECK(RefusalStatus("BREW /x HTTP/1.1\r\nHost: h\r\n\r\n") == 405);
  RequestReader head(1024, 100);
  REQUIRE(Read(head, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n") == State::kDone);
  CHECK(head.is_head());
  CHECK(head.request().method == "GET");
}

}  // namespace
}  // namespace pintle
