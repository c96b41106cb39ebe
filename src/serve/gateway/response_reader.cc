// Beast 1.81 asserts that a last chunk which is not yet whole has five bytes; "0\r\n\r" has four. The assertion alone
// is wrong: without it such a chunk is waited for. No byte from outside may end the program.
#define BOOST_DISABLE_ASSERTS

#include "serve/gateway/response_reader.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace pintle {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr uint32_t kHeadLimit = 64 << 10;

}  // namespace

struct ResponseReader::Parser {
  http::response_parser<http::buffer_body> beast;
};

ResponseReader::ResponseReader() : parser_(std::make_unique<Parser>()) {
  parser_->beast.header_limit(kHeadLimit);
  parser_->beast.body_limit(boost::none);
}

ResponseReader::~ResponseReader() = default;

bool ResponseReader::TakeHead(std::string& inbox, ResponseHead& head) {
  auto& beast = parser_->beast;
  error_code code;
  inbox.erase(0, inbox.empty() ? 0 : beast.put(asio::buffer(inbox), code));
  invalid_ = code && code != http::error::need_more;
  if (invalid_ || !beast.is_header_done()) return false;
  head.status = static_cast<int>(beast.get().result_int());
  for (const auto& field : beast.get()) {
    head.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  if (const auto length = beast.content_length()) head.content_length = static_cast<int64_t>(*length);
  invalid_ = head.status < 200;
  return !invalid_;
}

bool ResponseReader::TakeBody(std::string& inbox, std::string& piece) {
  auto& beast = parser_->beast;
  while (!beast.is_done() && !inbox.empty()) {
    std::array<char, 16384> decoded;
    beast.get().body().data = decoded.data();
    beast.get().body().size = decoded.size();
    error_code code;
    inbox.erase(0, beast.put(asio::buffer(inbox), code));
    piece.append(decoded.data(), decoded.size() - beast.get().body().size);
    if (code == http::error::need_more) break;
    invalid_ = code && code != http::error::need_buffer;
    if (invalid_) return false;
  }
  return true;
}

bool ResponseReader::TakeEnd() {
  // A body without a length ends with the connection; any other is cut short.
  error_code code;
  parser_->beast.put_eof(code);
  return !code && parser_->beast.is_done();
}

bool ResponseReader::done() const { return parser_->beast.is_done(); }

bool ResponseReader::keep_alive() const { return parser_->beast.keep_alive(); }

}  // namespace pintle
