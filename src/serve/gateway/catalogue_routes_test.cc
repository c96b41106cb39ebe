#include "serve/gateway/catalogue_routes.h"

#include <doctest/doctest.h>

#include <chrono>

#include "base/file.h"
#include "base/log.h"

namespace pintle {
namespace {

class KeptResponse : public HttpResponse {
 public:
  void Send(int code, std::vector<HttpHeader>, std::string text) override {
    status = code;
    body = std::move(text);
  }
  void Begin(int, std::vector<HttpHeader>) override {}
  bool Write(std::string) override { return false; }
  void End() override {}
  void Abort() override {}
  void OnCancel(std::function<void()>) override {}

  int status = 0;
  std::string body;
};

}  // namespace

TEST_CASE("the catalogue over HTTP lists, starts known pulls, and takes nothing else") {
  SetLogLevel(LogLevel::kError);
  const TemporaryFolder folder;
  PullOptions options;
  options.hub.url = "http://127.0.0.1:1";  // nobody listens there
  options.backoff_seconds = 0.01;
  PullJobs jobs(ShippedCatalogue(), ModelStore(folder.path() / "models"), options);
  KeptResponse list;
  SendCatalogue(jobs, list);
  CHECK(list.status == 200);
  CHECK(list.body.starts_with(R"({"models":[{"id":"qwen3-0.6b","name":"Qwen3 0.6B","size_bytes":639446688,)"));

  const auto pull = [&](const std::string& body) {
    HttpRequest request;
    request.body = body;
    KeptResponse response;
    StartCataloguePull(jobs, request, response);
    return response.status;
  };
  CHECK(pull("") == 400);
  CHECK(pull("[]") == 400);
  CHECK(pull(R"({"id":3})") == 400);
  CHECK(pull(R"({"id":"qwen3-8b","url":"http://127.0.0.1/x.gguf"})") == 400);
  CHECK(pull(R"({"id":"http://127.0.0.1/x.gguf"})") == 404);
  CHECK(pull(R"({"id":"../x"})") == 404);
  CHECK(pull(R"({"id":"qwen3-8b"})") == 202);
  CHECK(pull(R"({"id":"qwen3-8b"})") == 202);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string problem;
  while (problem.empty() && std::chrono::steady_clock::now() < end) {
    problem = jobs.Rows()[1].problem;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(problem.find("download failed") != std::string::npos);
  SetLogLevel(LogLevel::kInfo);
}

}  // namespace pintle
