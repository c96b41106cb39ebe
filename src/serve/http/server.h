// The HTTP server under gateway and nodes: everything that concerns transport and its safety stands here once, so that
// a handler sees only requests that are whole, bounded, from an allowed host and origin, with a valid key and a request
// id.
//
// Where it stands: cli -> serve/gateway or serve/node (what a request means) -> this (how it arrives and leaves).
// It deliberately knows no route, no model and no JSON beyond the error object (json_body.h reads bodies for handlers);
// HTTP/2 and WebSocket are not spoken. Asio and Beast stay in server.cc; this header is all that a handler needs, and a
// test can fake HttpResponse. Source: RFC 9110, 9112 (HTTP/1.1), the Fetch standard (CORS), OpenAI's error object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One header field as it stands on the wire.
struct HttpHeader {
  std::string name, value;
};

/// The value of the first field of that name (any case), or nullptr.
const std::string* FindHeader(const std::vector<HttpHeader>& headers, std::string_view name);

/// A whole request that passed every check of the transport.
struct HttpRequest {
  std::string method;      ///< "GET", "POST", ... (HEAD arrives as "GET"; the server drops the body)
  std::string path;        ///< percent-decoding undone nowhere: the bytes before '?', never empty, begins with '/'
  std::string query;       ///< the bytes behind '?', without it
  std::string body;        ///< whole, at most HttpServerOptions::body_limit bytes
  std::string request_id;  ///< x-request-id of the client if sane, else made; echoed with every answer
  std::string client;      ///< whose it is: the number of the API key, else the address of the peer without port
  std::vector<HttpHeader> headers;

  /// The value of the first field of that name (any case), or nullptr.
  [[nodiscard]] const std::string* Header(std::string_view name) const { return FindHeader(headers, name); }
};

/// The answer to one request: either Send, or Begin, Write..., End. Kept by shared_ptr until it is complete; when the
/// last reference goes before that, the server answers 500 itself (or breaks a begun stream off). Thread-safe: every
/// call may come from any thread, posts to the server's thread and never blocks. After the client left, or after the
/// end, calls do nothing.
class HttpResponse {
 public:
  HttpResponse() = default;
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;
  virtual ~HttpResponse() = default;

  /// The whole answer. Content-Length, Date, CORS fields and x-request-id are added by the server.
  virtual void Send(int status, std::vector<HttpHeader> headers, std::string body) = 0;
  /// Begins a stream (chunked transfer); each Write is sent on at once.
  virtual void Begin(int status, std::vector<HttpHeader> headers) = 0;
  /// The next piece of the stream. False: the client left, or more than HttpServerOptions::write_buffer bytes wait for
  /// it (the stream is then broken off: a reader that slow must not hold memory); stop producing.
  virtual bool Write(std::string chunk) = 0;
  /// Bytes of the stream that wait for the client. A producer that is able to wait does so above some 256 KiB.
  [[nodiscard]] virtual int64_t Pending() const { return 0; }
  /// The end of the stream.
  virtual void End() = 0;
  /// Breaks off a begun stream, so that the client can tell it from a complete one.
  virtual void Abort() = 0;
  /// Calls back once, on the server's thread, if the client leaves before the end (within 100 ms); at once, on
  /// whichever thread, if it already has. The callback must not block. It is dropped with the answer's end.
  virtual void OnCancel(std::function<void()> callback) = 0;
};

/// Called on the server's thread for each request; must not block: heavy work belongs to a thread of its own, which
/// keeps the response.
using HttpHandler = std::function<void(HttpRequest, std::shared_ptr<HttpResponse>)>;

/// {"error":{"message","type","param","code"}} of OpenAI's API with a newline; empty param or code become null. The
/// type follows from the status: rate_limit_error (429), server_error (5xx), else invalid_request_error.
std::string HttpErrorBody(int status, std::string_view message, std::string_view code = {},
                          std::string_view param = {});

/// Sends HttpErrorBody as JSON; `headers` are further fields, such as retry-after or allow.
void SendHttpError(HttpResponse& response, int status, std::string_view message, std::string_view code = {},
                   std::string_view param = {}, std::vector<HttpHeader> headers = {});

/// Names as a list for the value of a field, at most about 1,000 characters: nothing in them can begin a field of its
/// own.
std::string HttpFieldList(const std::vector<std::string>& names);

/// What the transport allows. Times in seconds.
struct HttpServerOptions {
  std::string name = "pintle";               ///< module name in the access log
  std::string address = "127.0.0.1";         ///< numeric; anything but loopback needs api_keys_file
  uint16_t port = 0;                         ///< 0: the system chooses (HttpServer::port)
  int64_t body_limit = int64_t{8} << 20;     ///< bytes of a request's body; more: 413
  int64_t header_limit = int64_t{32} << 10;  ///< bytes of request line and fields; more: 431
  int64_t write_buffer = int64_t{4} << 20;   ///< bytes of a stream that may wait for a slow reader
  double header_seconds = 10;                ///< from the first byte of a request to the end of its header (slow-loris)
  double body_seconds = 60;                  ///< for the whole body
  double idle_seconds = 75;                  ///< a connection between two requests
  double write_seconds = 30;                 ///< one write to a client that does not read
  int64_t max_connections = 4096;            ///< more: answered 503 and closed
  int64_t client_concurrency = 256;          ///< requests in work for one client (key, else address); more: 429
  std::string api_keys_file;                 ///< one key a line, # comments; "" = no key needed (loopback only)
  std::vector<std::string> hosts;            ///< names allowed in Host, besides loopback names and `address`
  std::vector<std::string> origins;          ///< origins allowed in Origin ("https://a.example"), besides loopback ones
  std::string tls_certificate, tls_key;      ///< PEM files; "" = plain HTTP
  /// Clients are gateways: a request counts for whom they name in x-pintle-client, not for them.
  bool behind_gateway = false;
  std::vector<std::string> open_paths = {"/health", "/ready"};  ///< asked without a key
  bool handle_signals = false;      ///< SIGINT and SIGTERM call Stop(drain_seconds), a second one Stop(0)
  double drain_seconds = 10;        ///< for handle_signals
  std::function<void()> on_hangup;  ///< SIGHUP, on the server's thread; only with handle_signals
  bool access_log = true;           ///< one JSON line a request to stderr; never a body, a query or a key
};

/// Listens and answers on one thread: all a request needs there is parsing and copying; a handler's heavy work has
/// threads of its own. One thread also means that connection state needs no locks.
class HttpServer {
 public:
  /// Binds and listens. Errors: the port is in use, the address is no loopback and there are no keys, a file is
  /// missing.
  static Result<std::unique_ptr<HttpServer>> Create(HttpServerOptions options, HttpHandler handler);
  virtual ~HttpServer() = default;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port listened on.
  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Serves on the calling thread until Stop.
  virtual Status Run() = 0;
  /// From any thread: stops accepting, lets requests in work end for `drain_seconds`, then breaks them off; Run
  /// returns.
  virtual void Stop(double drain_seconds) = 0;

 protected:
  HttpServer() = default;
};

/// Raises the soft limit of open files to the hard one: a server holds a socket a client. Returns the limit.
int64_t RaiseFileLimit();

}  // namespace pintle
