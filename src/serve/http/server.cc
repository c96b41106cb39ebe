#include "serve/http/server.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <random>
#include <unordered_map>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/time.h"
#include "serve/http/connection.h"
#include "serve/http/server_core.h"

namespace pintle {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kSweepInterval = std::chrono::milliseconds(100);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // after a failed accept (no descriptors left)

class Server final : public HttpServer, public ConnectionHost {
 public:
  Server(std::unique_ptr<asio::io_context> owned, asio::io_context& io, HttpServerOptions options, AccessPolicy access,
         HttpHandler handler)
      : owned_(std::move(owned)),
        io_(io),
        options_(std::move(options)),
        access_(std::move(access)),
        handler_(std::move(handler)),
        acceptor_(io),
        sweep_timer_(io),
        signals_(io),
        scratch_(64 << 10) {}

  ~Server() override {
    // Connections and their answers refer to this object: let them end while it is there.
    BreakAll();
    error_code ignored;
    acceptor_.close(ignored);
    io_.restart();
    io_.poll();
  }

  Status Listen();
  Status LoadTls();

  uint16_t port() const override { return port_; }
  Status Run() override;
  void Stop(double drain_seconds) override {
    asio::dispatch(io_, [this, drain_seconds] { BeginDrain(drain_seconds); });
  }

  // ConnectionHost.
  const HttpServerOptions& options() const override { return options_; }
  const AccessPolicy& access() const override { return access_; }
  const HttpHandler& handler() const override { return handler_; }
  asio::io_context& io() override { return io_; }
  bool draining() const override { return draining_; }
  bool Enter(const std::string& client) override;
  void Leave(const std::string& client) override;
  void Forget(const void* connection) override;
  std::vector<char>& scratch() override { return scratch_; }
  std::string NewRequestId() override { return fmt::format("req_{:08x}{:08x}", id_prefix_, ++id_count_); }
  void LogLine(const std::string& line) override { std::fwrite(line.data(), 1, line.size(), stderr); }

 private:
  asio::awaitable<void> Accept();
  asio::awaitable<void> SweepLoop();
  asio::awaitable<void> WatchSignals();
  void BeginDrain(double seconds);
  void BreakAll();
  void StopWhenEmpty();

  std::unique_ptr<asio::io_context> owned_;  // declared first: sockets end before it
  asio::io_context& io_;
  HttpServerOptions options_;
  AccessPolicy access_;
  HttpHandler handler_;
  tcp::acceptor acceptor_;
  asio::steady_timer sweep_timer_;
  asio::signal_set signals_;
  std::optional<asio::ssl::context> tls_;
  std::unordered_map<const void*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<std::string, int64_t> in_work_;  // requests by client
  std::vector<char> scratch_;
  uint16_t port_ = 0;
  bool draining_ = false;
  double drain_deadline_ = 0;
  uint32_t id_prefix_ = std::random_device()();
  uint32_t id_count_ = 0;
};

Status Server::Listen() {
  error_code code;
  const auto address = asio::ip::make_address(options_.address, code);
  if (code) return UsageError("this is no numeric address", options_.address, "give one such as 127.0.0.1 or 0.0.0.0");
  const tcp::endpoint endpoint(address, options_.port);
  const std::string where = fmt::format("{}:{}", options_.address, options_.port);
  acceptor_.open(endpoint.protocol(), code);
  if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor_.bind(endpoint, code);
  if (!code) acceptor_.listen(1024, code);
  if (code == asio::error::address_in_use) {
    return RuntimeError("the port is in use by another program", where,
                        "choose another with --port, or stop that program (`ss -ltnp` names it)");
  }
  if (code == asio::error::access_denied) {
    return RuntimeError("the system does not let this user listen there", where, "choose a --port from 1024 on");
  }
  if (code) return RuntimeError("cannot listen: " + code.message(), where);
  port_ = acceptor_.local_endpoint(code).port();
  return {};
}

Status Server::LoadTls() {
  if (options_.tls_certificate.empty() && options_.tls_key.empty()) return {};
  error_code code;
  tls_.emplace(asio::ssl::context::tls_server);
  tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                    code);
  if (!code) tls_->use_certificate_chain_file(options_.tls_certificate, code);
  if (code) return ConfigError("cannot read the certificate: " + code.message(), options_.tls_certificate);
  tls_->use_private_key_file(options_.tls_key, asio::ssl::context::pem, code);
  if (code) return ConfigError("cannot use the key: " + code.message(), options_.tls_key);
  return {};
}

