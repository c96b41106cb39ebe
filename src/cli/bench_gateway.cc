// `pintle bench gateway`: what the gateway adds to a request's latency and to that of a streamed event, and how many
// requests it passes on, beside the origin asked directly and beside nginx where it is installed. All of it runs on
// this machine at the same time, load generator and origin included.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "serve/gateway/gateway.h"
#include "serve/gateway/load.h"
#include "serve/http/running.h"

namespace pintle {
namespace {

constexpr const char* kStreamPath = "/v1/chat/completions";
constexpr int64_t kStreams = 16;

struct Options {
  int64_t connections = 64;
  double rate = 500, seconds = 5;
  bool access_log = false;
};

// What stands behind the gateway. Answers of about the size of a short completion, at once; at kStreamPath streams that
// get an event every 10 ms, each with the time at which it left.
class Origin {
 public:
  void Handle(const HttpRequest& request, const std::shared_ptr<HttpResponse>& response) {
    static const std::string kAnswer = "{\"object\":\"text_completion\",\"text\":\"" + std::string(900, 'x') + "\"}\n";
    if (request.path == "/ready") return response->Send(200, {}, "ok");
    if (request.path == "/v1/models") return response->Send(200, {}, R"({"data":[{"id":"m"}]})");
    if (request.path != kStreamPath) return response->Send(200, {{"content-type", "application/json"}}, kAnswer);
    response->Begin(200, {{"content-type", "text/event-stream"}});
    const std::lock_guard<std::mutex> lock(mutex_);
    streams_.push_back(response);
  }
  // An event to one stream, after the last one to the next: models do not write in step. Returns how many there are.
  size_t WriteNext() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (streams_.empty()) return 0;
    next_ = (next_ + 1) % streams_.size();
    const auto stream = streams_.begin() + static_cast<std::ptrdiff_t>(next_);
    if (!(*stream)->Write(fmt::format("data: {:.9f}\n\n", MonotonicSeconds()))) streams_.erase(stream);
    return streams_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<HttpResponse>> streams_;
  size_t next_ = 0;
};

// Writes events as long as it lives, which is less long than the server.
class EventWriter {
 public:
  explicit EventWriter(Origin& origin)
      : thread_([this, &origin] {
          while (!stopping_) {
            const size_t streams = std::max<size_t>(origin.WriteNext(), 1);
            std::this_thread::sleep_for(std::chrono::microseconds(10000 / streams));
          }
        }) {}
  ~EventWriter() {
    stopping_ = true;
    thread_.join();
  }
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// nginx as a reverse proxy with upstream keep-alive and access logs, in a folder of its own.
class Nginx {
 public:
  static Result<std::unique_ptr<Nginx>> Start(uint16_t origin) {
    auto nginx = std::make_unique<Nginx>();
    PINTLE_ASSIGN(const std::vector<uint16_t> ports, FreeLoopbackPorts(1));
    nginx->port_ = ports[0];
    const std::string folder = nginx->folder_.path().string();
    const std::string config = fmt::format(
        "pid {0}/pid; error_log {0}/error.log; worker_processes 1; events {{ worker_connections 1024; }}\n"
        "http {{ access_log {0}/access.log; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n"
        "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s; keepalive_requests 1000000;\n"
        "upstream origin {{ server 127.0.0.1:{1}; keepalive 128; keepalive_requests 1000000; }}\n"
        "server {{ listen 127.0.0.1:{2}; proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
        "proxy_set_header Host localhost; location / {{ proxy_pass http://origin; }}\n"
        "location = {3} {{ proxy_pass http://origin; proxy_buffering off; }} }} }}\n",
        folder, origin, nginx->port_, kStreamPath);
    PINTLE_RETURN_IF_ERROR(WriteFileAtomic(nginx->folder_.path() / "conf", config));
    PINTLE_ASSIGN(const ProcessResult started, RunProcess({"nginx", "-p", folder, "-c", folder + "/conf"}));
    if (started.exit_status != 0) return RuntimeError("nginx did not start: " + started.err);
    return nginx;
  }
  ~Nginx() {
    const std::string folder = folder_.path().string();
    static_cast<void>(RunProcess({"nginx", "-p", folder, "-c", folder + "/conf", "-s", "stop"}));
  }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  TemporaryFolder folder_;
  uint16_t port_ = 0;
};

struct Measured {
  LoadResult steady, saturated;
  StreamResult streamed;
};

std::string Request(const char* path, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", path,
      body.size(), body);
}

Result<Measured> Measure(uint16_t port, const Options& options) {
  const std::string body = R"({"model":"m","prompt":")" + std::string(400, 'p') + R"(","max_tokens":16})";
  LoadOptions load;
  load.port = port;
  load.connections = options.connections;
  load.request = Request("/v1/completions", body);
  load.rate = options.rate;
  load.seconds = 0.5;
  PINTLE_RETURN_IF_ERROR([&]() -> Status {  // warm-up
    PINTLE_ASSIGN(const LoadResult ignored, RunLoad(load));
    static_cast<void>(ignored);
    return {};
  }());
  load.seconds = options.seconds;
  Measured measured;
  PINTLE_ASSIGN(measured.steady, RunLoad(load));
  load.rate = 0;
  PINTLE_ASSIGN(measured.saturated, RunLoad(load));
  load.connections = kStreams;
  load.request = Request(kStreamPath, R"({"model":"m","messages":[],"stream":true})");
  PINTLE_ASSIGN(measured.streamed, RunStreams(load));
  return measured;
}

Status Bench(const Options& options, const Global& global) {
  if (options.connections < 1 || options.connections > 4000 || options.rate <= 0 || options.seconds <= 0) {
    return UsageError("--connections lies between 1 and 4000, --rate and --seconds are more than 0");
  }
  HttpServerOptions http;
  http.access_log = false;
  http.client_concurrency = 1 << 20;
  Origin answers;
  const HttpHandler handler = [&answers](const HttpRequest& request, const std::shared_ptr<HttpResponse>& response) {
    answers.Handle(request, response);
  };
  PINTLE_ASSIGN(auto origin_server, HttpServer::Create(http, handler));
  const Running<HttpServer> origin(std::move(origin_server));
  const EventWriter writer(answers);
  GatewayOptions gateway_options;
  gateway_options.http = http;
  gateway_options.http.access_log = options.access_log;
  GatewayNode node;
  node.url = fmt::format("http://127.0.0.1:{}", origin.port());
  node.models = {"m"};
  PINTLE_RETURN_IF_ERROR(FinishGatewayNode(node));
  gateway_options.table.nodes = {node};
  PINTLE_ASSIGN(auto gateway_server, Gateway::Create(std::move(gateway_options)));
  const Running<Gateway> gateway(std::move(gateway_server));

  std::vector<std::pair<std::string, Measured>> rows;
  PINTLE_ASSIGN(const Measured direct, Measure(origin.port(), options));
  rows.emplace_back("direct", direct);
  PINTLE_ASSIGN(const Measured through, Measure(gateway.port(), options));
  rows.emplace_back("gateway", through);
  if (ProgramExists("nginx")) {
    PINTLE_ASSIGN(const std::unique_ptr<Nginx> nginx, Nginx::Start(origin.port()));
    PINTLE_ASSIGN(const Measured peer, Measure(nginx->port(), options));
    rows.emplace_back("nginx", peer);
  }
  boost::json::object out;
  for (const auto& [name, m] : rows) {
    out[name] = {{"p50_ms", m.steady.p50_ms},
                 {"p99_ms", m.steady.p99_ms},
                 {"added_p50_ms", m.steady.p50_ms - direct.steady.p50_ms},
                 {"added_p99_ms", m.steady.p99_ms - direct.steady.p99_ms},
                 {"saturated_requests_per_s", m.saturated.requests_per_second},
                 {"event_p50_ms", m.streamed.p50_ms},
                 {"event_p99_ms", m.streamed.p99_ms},
                 {"added_event_p50_ms", m.streamed.p50_ms - direct.streamed.p50_ms},
                 {"added_event_p99_ms", m.streamed.p99_ms - direct.streamed.p99_ms},
                 {"events", m.streamed.events},
                 {"failed", m.steady.failed + m.saturated.failed}};
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(out));
    return {};
  }
  for (const auto& [name, row] : out) fmt::print("{:<8} {}\n", std::string_view(name), DumpJson(row));
  return {};
}

}  // namespace

void RegisterBenchGateway(Command& bench) {
  auto options = std::make_shared<Options>();
  Command& verb = bench.Add("gateway", "the gateway: added latency and throughput, beside nginx if it is installed");
  verb.Option("--connections", options->connections, "open at once");
  verb.Option("--rate", options->rate, "requests a second, by the clock");
  verb.Option("--seconds", options->seconds, "of each measurement");
  verb.Flag("--access-log", options->access_log,
            "the gateway writes a line a request to standard error, as nginx to a file");
  verb.Run([options](const Global& global) { return Bench(*options, global); });
}

}  // namespace pintle
