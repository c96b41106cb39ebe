#include "serve/http/connection.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json.h"
#include "base/time.h"
#include "serve/http/response_head.h"

namespace pintle {
namespace {

using boost::system::error_code;

constexpr size_t kReadBytes = 64 << 10;  // one read
constexpr size_t kWritePieces = 16;      // pieces of one write
constexpr double kLingerSeconds = 1;     // how long the rest of a refused request is read

// The face of an exchange for handlers on any thread.
class Answer final : public HttpResponse {
 public:
  Answer(std::weak_ptr<Connection> connection, uint64_t number, std::shared_ptr<Connection::Flow> flow,
         int64_t write_buffer)
      : connection_(std::move(connection)), number_(number), flow_(std::move(flow)), write_buffer_(write_buffer) {}

  ~Answer() override {
    // Behind whatever other threads have sent, also when the last reference goes on the server's own thread.
    if (auto connection = Live()) {
      asio::io_context& io = connection->io();
      asio::post(io, [connection = std::move(connection), number = number_] { connection->Dropped(number); });
    }
  }

  void Send(int status, std::vector<HttpHeader> headers, std::string body) override {
    Tell(Live(), [number = number_, status, headers = std::move(headers),
                  body = std::move(body)](Connection& connection) { connection.Send(number, status, headers, body); });
  }

  void Begin(int status, std::vector<HttpHeader> headers) override {
    Tell(Live(), [number = number_, status, headers = std::move(headers)](Connection& connection) {
      connection.Begin(number, status, headers);
    });
  }

  bool Write(std::string chunk) override {
    auto connection = Live();
    if (connection == nullptr) return false;
    if (chunk.empty()) return true;
    const auto size = static_cast<int64_t>(chunk.size());
    if (flow_->pending.fetch_add(size) + size > write_buffer_) {
      Abort();
      return false;
    }
    Tell(std::move(connection),
         [number = number_, chunk = std::move(chunk)](Connection& to) mutable { to.Write(number, std::move(chunk)); });
    return true;
  }

  int64_t Pending() const override { return flow_->gone ? 0 : flow_->pending.load(); }

  void End() override {
    Tell(Live(), [number = number_](Connection& connection) { connection.End(number); });
  }

  void Abort() override {
    Tell(Live(), [number = number_](Connection& connection) { connection.Abort(number); });
  }

  void OnCancel(std::function<void()> callback) override {
    auto connection = Live();
    if (connection == nullptr) {
      if (!flow_->complete) callback();
      return;
    }
    Tell(std::move(connection),
         [number = number_, flow = flow_, callback = std::move(callback)](Connection& to) mutable {
           if (!flow->complete) to.OnCancel(number, std::move(callback));
         });
  }

 private:
  // Nothing once nobody wants more: the connection, perhaps with its server, is over.
  std::shared_ptr<Connection> Live() const { return flow_->gone ? nullptr : connection_.lock(); }

  // On the server's thread.
  template <typename Call>
  static void Tell(std::shared_ptr<Connection> connection, Call call) {
    if (connection == nullptr) return;
    asio::io_context& io = connection->io();
    asio::dispatch(io, [connection = std::move(connection), call = std::move(call)]() mutable { call(*connection); });
  }

  // An answer never keeps it: its sockets and timers may not outlive the server.
  std::weak_ptr<Connection> connection_;
  uint64_t number_;
  std::shared_ptr<Connection::Flow> flow_;
  int64_t write_buffer_;
};

}  // namespace

asio::awaitable<void> Event::Wait() { co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)); }

Connection::Connection(ConnectionHost& host, asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : host_(host), socket_(std::move(socket)), event_(host.io()) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const auto peer = socket_.remote_endpoint(ignored);
  address_ = ignored ? "?" : peer.address().to_string();
  if (tls != nullptr) {
    tls_.emplace(socket_, *tls);
    tls_buffer_.resize(kReadBytes / 4);
  }
}

void Connection::Start() {
  // Whatever ends the coroutine, also a failed allocation, ends the connection.
  asio::co_spawn(host_.io(), Serve(), [self = shared_from_this()](const std::exception_ptr&) {
    self->Break();
    if (self->exchange_.number != 0) self->CloseExchange();
    self->host_.Forget(self.get());
  });
}

