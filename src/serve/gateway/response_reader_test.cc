// Answers of nodes in pieces of every size.
#include "serve/gateway/response_reader.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

// Status and body, or what is wrong with it.
std::string Read(std::string_view bytes, size_t step) {
  ResponseReader reader;
  ResponseHead head;
  std::string inbox, body;
  bool has_head = false;
  while (!has_head || !reader.done()) {
    if (!has_head) has_head = reader.TakeHead(inbox, head);
    if (reader.invalid() || (has_head && !reader.TakeBody(inbox, body))) return "invalid";
    if (has_head && reader.done()) break;
    if (bytes.empty()) {
      if (!has_head || !reader.TakeEnd()) return "cut";
      break;
    }
    inbox.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  return std::to_string(head.status) + " " + body;
}

}  // namespace

TEST_CASE("answers are the same whole and byte by byte") {
  const struct {
    std::string_view bytes, read;
  } rows[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 abc"},
              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "200 abcd"},
              {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "204 "},
              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 "},
              {"HTTP/1.0 200 OK\r\n\r\nto the end", "200 to the end"},
              {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "cut"},
              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "cut"},
              {"HTTP/1.1 100 Go on\r\n\r\n", "invalid"},
              {"SSH-2.0-x\r\n\r\n", "invalid"}};
  for (const auto& row : rows) {
    CAPTURE(std::string(row.bytes));
    for (const size_t step : {size_t{1}, size_t{2}, size_t{5}, row.bytes.size()})
      CHECK(Read(row.bytes, step) == row.read);
  }
}

}  // namespace pintle
