#include "serve/gateway/upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "serve/http/text.h"

namespace pintle {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

Upstream::Upstream(asio::io_context& io, std::vector<char>& scratch)
    : socket_(io), resolver_(io), timer_(io), scratch_(scratch) {}

Upstream::~Upstream() = default;

void Upstream::Limit(double seconds) {
  timer_.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds)));
  timer_.async_wait([weak = weak_from_this()](const error_code& code) {
    const auto self = weak.lock();
    if (code || !self) return;
    self->timed_out_ = true;
    self->Close();
  });
}

void Upstream::Close() {
  error_code ignored;
  ended_ = true;
  resolver_.cancel();
  socket_.close(ignored);
}

asio::awaitable<bool> Upstream::Connect(const GatewayNode& node) {
  error_code code;
  std::vector<tcp::endpoint> endpoints;
  const auto address = asio::ip::make_address(node.host, code);
  if (!code) {
    endpoints.emplace_back(address, static_cast<uint16_t>(std::stoi(node.port)));
  } else {
    const auto [failed, results] = co_await resolver_.async_resolve(node.host, node.port, kAwait);
    if (failed || ended_) co_return false;
    for (const auto& result : results) endpoints.push_back(result.endpoint());
  }
  const auto [failed, endpoint] = co_await asio::async_connect(socket_, endpoints, kAwait);
  if (failed || ended_) co_return false;
  socket_.set_option(tcp::no_delay(true), code);
  socket_.non_blocking(true, code);
  co_return true;
}

asio::awaitable<bool> Upstream::Send(const std::string& head, const std::string& body) {
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head), asio::buffer(body)};
  const auto [failed, count] = co_await asio::async_write(socket_, buffers, kAwait);
  co_return !failed;
}

asio::awaitable<bool> Upstream::ReadSome() {
  // Waiting first and reading into a common buffer: a stream that pauses holds no buffer of its own.
  while (!ended_) {
    const auto [failed] = co_await socket_.async_wait(tcp::socket::wait_read, kAwait);
    if (failed) break;
    error_code code;
    const size_t count = socket_.read_some(asio::buffer(scratch_), code);
    if (code == asio::error::would_block) continue;
    if (code) break;
    inbox_.append(scratch_.data(), count);
    co_return true;
  }
  ended_ = true;
  co_return false;
}

// In the next two the outcome of a wait goes into a variable: of "if (!co_await ...) co_return" g++ 12 makes a trap in
// loops as short as these.
asio::awaitable<bool> Upstream::ReadHead(ResponseHead& head) {
  reader_ = std::make_unique<ResponseReader>();
  bool more = true;
  while (more) {
    if (reader_->TakeHead(inbox_, head)) co_return true;
    more = !reader_->invalid();
    if (more) more = co_await ReadSome();
  }
  co_return false;
}

asio::awaitable<bool> Upstream::ReadBody(std::string& piece) {
  piece.clear();
  bool more = true;
  while (more) {
    if (!reader_->TakeBody(inbox_, piece)) co_return false;
    if (!piece.empty() || reader_->done()) co_return true;
    more = co_await ReadSome();
  }
  co_return !timed_out_ && reader_->TakeEnd();
}

bool Upstream::reusable() const {
  return !ended_ && inbox_.empty() && reader_ && !reader_->invalid() && reader_->done() && reader_->keep_alive();
}

bool Upstream::StillOpen() {
  char byte = 0;
  error_code code;
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, code);
  return code == asio::error::would_block;
}

bool IsHopField(std::string_view name) {
  static constexpr std::array<std::string_view, 22> kFields = {"connection",
                                                               "keep-alive",
                                                               "te",
                                                               "trailer",
                                                               "transfer-encoding",
                                                               "upgrade",
                                                               "host",
                                                               "content-length",
                                                               "expect",
                                                               "authorization",
                                                               "cookie",
                                                               "set-cookie",
                                                               "origin",
                                                               "date",
                                                               "server",
                                                               "x-request-id",
                                                               "vary",
                                                               "proxy-connection",
                                                               "proxy-authorization",
                                                               "proxy-authenticate",
                                                               "x-content-type-options",
                                                               "x-pintle-client"};
  const std::string lower = AsciiLowered(name);
  return lower.starts_with("access-control-") || std::find(kFields.begin(), kFields.end(), lower) != kFields.end();
}

std::string UpstreamRequestHead(const GatewayNode& node, const HttpRequest& request) {
  const std::string target = request.query.empty() ? request.path : request.path + "?" + request.query;
  std::string head =
      fmt::format("{} {} HTTP/1.1\r\nhost: {}\r\nx-request-id: {}\r\nx-pintle-client: {}\r\ncontent-length: {}\r\n",
                  request.method, target, node.authority, request.request_id, request.client, request.body.size());
  if (!node.key.empty()) head += fmt::format("authorization: Bearer {}\r\n", node.key);
  for (const HttpHeader& header : request.headers) {
    if (!IsHopField(header.name)) head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return head += "\r\n";
}

}  // namespace pintle
