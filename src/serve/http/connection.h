// One client's connection: read a request, hand it over, write the answer, again. Internal to the server; includes
// Asio.
//
// Where it stands: server.cc accepts and owns the limits; request_reader.h understands the bytes; access.h judges who
// asks. All of it runs on the server's thread, so nothing here is locked; Answer (connection.cc) is what other threads
// hold. Data flow: socket -> inbox_ -> RequestReader -> handler -> Answer -> outbox_ -> socket.
//
// While an answer is in work the socket is still read, up to a bound: that is how a client that leaves is noticed, and
// pipelined requests wait in the inbox. It deliberately answers one request at a time.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/http/access.h"
#include "serve/http/request_reader.h"
#include "serve/http/server.h"

namespace pintle {

namespace asio = boost::asio;

/// Something that one coroutine waits for and others on the same thread announce. The waiter checks its condition
/// before each Wait; nothing is lost because nothing runs in between.
class Event {
 public:
  explicit Event(asio::io_context& io) : timer_(io, asio::steady_timer::time_point::max()) {}
  void Notify() { timer_.cancel(); }
  asio::awaitable<void> Wait();

 private:
  asio::steady_timer timer_;
};

/// What a connection needs of its server; all calls on the server's thread.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  virtual const AccessPolicy& access() const = 0;
  virtual const HttpHandler& handler() const = 0;
  virtual asio::io_context& io() = 0;
  virtual bool draining() const = 0;
  /// Counts a request of this client; false if it has too many in work.
  virtual bool Enter(const std::string& client) = 0;
  virtual void Leave(const std::string& client) = 0;
  /// The connection is over.
  virtual void Forget(const void* connection) = 0;
  /// A buffer that is used between two suspensions only.
  virtual std::vector<char>& scratch() = 0;
  virtual std::string NewRequestId() = 0;
  virtual void LogLine(const std::string& line) = 0;
};

/// See the top of the file. Lives as long as its coroutine; an Answer may live longer.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `tls` may be null.
  Connection(ConnectionHost& host, asio::ip::tcp::socket socket, asio::ssl::context* tls);

  /// Begins to serve.
  void Start();
  /// Ends connections that are too slow; called several times a second.
  void Sweep(double now);
  /// Ends at once if no request is in work, else after it.
  void Drain();
  /// Ends now.
  void Break();

  // What Answer asks for, on the server's thread. `number` is the exchange it belongs to; late calls are ignored.
  void Send(uint64_t number, int status, const std::vector<HttpHeader>& headers, const std::string& body);
  void Begin(uint64_t number, int status, const std::vector<HttpHeader>& headers);
  void Write(uint64_t number, std::string chunk);
  void End(uint64_t number);
  void Abort(uint64_t number);
  void OnCancel(uint64_t number, std::function<void()> callback);
  /// The handler let go of its Answer.
  void Dropped(uint64_t number);

  [[nodiscard]] asio::io_context& io() { return host_.io(); }

  /// What Answer may look at from other threads.
  struct Flow {
    std::atomic<bool> gone{false};      // nothing more is wanted
    std::atomic<bool> complete{false};  // the whole answer was given
    std::atomic<int64_t> pending{0};
  };

 private:
  // The request that is being answered.
  struct Exchange {
    uint64_t number = 0;
    std::string method, path, request_id, client;
    std::vector<HttpHeader> cors_fields;
    std::shared_ptr<Flow> flow;
    std::function<void()> on_cancel;
    double start = 0;
    int64_t bytes_in = 0, bytes_out = 0;
    int status = 0;
    bool head = false, http_1_0 = false, keep_alive = false, counted = false;
    bool begun = false, ended = false;
  };
  // Bytes on their way out; `payload` of them count as pending of `flow`.
  struct Piece {
    std::string bytes;
    int64_t payload = 0;
    std::shared_ptr<Flow> flow;
  };

  asio::awaitable<void> Serve();
  asio::awaitable<bool> Handshake();
  asio::awaitable<bool> ReadRequest(RequestReader& reader);
  asio::awaitable<void> Linger();
  bool Admit(RequestReader& reader);
  void OpenExchange(RequestReader& reader);
  void Refuse(const HttpRefusal& refusal);
  void Dispatch(HttpRequest request);
  void CloseExchange();
  std::string Head(int status, const std::vector<HttpHeader>& headers, std::optional<size_t> length);
  bool Answering(uint64_t number) const { return exchange_.number == number && !exchange_.ended && !broken_; }
  void Queue(std::string bytes, int64_t payload);
  void StartRead();
  void OnReadable(const boost::system::error_code& code);
  void StartWrite();
  void ClientLeft();

  ConnectionHost& host_;
  asio::ip::tcp::socket socket_;
  std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
  std::vector<char> tls_buffer_;
  Event event_;
  std::string address_;
  std::string inbox_;
  std::deque<Piece> outbox_;
  size_t first_written_ = 0;  // of outbox_.front()
  Exchange exchange_;
  uint64_t exchanges_ = 0;
  double deadline_ = 0, write_deadline_ = 0;  // 0: none
  bool reading_ = false, writing_ = false;
  bool handshaking_ = false, left_ = false, broken_ = false, timed_out_ = false;
};

}  // namespace pintle