asio::awaitable<void> Connection::Serve() {
  bool open = !tls_ || co_await Handshake();
  while (open && !broken_) {
    RequestReader reader(host_.options().header_limit, host_.options().body_limit);
    open = co_await ReadRequest(reader);
    if (open) Dispatch(std::move(reader.request()));
    while (exchange_.number != 0 && !exchange_.ended && !broken_) {
      StartRead();
      co_await event_.Wait();
    }
    open = open && exchange_.keep_alive && !host_.draining();
    if (exchange_.number != 0) CloseExchange();
  }
  while (!outbox_.empty() && !broken_) co_await event_.Wait();
  if (!broken_) co_await Linger();
}

asio::awaitable<bool> Connection::Handshake() {
  deadline_ = MonotonicSeconds() + host_.options().header_seconds;
  handshaking_ = true;
  const auto [code] =
      co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
  handshaking_ = false;
  co_return !code;
}

// Reads until the request is whole. False: there is none, or it was refused (the refusal is then on its way).
asio::awaitable<bool> Connection::ReadRequest(RequestReader& reader) {
  const HttpServerOptions& options = host_.options();
  deadline_ = MonotonicSeconds() + options.idle_seconds;
  bool begun = false;
  while (true) {
    if (!inbox_.empty() && !begun) {
      begun = true;
      deadline_ = MonotonicSeconds() + options.header_seconds;
    }
    size_t used = 0;
    const RequestReader::State state = reader.Feed(inbox_, used);
    inbox_.erase(0, used);
    if (state == RequestReader::State::kRefused) {
      if (exchange_.number == 0) OpenExchange(reader);
      Refuse(reader.refusal());
      co_return false;
    }
    if (state == RequestReader::State::kHeader) {
      OpenExchange(reader);
      if (!Admit(reader)) co_return false;
      deadline_ = MonotonicSeconds() + options.body_seconds;
      if (reader.expects_continue()) Queue("HTTP/1.1 100 Continue\r\n\r\n", 0);
      continue;
    }
    if (state == RequestReader::State::kDone) {
      deadline_ = 0;
      co_return true;
    }
    if (left_ || broken_ || (!begun && (timed_out_ || host_.draining()))) co_return false;
    if (timed_out_) {
      if (exchange_.number == 0) OpenExchange(reader);
      Refuse({408, "the request did not arrive in time", "request_timeout", {}});
      co_return false;
    }
    StartRead();
    co_await event_.Wait();
  }
}

void Connection::OpenExchange(RequestReader& reader) {
  const HttpRequest& request = reader.request();
  exchange_ = {};
  exchange_.number = ++exchanges_;
  exchange_.flow = std::make_shared<Flow>();
  exchange_.start = MonotonicSeconds();
  exchange_.method = request.method;
  exchange_.path = request.path;
  const std::string* id = request.Header("x-request-id");
  exchange_.request_id = id != nullptr && IsSaneRequestId(*id) ? *id : host_.NewRequestId();
  exchange_.head = reader.is_head();
  exchange_.http_1_0 = reader.is_http_1_0();
  exchange_.keep_alive = reader.keep_alive() && !exchange_.http_1_0;
}

// Judges the header. False: the request was refused; its body is not read.
bool Connection::Admit(RequestReader& reader) {
  HttpRequest& request = reader.request();
  request.request_id = exchange_.request_id;
  request.client = address_;
  AccessPolicy::Admission admission = host_.access().Check(request);
  exchange_.cors_fields = std::move(admission.cors_fields);
  exchange_.client = request.client = std::move(admission.client);
  if (admission.refusal) {
    Refuse(*admission.refusal);
    return false;
  }
  if (!host_.Enter(exchange_.client)) {
    Refuse({429, "too many requests of this client are in work", "too_many_requests", {{"retry-after", "1"}}});
    return false;
  }
  exchange_.counted = true;
  return true;
}

void Connection::Refuse(const HttpRefusal& refusal) {
  exchange_.keep_alive = false;
  std::vector<HttpHeader> headers = refusal.headers;
  headers.push_back({"content-type", "application/json"});
  Send(exchange_.number, refusal.status, headers, HttpErrorBody(refusal.status, refusal.message, refusal.code));
}

