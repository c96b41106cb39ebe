// `pintle bench gateway`: what the gateway adds to a request's latency, and how many requests it passes on, beside the
// origin asked directly and beside nginx where it is installed. All of it runs on this machine at the same time, load
// generator and origin included.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "cli/verbs.h"
#include "serve/gateway/gateway.h"
#include "serve/gateway/load.h"
#include "serve/http/running.h"

namespace pintle {
namespace {

struct Options {
  int64_t connections = 64;
  double rate = 500, seconds = 5;
  bool access_log = false;
};

// An answer of about the size of a short completion, at once.
void Origin(const HttpRequest& request, const std::shared_ptr<HttpResponse>& response) {
  static const std::string kAnswer = "{\"object\":\"text_completion\",\"text\":\"" + std::string(900, 'x') + "\"}\n";
  if (request.path == "/ready") return response->Send(200, {}, "ok");
  if (request.path == "/v1/models") return response->Send(200, {}, R"({"data":[{"id":"m"}]})");
  response->Send(200, {{"content-type", "application/json"}}, kAnswer);
}

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
        "server {{ listen 127.0.0.1:{2}; location / {{ proxy_pass http://origin; proxy_http_version 1.1;\n"
        "proxy_set_header Connection \"\"; proxy_set_header Host localhost; }} }} }}\n",
        folder, origin, nginx->port_);
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
};

Result<Measured> Measure(uint16_t port, const Options& options) {
  const std::string body = R"({"model":"m","prompt":")" + std::string(400, 'p') + R"(","max_tokens":16})";
  LoadOptions load;
  load.port = port;
  load.connections = options.connections;
  load.request = fmt::format(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      body.size(), body);
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
  return measured;
}

Status Bench(const Options& options, const Global& global) {
  if (options.connections < 1 || options.connections > 4000 || options.rate <= 0 || options.seconds <= 0) {
    return UsageError("--connections lies between 1 and 4000, --rate and --seconds are more than 0");
  }
  HttpServerOptions http;
  http.access_log = false;
  http.client_concurrency = 1 << 20;
  PINTLE_ASSIGN(auto origin_server, HttpServer::Create(http, Origin));
  const Running<HttpServer> origin(std::move(origin_server));
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
