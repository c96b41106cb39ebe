// The server over real sockets on loopback: what a client sees, also a hostile one.
#include "serve/http/server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "serve/http/test_client.h"

namespace pintle {
namespace {

// A server with the routes that the tests need, on a thread of its own.
class Running {
 public:
  explicit Running(HttpServerOptions options = {}) {
    options.access_log = false;
    auto created = HttpServer::Create(std::move(options), [this](const HttpRequest& request, auto response) {
      Handle(request, std::move(response));
    });
    REQUIRE(created.ok());
    server_ = *std::move(created);
    thread_ = std::thread([this] { CHECK(server_->Run().ok()); });
  }
  ~Running() { Stop(0); }
  void Stop(double seconds) {
    if (!thread_.joinable()) return;
    server_->Stop(seconds);
    thread_.join();
    for (std::thread& worker : workers_) worker.join();
    kept_.reset();
  }
  // The server goes, what it was asked stays.
  std::shared_ptr<HttpResponse> StopAndKeep() {
    std::shared_ptr<HttpResponse> kept = kept_;
    Stop(0);
    server_.reset();
    return kept;
  }
  uint16_t port() const { return server_->port(); }

  std::atomic<int> cancelled{0}, refused_writes{0};

 private:
  void Handle(const HttpRequest& request, std::shared_ptr<HttpResponse> response) {
    if (request.path == "/echo") {
      response->Send(200, {{"content-type", "text/plain"}}, request.method + " " + request.body);
    } else if (request.path == "/drop") {
      // Lets go of the response without an answer.
    } else if (request.path == "/keep") {
      response->OnCancel([this] { ++cancelled; });
      kept_ = std::move(response);
    } else if (request.path == "/inject") {
      response->Send(200, {{"x-bad", "a\r\nx-injected: 1"}}, "ok");
    } else if (request.path == "/events") {
      workers_.emplace_back([response = std::move(response)] {
        response->Begin(200, {{"content-type", "text/event-stream"}});
        for (int i = 0; i < 3; ++i) response->Write("data: " + std::to_string(i) + "\n\n");
        response->End();
      });
    } else if (request.path == "/outlived") {
      // Another thread answers while this one still holds the response, and lets it go last.
      std::thread([response] { response->Send(200, {}, "sent before"); }).join();
    } else if (request.path == "/flood") {
      workers_.emplace_back([this, response = std::move(response)] {
        response->Begin(200, {});
        for (int i = 0; i < 1000; ++i) {
          if (!response->Write(std::string(100'000, 'x'))) {
            ++refused_writes;
            return;
          }
        }
      });
    } else {
      SendHttpError(*response, 404, "no such \"page\"", "not_found", "path");
    }
  }

  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::vector<std::thread> workers_;
  std::shared_ptr<HttpResponse> kept_;
};

std::string Get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}
std::string Post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
bool Holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
void WaitFor(const std::atomic<int>& value, int wanted, double seconds) {
  const double deadline = MonotonicSeconds() + seconds;
  while (value < wanted && MonotonicSeconds() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

TEST_CASE("requests on one connection are answered in their order, also when they come at once") {
  Running running;
  TestClient client(running.port());
  client.Say(Post("/echo", "one") + Get("/events") + Post("/echo", "two"));
  CHECK(Holds(client.HearUntil("POST one"), "HTTP/1.1 200 OK"));
  const std::string events = client.HearUntil("0\r\n\r\n");
  CHECK(Holds(events, "transfer-encoding: chunked"));
  CHECK(Holds(events, "9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
  CHECK(Holds(client.HearUntil("POST two"), "content-length: 8"));
}

TEST_CASE("an answer sent by another thread counts, though the server's thread lets go of it last") {
  Running server;
  TestClient client(server.port());
  client.Say(Get("/outlived", "Connection: close\r\n"));
  CHECK(Holds(client.HearUntil("sent before"), "200 OK"));
}

TEST_CASE("errors have one shape") {
  Running running;
  TestClient client(running.port());
  client.Say(Get("/nowhere"));
  CHECK(Holds(
      client.HearUntil("}}\n"),
      R"({"error":{"message":"no such \"page\"","type":"invalid_request_error","param":"path","code":"not_found"}})"));
  client.Say(Get("/drop"));
  CHECK(Holds(client.HearAll(), "500 Internal Server Error"));
  TestClient wrong(running.port());
  wrong.Say("NONSENSE\r\n\r\n");
  CHECK(Holds(wrong.HearAll(), "400 Bad Request"));
}

TEST_CASE("HEAD has the length and no body, OPTIONS is answered for every path") {
  Running running;
  TestClient client(running.port());
  client.Say("HEAD /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = client.HearUntil("\r\n\r\n");
  CHECK(Holds(head, "content-length: 4"));
  client.Say("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.HearUntil("\r\n\r\n").starts_with("HTTP/1.1 204"));
  client.Say(
      "OPTIONS /v1/x HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  const std::string preflight = client.HearUntil("\r\n\r\n");
  CHECK(preflight.starts_with("HTTP/1.1 204"));
  CHECK(Holds(preflight, "access-control-allow-origin: http://localhost:3000"));
}

TEST_CASE("a request id is taken over if it is sane, and no value breaks out of its line") {
  Running running;
  TestClient client(running.port());
  client.Say(Get("/echo", "X-Request-Id: abc-1.2_3\r\n"));
  CHECK(Holds(client.HearUntil("GET "), "x-request-id: abc-1.2_3\r\n"));
  client.Say(Get("/echo", "X-Request-Id: a b\r\n"));
  CHECK(Holds(client.HearUntil("GET "), "x-request-id: req_"));
  client.Say(Get("/inject"));
  CHECK_FALSE(Holds(client.HearUntil("ok"), "injected"));
}

TEST_CASE("old clients get their answer without chunks, and then the end") {
  Running running;
  TestClient client(running.port());
  client.Say("GET /events HTTP/1.0\r\n\r\n");
  const std::string answer = client.HearAll();
  CHECK(client.closed());
  CHECK(Holds(answer, "\r\n\r\ndata: 0\n\ndata: 1\n\ndata: 2\n\n"));
}

TEST_CASE("a body over the limit is refused before it is read, and the client can read why") {
  HttpServerOptions options;
  options.body_limit = 1000;
  Running running(options);
  TestClient client(running.port());
  client.Say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x'));
  const std::string answer = client.HearAll();
  CHECK(answer.starts_with("HTTP/1.1 413"));
  CHECK(Holds(answer, "larger than 1000 bytes"));
  TestClient asking(running.port());
  asking.Say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(asking.HearUntil("\r\n\r\n").starts_with("HTTP/1.1 100"));
  asking.Say("body");
  CHECK(Holds(asking.HearUntil("POST body"), "200 OK"));
}

TEST_CASE("slow clients lose their connection, others do not notice") {
  HttpServerOptions options;
  options.header_seconds = 0.3;
  options.idle_seconds = 0.3;
  options.body_seconds = 0.3;
  Running running(options);
  TestClient idle(running.port()), loris(running.port()), body(running.port());
  loris.Say("GET /echo HTTP/1.1\r\nHost: loc");
  body.Say("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  const double start = MonotonicSeconds();
  CHECK(idle.HearAll().empty());
  CHECK(idle.closed());
  CHECK(loris.HearAll().starts_with("HTTP/1.1 408"));
  CHECK(body.HearAll().starts_with("HTTP/1.1 408"));
  CHECK(MonotonicSeconds() - start < 3);
  TestClient other(running.port());
  other.Say(Get("/echo"));
  CHECK(Holds(other.HearUntil("GET "), "200 OK"));
}

TEST_CASE("a client that leaves cancels its request") {
  Running running;
  TestClient client(running.port());
  client.Say(Get("/keep"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(running.cancelled == 0);
  const double start = MonotonicSeconds();
  client.Close();
  WaitFor(running.cancelled, 1, 5);
  CHECK(running.cancelled == 1);
  CHECK(MonotonicSeconds() - start < 0.1 * 10);  // the machine may be busy
}

TEST_CASE("a reader that does not read holds a bounded amount") {
  HttpServerOptions options;
  options.write_buffer = 500'000;
  Running running(options);
  TestClient client(running.port());
  client.Say(Get("/flood"));
  WaitFor(running.refused_writes, 1, 10);
  CHECK(running.refused_writes == 1);
}

TEST_CASE("one client's requests in work are limited") {
  HttpServerOptions options;
  options.client_concurrency = 1;
  Running running(options);
  TestClient first(running.port()), second(running.port());
  first.Say(Get("/keep"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  second.Say(Get("/echo"));
  const std::string answer = second.HearAll();
  CHECK(answer.starts_with("HTTP/1.1 429"));
  CHECK(Holds(answer, "retry-after: 1"));
  first.Close();
  WaitFor(running.cancelled, 1, 5);
  TestClient third(running.port());
  third.Say(Get("/echo"));
  CHECK(Holds(third.HearUntil("GET "), "200 OK"));
}

TEST_CASE("stopping lets a request in work end, and waits for it no longer than told") {
  Running ending;
  TestClient idle(ending.port()), client(ending.port());
  client.Say(Get("/events"));
  CHECK(Holds(client.HearUntil("0\r\n\r\n"), "data: 2"));
  ending.Stop(10);
  CHECK(idle.HearAll().empty());

  Running stuck;
  TestClient kept(stuck.port());
  kept.Say(Get("/keep"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double start = MonotonicSeconds();
  stuck.Stop(0.2);
  CHECK(MonotonicSeconds() - start < 3);
  CHECK(stuck.cancelled == 1);
}

TEST_CASE("an answer that outlives its server is cancelled, and asks nobody") {
  Running server;
  TestClient client(server.port());
  client.Say("GET /keep HTTP/1.1\r\nHost: localhost\r\n\r\nGET /echo");
  TestClient other(server.port());
  other.Say("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(other.HearUntil("GET ").find("200") != std::string::npos);
  const auto kept = server.StopAndKeep();
  REQUIRE(kept != nullptr);
  bool cancelled = false;
  kept->OnCancel([&] { cancelled = true; });
  kept->Send(200, {}, "late");
  CHECK(cancelled);
}

TEST_CASE("a request that is refused in the middle of its body does not count for ever") {
  HttpServerOptions options;
  options.client_concurrency = 2;
  const Running running(options);
  for (int i = 0; i < 3; ++i) {
    TestClient enemy(running.port());
    enemy.Say("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    enemy.Say("no size\r\n");
    CHECK(Holds(enemy.HearAll(), "HTTP/1.1 400"));
  }
  TestClient client(running.port());
  client.Say(Post("/echo", "well"));
  CHECK(Holds(client.HearUntil("well"), "HTTP/1.1 200 OK"));
}

TEST_CASE("a port in use is said plainly") {
  Running running;
  HttpServerOptions options;
  options.port = running.port();
  const auto second = HttpServer::Create(options, [](const HttpRequest&, const std::shared_ptr<HttpResponse>&) {});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().what == "the port is in use by another program");
  CHECK(Holds(second.error().hint, "--port"));
}

}  // namespace
}  // namespace pintle