void Connection::Dispatch(HttpRequest request) {
  exchange_.bytes_in = static_cast<int64_t>(request.body.size());
  if (request.method == "OPTIONS") {
    Send(exchange_.number, 204, {{"allow", "GET, HEAD, POST, OPTIONS"}}, {});
    return;
  }
  auto answer =
      std::make_shared<Answer>(weak_from_this(), exchange_.number, exchange_.flow, host_.options().write_buffer);
  try {
    host_.handler()(std::move(request), std::move(answer));
  } catch (const std::exception&) {
    // Out of memory in a handler costs the request, not the program; its Answer is gone and has answered 500.
  }
}

// The exchange is over, well or not: everything that counted it forgets it.
void Connection::CloseExchange() {
  if (exchange_.counted) host_.Leave(exchange_.client);
  exchange_.flow->gone = true;
  if (host_.options().access_log) {
    const std::string path = exchange_.path.substr(0, 200);
    host_.LogLine(fmt::format(
        R"({{"ts":"{}","level":"info","module":"{}","msg":"request","id":{},"client":{},"method":{},"path":{},"status":{},)"
        R"("complete":{},"bytes_in":{},"bytes_out":{},"ms":{:.3f}}})"
        "\n",
        UtcTimestamp(), host_.options().name, JsonQuote(exchange_.request_id),
        JsonQuote(exchange_.client.empty() ? address_ : exchange_.client), JsonQuote(exchange_.method), JsonQuote(path),
        exchange_.status, exchange_.ended, exchange_.bytes_in, exchange_.bytes_out,
        1e3 * (MonotonicSeconds() - exchange_.start)));
  }
  exchange_ = {};
}

// Reads what is left of a refused request, so that closing does not reset the connection before the client has read the
// answer.
asio::awaitable<void> Connection::Linger() {
  error_code ignored;
  if (!tls_) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  deadline_ = MonotonicSeconds() + kLingerSeconds;
  timed_out_ = false;
  while (!left_ && !broken_ && !timed_out_) {
    inbox_.clear();
    StartRead();
    co_await event_.Wait();
  }
}

void Connection::Sweep(double now) {
  if (write_deadline_ > 0 && now > write_deadline_) return Break();
  if (deadline_ == 0 || now < deadline_) return;
  deadline_ = 0;
  timed_out_ = true;
  if (handshaking_) return Break();
  event_.Notify();
}

void Connection::Drain() {
  if (exchange_.number == 0 && inbox_.empty()) Break();
}

void Connection::Break() {
  if (broken_) return;
  ClientLeft();
  broken_ = true;
  error_code ignored;
  socket_.close(ignored);
  event_.Notify();
}

void Connection::ClientLeft() {
  left_ = true;
  if (exchange_.number == 0 || exchange_.ended) return;
  exchange_.flow->gone = true;
  if (auto callback = std::move(exchange_.on_cancel)) {
    exchange_.on_cancel = nullptr;
    callback();
  }
}

void Connection::StartRead() {
  const auto limit = kReadBytes + static_cast<size_t>(host_.options().header_limit);
  if (reading_ || left_ || broken_ || inbox_.size() >= limit) return;
  reading_ = true;
  if (tls_) {
    tls_->async_read_some(asio::buffer(tls_buffer_), [self = shared_from_this()](const error_code& code, size_t count) {
      if (!code) self->inbox_.append(self->tls_buffer_.data(), count);
      self->OnReadable(code);
    });
    return;
  }
  // Waiting first and reading into a common buffer: an idle connection holds no buffer of its own.
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](error_code code) {
    if (!code) {
      std::vector<char>& scratch = self->host_.scratch();
      const size_t count = self->socket_.read_some(asio::buffer(scratch), code);
      self->inbox_.append(scratch.data(), count);
    }
    if (code == asio::error::would_block) code = {};
    self->OnReadable(code);
  });
}

void Connection::OnReadable(const error_code& code) {
  reading_ = false;
  if (code) {
    // A client that closes, also one half, does not want the answer any more.
    const bool answering = exchange_.number != 0 && !exchange_.ended;
    ClientLeft();
    if (answering) return Break();
  } else if (exchange_.number != 0) {
    StartRead();
  }
  event_.Notify();
}