Status Server::Run() {
  asio::co_spawn(io_, Accept(), asio::detached);
  asio::co_spawn(io_, SweepLoop(), asio::detached);
  if (options_.handle_signals) asio::co_spawn(io_, WatchSignals(), asio::detached);
  while (!io_.stopped()) {
    try {
      io_.run();
    } catch (const std::exception& exception) {
      // A failed allocation in one callback; the other connections go on.
      LogWarning(options_.name, std::string("a callback failed: ") + exception.what());
    }
  }
  return {};
}

asio::awaitable<void> Server::Accept() {
  while (acceptor_.is_open()) {
    auto [code, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) co_return;
    if (code) {
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (static_cast<int64_t>(connections_.size()) >= options_.max_connections) {
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
      socket.non_blocking(true, code);
      socket.write_some(asio::buffer(kFull), code);
      continue;
    }
    auto connection = std::make_shared<Connection>(*this, std::move(socket), tls_ ? &*tls_ : nullptr);
    connections_.emplace(connection.get(), connection);
    connection->Start();
  }
}

asio::awaitable<void> Server::SweepLoop() {
  while (true) {
    sweep_timer_.expires_after(kSweepInterval);
    co_await sweep_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    const double now = MonotonicSeconds();
    if (draining_ && now > drain_deadline_) BreakAll();
    for (const auto& [key, connection] : connections_) connection->Sweep(now);
  }
}

asio::awaitable<void> Server::WatchSignals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    error_code ignored;
    signals_.add(signal, ignored);
  }
  if (Interrupted()) BeginDrain(0);  // a signal that came before this loop
  while (true) {
    const auto [code, signal] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (code) co_return;
    if (signal == SIGHUP) {
      if (options_.on_hangup) options_.on_hangup();
      continue;
    }
    LogInfo(options_.name, draining_ ? "stopping at once" : "stopping when the requests in work have ended");
    BeginDrain(draining_ ? 0 : options_.drain_seconds);
  }
}

void Server::BeginDrain(double seconds) {
  draining_ = true;
  drain_deadline_ = MonotonicSeconds() + seconds;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& [key, connection] : connections_) connection->Drain();
  if (seconds <= 0) BreakAll();
  StopWhenEmpty();
}

void Server::BreakAll() {
  for (const auto& [key, connection] : connections_) connection->Break();
}

void Server::StopWhenEmpty() {
  if (draining_ && connections_.empty()) io_.stop();
}

bool Server::Enter(const std::string& client) {
  int64_t& count = in_work_[client];
  if (count >= options_.client_concurrency) return false;
  ++count;
  return true;
}

void Server::Leave(const std::string& client) {
  const auto found = in_work_.find(client);
  if (found != in_work_.end() && --found->second == 0) in_work_.erase(found);
}

void Server::Forget(const void* connection) {
  connections_.erase(connection);
  StopWhenEmpty();
}

Result<std::unique_ptr<HttpServer>> Make(std::unique_ptr<asio::io_context> owned, asio::io_context& io,
                                         HttpServerOptions options, HttpHandler handler) {
  PINTLE_ASSIGN(AccessPolicy access, AccessPolicy::Create(options));
  RaiseFileLimit();
  auto server =
      std::make_unique<Server>(std::move(owned), io, std::move(options), std::move(access), std::move(handler));
  PINTLE_RETURN_IF_ERROR(server->LoadTls());
  PINTLE_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Create(HttpServerOptions options, HttpHandler handler) {
  auto io = std::make_unique<asio::io_context>(1);
  asio::io_context& loop = *io;
  return Make(std::move(io), loop, std::move(options), std::move(handler));
}

Result<std::unique_ptr<HttpServer>> CreateHttpServer(asio::io_context& io, HttpServerOptions options,
                                                     HttpHandler handler) {
  return Make(nullptr, io, std::move(options), std::move(handler));
}

int64_t RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<int64_t>(limit.rlim_cur);
}

}  // namespace pintle
