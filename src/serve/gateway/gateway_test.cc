// The gateway over real sockets: two small nodes behind it, well and ill.
#include "serve/gateway/gateway.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "serve/http/test_client.h"

namespace pintle {
namespace {

bool Holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool Within(double seconds, const std::function<bool()>& holds) {
  const double deadline = MonotonicSeconds() + seconds;
  while (!holds()) {
    if (MonotonicSeconds() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A node whose answers name it. What a request's body asks for ("slow", "stream", "drop", "busy") it does.
class FakeNode {
 public:
  FakeNode(std::string name, std::string model, uint16_t port = 0) : name_(std::move(name)), model_(std::move(model)) {
    HttpServerOptions options;
    options.port = port;
    options.access_log = false;
    auto created =
        HttpServer::Create(options, [this](const HttpRequest& request, std::shared_ptr<HttpResponse> response) {
          Handle(request, std::move(response));
        });
    REQUIRE(created.ok());
    server_ = *std::move(created);
    thread_ = std::thread([this] { CHECK(server_->Run().ok()); });
  }
  ~FakeNode() { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    server_->Stop(0);
    thread_.join();
    kept_.reset();
    server_.reset();
  }
  GatewayNode Row(std::vector<std::string> models = {}) const {
    GatewayNode row;
    row.name = name_;
    row.url = fmt::format("http://127.0.0.1:{}", server_->port());
    row.models = std::move(models);
    CHECK(FinishGatewayNode(row).ok());
    return row;
  }
  uint16_t port() const { return server_->port(); }

  std::atomic<int> requests{0}, cancelled{0};

 private:
  void Handle(const HttpRequest& request, std::shared_ptr<HttpResponse> response) {
    if (request.path == "/ready") return response->Send(200, {}, "ok");
    if (request.path == "/v1/models") {
      return response->Send(200, {},
                            fmt::format(R"({{"object":"list","data":[{{"id":"{}","state":"loaded"}}]}})", model_));
    }
    if (request.path == "/metrics")
      return response->Send(200, {}, "# TYPE asked gauge\nasked{of=\"" + name_ + "\"} 1\n");
    ++requests;
    if (Holds(request.body, "busy")) return SendHttpError(*response, 429, "full", "queue_full");
    if (Holds(request.body, "drop")) {
      response->Begin(200, {});
      return response->Abort();
    }
    if (Holds(request.body, "stream")) {
      response->Begin(200, {{"content-type", "text/event-stream"}});
      response->Write("data: 1\n\n");
      response->OnCancel([this] { ++cancelled; });
      kept_ = std::move(response);
      return;
    }
    if (Holds(request.body, "slow")) {
      response->OnCancel([this] { ++cancelled; });
      kept_ = std::move(response);
      return;
    }
    std::string seen = name_ + " got " + request.body;
    for (const char* field : {"authorization", "origin", "cookie", "x-request-id", "x-own", "x-pintle-client"}) {
      if (const std::string* value = request.Header(field)) seen += fmt::format(" {}={}", field, *value);
    }
    response->Send(Holds(request.body, "teapot") ? 418 : 200, {{"x-node", name_}}, std::move(seen));
  }

  std::string name_, model_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::shared_ptr<HttpResponse> kept_;
};

class RunningGateway {
 public:
  explicit RunningGateway(std::vector<GatewayNode> nodes, const GatewayConfig& config = {}) {
    GatewayOptions options;
    options.http.access_log = false;
    options.table = config;
    options.table.nodes = std::move(nodes);
    options.table.health_seconds = 0.1;
    auto created = Gateway::Create(std::move(options));
    REQUIRE(created.ok());
    gateway_ = *std::move(created);
    thread_ = std::thread([this] { CHECK(gateway_->Run().ok()); });
  }
  ~RunningGateway() {
    gateway_->Stop(0);
    thread_.join();
  }
  uint16_t port() const { return gateway_->port(); }
  std::string Ask(const std::string& request) const {
    TestClient client(port());
    client.Say(request);
    return client.HearAll();
  }
  std::string Get(const std::string& path) const {
    return Ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  std::string Post(const std::string& body, const std::string& fields = "Connection: close\r\n",
                   const std::string& path = "/v1/completions") const {
    return Ask(Request(body, fields, path));
  }
  static std::string Request(const std::string& body, const std::string& fields = "",
                             const std::string& path = "/v1/completions") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", path, body.size(),
                       fields, body);
  }
  bool Lists(const std::string& model) const {
    return Within(5, [&] { return Holds(Get("/v1/models"), "\"id\":\"" + model + "\""); });
  }

 private:
  std::unique_ptr<Gateway> gateway_;
  std::thread thread_;
};

TEST_CASE("requests go to the node of their model, byte for byte, and without the fields of the client's connection") {
  FakeNode a("a", "model-a"), b("b", "model-b");
  const RunningGateway gateway({a.Row(), b.Row()});
  REQUIRE(gateway.Lists("model-a"));
  REQUIRE(gateway.Lists("model-b"));
  const std::string body = R"({ "x": 1.50, "model":"model-b" , "text":"é\u00e9"})";
  const std::string answer = gateway.Post(body,
                                          "Connection: close\r\nX-Request-Id: r1\r\nX-Own: 1\r\nX-Pintle-Client: "
                                          "6.6.6.6\r\nAuthorization: Bearer k\r\nOrigin: http://localhost\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(Holds(answer, "x-node: b"));
  CHECK(Holds(answer, "x-request-id: r1\r\n"));
  CHECK(answer.ends_with("b got " + body + " x-request-id=r1 x-own=1 x-pintle-client=127.0.0.1"));
  CHECK(gateway.Post(R"({"model":"model-a","teapot":1})").starts_with("HTTP/1.1 418"));
  CHECK(Holds(gateway.Get("/v1/models/model-a"), R"({"id":"model-a","state":"loaded"})"));
}

TEST_CASE("what cannot be routed is refused by name") {
  FakeNode a("a", "model-a"), b("b", "model-b");
  const RunningGateway gateway({a.Row(), b.Row()});
  REQUIRE(gateway.Lists("model-a"));
  REQUIRE(gateway.Lists("model-b"));
  const std::string unknown = gateway.Post(R"({"model":"gpt-4"})");
  CHECK(unknown.starts_with("HTTP/1.1 404"));
  CHECK(Holds(unknown, R"("param":"model","code":"model_not_found")"));
  CHECK(Holds(unknown, "model-a, model-b"));
  CHECK(gateway.Post("{}").starts_with("HTTP/1.1 400"));
  CHECK(gateway.Post("no json").starts_with("HTTP/1.1 400"));
  CHECK(gateway.Get("/v1/models/gpt-4").starts_with("HTTP/1.1 404"));
  CHECK(gateway.Get("/nowhere").starts_with("HTTP/1.1 404"));
  CHECK(gateway.Post("{}", "Connection: close\r\n", "/v1/embeddings").starts_with("HTTP/1.1 404"));
  const std::string method = gateway.Get("/v1/completions");
  CHECK(method.starts_with("HTTP/1.1 405"));
  CHECK(Holds(method, "allow: POST, OPTIONS\r\n"));
  CHECK(a.requests + b.requests == 0);
}

TEST_CASE("a request that names no model goes to the only one") {
  FakeNode a("a", "model-a");
  const RunningGateway gateway({a.Row()});
  REQUIRE(gateway.Lists("model-a"));
  CHECK(Holds(gateway.Post("{}", "Connection: close\r\n", "/infill"), "a got {}"));
}

TEST_CASE("a node that is gone: its share goes elsewhere, then 503; it is taken back when it returns") {
  FakeNode a("a", "m"), b("b", "m");
  const RunningGateway gateway({a.Row({"m"}), b.Row({"m"})});
  REQUIRE(Within(5, [&] {
    const std::string text = gateway.Get("/metrics");
    return Holds(text, "pintle_gateway_node_up{node=\"a\"} 1") && Holds(text, "pintle_gateway_node_up{node=\"b\"} 1");
  }));
  const uint16_t port = a.port();
  a.Stop();
  for (int i = 0; i < 20; ++i) {
    CHECK(Holds(gateway.Post(fmt::format(R"({{"model":"m","prompt":"{}"}})", i)), "x-node: b"));
  }
  b.Stop();
  const std::string none = gateway.Post(R"({"model":"m"})");
  CHECK(none.starts_with("HTTP/1.1 503"));
  CHECK(Holds(none, "retry-after: 1\r\n"));
  CHECK(Within(5, [&] { return gateway.Get("/ready").starts_with("HTTP/1.1 503"); }));
  CHECK(gateway.Get("/health").starts_with("HTTP/1.1 200"));
  FakeNode again("a", "m", port);
  CHECK(Within(5, [&] { return Holds(gateway.Post(R"({"model":"m"})"), "x-node: a"); }));
}

TEST_CASE("a busy node's request is tried elsewhere; one that a node lost is not") {
  FakeNode a("a", "m"), b("b", "m");
  const RunningGateway gateway({a.Row({"m"}), b.Row({"m"})});
  const auto both_up = [&] {
    const std::string text = gateway.Get("/metrics");
    return Holds(text, "{node=\"a\"} 1\n") && Holds(text, "node_up{node=\"b\"} 1");
  };
  REQUIRE(Within(5, both_up));
  CHECK(gateway.Post(R"({"model":"m","busy":1})").starts_with("HTTP/1.1 429"));
  CHECK(a.requests == 1);
  CHECK(b.requests == 1);
  GatewayConfig config;
  config.retries = 0;
  const RunningGateway single({a.Row({"m"}), b.Row({"m"})}, config);
  REQUIRE(single.Lists("m"));
  CHECK(Holds(single.Post(R"({"model":"m","busy":1})"), "queue_full"));  // the node's own words
  CHECK(a.requests + b.requests == 3);
  const std::string lost = gateway.Post(R"({"model":"m","drop":1})");
  CHECK(Holds(lost, "HTTP/1.1 "));
  CHECK_FALSE(Holds(lost, "0\r\n\r\n"));
  CHECK(a.requests + b.requests == 4);
}

TEST_CASE("a model that the table names, but its node does not list, is there in both listings") {
  FakeNode a("a", "m");
  const RunningGateway gateway({a.Row({"an/other"})});
  REQUIRE(gateway.Lists("an/other"));
  for (const char* path : {"/v1/models/an/other", "/v1/models/an%2Fother"}) {
    CHECK(Holds(gateway.Get(path), R"({"id":"an/other","object":"model","created":0,"owned_by":"a"})"));
  }
}

TEST_CASE("figures of nodes: those of one model, by its escaped name, or all") {
  FakeNode a("a", "m n+"), b("b", "m n+"), c("c", "other");
  const RunningGateway gateway({a.Row(), b.Row(), c.Row()});
  REQUIRE(gateway.Lists("m n+"));
  REQUIRE(gateway.Lists("other"));
  REQUIRE(Within(5, [&] { return Holds(gateway.Get("/metrics?nodes=all"), R"(asked{node="c",of="c"} 1)"); }));
  const std::string both = "\r\n\r\n# TYPE asked gauge\nasked{node=\"a\",of=\"a\"} 1\nasked{node=\"b\",of=\"b\"} 1\n";
  REQUIRE(Within(5, [&] { return gateway.Get("/metrics?model=m%20n%2B").ends_with(both); }));
  CHECK(gateway.Get("/metrics?x=1&model=m+n%2b").ends_with(both));
  CHECK(gateway.Get("/metrics?model=other").ends_with("gauge\nasked{node=\"c\",of=\"c\"} 1\n"));
  CHECK(Holds(gateway.Get("/metrics?model=m"), "model_not_found"));
  CHECK(Holds(gateway.Get("/metrics"), "\nprocess_resident_memory_bytes "));
  CHECK_FALSE(Holds(gateway.Get("/metrics"), "asked"));
}

TEST_CASE("streams pass at once; a client that leaves cancels at the node") {
  FakeNode a("a", "m");
  const RunningGateway gateway({a.Row()});
  REQUIRE(gateway.Lists("m"));
  TestClient client(gateway.port());
  client.Say(RunningGateway::Request(R"({"model":"m","stream":true})"));
  CHECK(Holds(client.HearUntil("data: 1\n\n"), "text/event-stream"));
  CHECK(a.cancelled == 0);
  client.Close();
  CHECK(Within(5, [&] { return a.cancelled == 1; }));
  TestClient waiting(gateway.port());
  waiting.Say(RunningGateway::Request(R"({"model":"m","slow":true})"));
  CHECK(Within(5, [&] { return a.requests == 2; }));
  waiting.Close();
  CHECK(Within(5, [&] { return a.cancelled == 2; }));
}

TEST_CASE("a node that ends: 503 before the first byte, an error event in a begun stream") {
  auto a = std::make_unique<FakeNode>("a", "m");
  const RunningGateway gateway({a->Row({"m"})});
  REQUIRE(gateway.Lists("m"));
  TestClient streaming(gateway.port()), waiting(gateway.port());
  streaming.Say(RunningGateway::Request(R"({"model":"m","stream":true})"));
  CHECK(Holds(streaming.HearUntil("data: 1\n\n"), "200 OK"));
  waiting.Say(RunningGateway::Request(R"({"model":"m","slow":true})"));
  CHECK(Within(5, [&] { return a->requests == 2; }));
  a.reset();
  const std::string rest = streaming.HearUntil("0\r\n\r\n");
  CHECK(Holds(rest, "data: {\"error\":"));
  CHECK(Holds(rest, "\"code\":\"node_lost\""));
  CHECK(rest.ends_with("0\r\n\r\n"));
  const std::string lost = waiting.HearUntil("}}\n");
  CHECK(lost.starts_with("HTTP/1.1 503"));
  CHECK(Holds(lost, "retry-after: 1"));
}

TEST_CASE("a node that is silent costs 504") {
  FakeNode a("a", "m");
  GatewayConfig config;
  config.first_byte_seconds = 0.2;
  config.idle_seconds = 0.2;
  const RunningGateway gateway({a.Row()}, config);
  REQUIRE(gateway.Lists("m"));
  CHECK(gateway.Post(R"({"model":"m","slow":1})").starts_with("HTTP/1.1 504"));
  const std::string stream = gateway.Post(R"({"model":"m","stream":1})");
  CHECK(Holds(stream, "\"code\":\"node_timeout\""));
}

TEST_CASE("figures are counted") {
  FakeNode a("a", "m");
  const RunningGateway gateway({a.Row()});
  REQUIRE(gateway.Lists("m"));
  CHECK(Holds(gateway.Post(R"({"model":"m"})"), "a got"));
  const std::string text = gateway.Get("/metrics");
  CHECK(Holds(text, R"(pintle_gateway_requests_total{route="/v1/completions",model="m",status="200"} 1)"));
  CHECK(Holds(text, R"(pintle_gateway_first_byte_seconds_count{route="/v1/completions",model="m"} 1)"));
  CHECK(Holds(text, R"(pintle_gateway_in_flight{node="a"} 0)"));
}

}  // namespace
TEST_CASE("free ports are all different") {
  const auto ports = FreeLoopbackPorts(64);
  REQUIRE(ports.ok());
  CHECK(std::set<uint16_t>(ports->begin(), ports->end()).size() == 64);
}

}  // namespace pintle