void Connection::Queue(std::string bytes, int64_t payload) {
  outbox_.push_back({std::move(bytes), payload, exchange_.flow});
  StartWrite();
}

void Connection::StartWrite() {
  if (writing_ || outbox_.empty() || broken_) return;
  writing_ = true;
  write_deadline_ = MonotonicSeconds() + host_.options().write_seconds;
  std::vector<asio::const_buffer> buffers;
  for (size_t i = 0; i < std::min(outbox_.size(), kWritePieces); ++i) buffers.push_back(asio::buffer(outbox_[i].bytes));
  buffers.front() += first_written_;
  const auto written = [self = shared_from_this()](const error_code& code, size_t count) {
    self->writing_ = false;
    self->write_deadline_ = 0;
    if (code) return self->Break();
    count += self->first_written_;
    while (!self->outbox_.empty() && count >= self->outbox_.front().bytes.size()) {
      const Piece& piece = self->outbox_.front();
      count -= piece.bytes.size();
      if (piece.flow) piece.flow->pending -= piece.payload;
      self->outbox_.pop_front();
    }
    self->first_written_ = count;
    if (self->outbox_.empty()) self->event_.Notify();
    self->StartWrite();
  };
  if (tls_) {
    tls_->async_write_some(buffers, written);
  } else {
    socket_.async_write_some(buffers, written);
  }
}

std::string Connection::Head(int status, const std::vector<HttpHeader>& headers, std::optional<size_t> length) {
  exchange_.status = status;
  if (host_.draining()) exchange_.keep_alive = false;
  ResponseHeadWriter head(status);
  for (const HttpHeader& header : headers) head.Add(header.name, header.value);
  for (const HttpHeader& header : exchange_.cors_fields) head.Add(header.name, header.value);
  head.Add("x-request-id", exchange_.request_id);
  head.Add("x-content-type-options", "nosniff");
  head.AddDate();
  if (length) {
    if (status != 204 && status != 304) head.Add("content-length", std::to_string(*length));
  } else if (exchange_.http_1_0) {
    exchange_.keep_alive = false;
  } else {
    head.Add("transfer-encoding", "chunked");
  }
  if (!exchange_.keep_alive) head.Add("connection", "close");
  return std::move(head).Finish();
}

void Connection::Send(uint64_t number, int status, const std::vector<HttpHeader>& headers, const std::string& body) {
  if (!Answering(number) || exchange_.begun) return;
  std::string head = Head(status, headers, body.size());
  exchange_.bytes_out = static_cast<int64_t>(body.size());
  if (!exchange_.head && status != 204) head += body;
  exchange_.begun = exchange_.ended = exchange_.flow->complete = true;
  Queue(std::move(head), 0);
  event_.Notify();
}

void Connection::Begin(uint64_t number, int status, const std::vector<HttpHeader>& headers) {
  if (!Answering(number) || exchange_.begun) return;
  exchange_.begun = true;
  Queue(Head(status, headers, std::nullopt), 0);
}

void Connection::Write(uint64_t number, std::string chunk) {
  if (!Answering(number) || !exchange_.begun) return;
  const auto size = static_cast<int64_t>(chunk.size());
  exchange_.bytes_out += size;
  if (exchange_.head) {
    exchange_.flow->pending -= size;
    return;
  }
  Queue(exchange_.http_1_0 ? std::move(chunk) : fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk), size);
}

void Connection::End(uint64_t number) {
  if (!Answering(number) || !exchange_.begun) return;
  exchange_.ended = exchange_.flow->complete = true;
  if (!exchange_.http_1_0 && !exchange_.head) Queue("0\r\n\r\n", 0);
  event_.Notify();
}

void Connection::Abort(uint64_t number) {
  if (Answering(number)) Break();
}

void Connection::OnCancel(uint64_t number, std::function<void()> callback) {
  if (exchange_.number == number && exchange_.ended) return;
  if (exchange_.number != number || broken_ || left_) {
    callback();
    return;
  }
  exchange_.on_cancel = std::move(callback);
}

void Connection::Dropped(uint64_t number) {
  if (!Answering(number)) return;
  if (exchange_.begun) return Break();
  Refuse({500, "the server gave no answer", "internal_error", {}});
}

}  // namespace pintle
