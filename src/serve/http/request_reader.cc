// Beast 1.81 asserts that a last chunk which is not yet whole has five bytes; "0\r\n\r" has four. The assertion alone
// is wrong: without it such a chunk is waited for. No byte from outside may end the program.
#define BOOST_DISABLE_ASSERTS

#include "serve/http/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "serve/http/text.h"

namespace pintle {
namespace {

namespace http = boost::beast::http;

HttpRefusal RefusalOf(const boost::system::error_code& code, int64_t header_limit, int64_t body_limit) {
  if (code == http::error::body_limit) {
    return {413, fmt::format("the request's body is larger than {} bytes", body_limit), "request_too_large", {}};
  }
  if (code == http::error::header_limit) {
    return {431, fmt::format("the request's header is larger than {} bytes", header_limit), "header_too_large", {}};
  }
  if (code == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here", "bad_version", {}};
  if (code == http::error::bad_transfer_encoding || code == http::error::bad_content_length ||
      code == http::error::multiple_content_length) {
    return {400, "Content-Length and Transfer-Encoding contradict each other or are no numbers", "bad_framing", {}};
  }
  return {400, "this is no HTTP request: " + code.message(), "bad_http", {}};
}

// The server speaks of no other methods; a route may allow fewer.
constexpr const char* kMethods = "GET, HEAD, POST, OPTIONS";

}  // namespace

struct RequestReader::Parser {
  http::request_parser<http::string_body> beast;
  int64_t header_limit, body_limit;
  bool header_given = false;
  HttpRequest request;
  HttpRefusal refusal;

  State Refuse(HttpRefusal reason) {
    refusal = std::move(reason);
    return State::kRefused;
  }

  // What Beast lets pass but we do not; fills the request.
  State TakeHeader() {
    header_given = true;
    const auto& message = beast.get();
    request.method = std::string(message.method_string());
    int hosts = 0;
    for (const auto& field : message) {
      request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
      if (field.name() == http::field::host) ++hosts;
      // Any other coding would leave the body's length to guessing (request smuggling).
      if (field.name() == http::field::transfer_encoding &&
          !EqualIgnoringCase(request.headers.back().value, "chunked")) {
        return Refuse({400, "the only transfer coding understood is chunked", "bad_framing", {}});
      }
    }
    if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
      return Refuse({400, "a request has exactly one Host field", "bad_host", {}});
    }
    if (request.method == "HEAD") request.method = "GET";
    if (request.method != "GET" && request.method != "POST" && request.method != "OPTIONS") {
      return Refuse(
          {405, "the methods understood are GET, HEAD, POST and OPTIONS", "method_not_allowed", {{"allow", kMethods}}});
    }
    const std::string target(message.target());
    if (target == "*" && request.method == "OPTIONS") {
      request.path = target;
      return State::kHeader;
    }
    if (target.empty() || target[0] != '/') return Refuse({400, "the target is no path", "bad_target", {}});
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    return State::kHeader;
  }
};

RequestReader::RequestReader(int64_t header_limit, int64_t body_limit) : parser_(std::make_unique<Parser>()) {
  parser_->header_limit = header_limit;
  parser_->body_limit = body_limit;
  parser_->beast.header_limit(static_cast<uint32_t>(header_limit));
  parser_->beast.body_limit(static_cast<uint64_t>(body_limit));
}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::Feed(std::string_view bytes, size_t& used) {
  used = 0;
  auto& beast = parser_->beast;
  while (true) {
    if (beast.is_header_done() && !parser_->header_given) return parser_->TakeHeader();
    if (beast.is_done()) {
      parser_->request.body = std::move(beast.get().body());
      return State::kDone;
    }
    if (used == bytes.size()) return State::kMore;
    boost::system::error_code code;
    used += beast.put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), code);
    if (code == http::error::need_more) return State::kMore;
    // A body announced as too large is refused with the header; its fields say whom the answer is for.
    if (code == http::error::body_limit && !parser_->header_given) parser_->TakeHeader();
    if (code) return parser_->Refuse(RefusalOf(code, parser_->header_limit, parser_->body_limit));
  }
}

HttpRequest& RequestReader::request() { return parser_->request; }
const HttpRefusal& RequestReader::refusal() const { return parser_->refusal; }
bool RequestReader::is_head() const { return parser_->beast.get().method() == http::verb::head; }
bool RequestReader::is_http_1_0() const { return parser_->beast.get().version() < 11; }
bool RequestReader::keep_alive() const { return parser_->beast.get().keep_alive(); }

bool RequestReader::expects_continue() const {
  const std::string* expect = parser_->request.Header("expect");
  return expect != nullptr && EqualIgnoringCase(*expect, "100-continue") && !is_http_1_0();
}

}  // namespace pintle
