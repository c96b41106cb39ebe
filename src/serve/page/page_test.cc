#include "serve/page/page.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "serve/page/page_files.h"

namespace pintle {
namespace {

struct Answer final : HttpResponse {
  void Send(int code, std::vector<HttpHeader> fields, std::string bytes) override {
    status = code;
    headers = std::move(fields);
    body = std::move(bytes);
  }
  void Begin(int, std::vector<HttpHeader>) override {}
  bool Write(std::string) override { return false; }
  void End() override {}
  void Abort() override {}
  void OnCancel(std::function<void()>) override {}
  std::string Field(std::string_view name) const {
    const std::string* value = FindHeader(headers, name);
    return value == nullptr ? "" : *value;
  }

  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;
};

HttpRequest Get(std::string path, std::vector<HttpHeader> headers = {}) {
  HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

std::string FirstAsset() {
  const auto paths = PagePaths();
  const auto found = std::find_if(paths.begin(), paths.end(), [](const auto& path) { return path.ends_with(".js"); });
  REQUIRE(found != paths.end());
  return *found;
}

TEST_CASE("the page's first file, with a policy that lets nothing else in") {
  Answer answer;
  CHECK(ServePage(Get("/"), answer));
  CHECK(answer.status == 200);
  CHECK(answer.Field("content-type") == "text/html; charset=utf-8");
  CHECK(answer.Field("cache-control") == "no-cache");
  CHECK(answer.Field("content-encoding").empty());
  CHECK(answer.body.starts_with("<!doctype html>"));
  CHECK(answer.body.find("http") == std::string::npos);  // nothing from elsewhere
  const std::string policy = answer.Field("content-security-policy");
  CHECK(policy.find("default-src 'none'") != std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
}

TEST_CASE("assets are kept for good, compressed for who takes it, and not sent twice") {
  const std::string path = FirstAsset();
  Answer plain, packed, again, other;
  CHECK(ServePage(Get(path), plain));
  CHECK(plain.Field("content-type") == "text/javascript; charset=utf-8");
  CHECK(plain.Field("cache-control").find("immutable") != std::string::npos);
  CHECK(ServePage(Get(path, {{"Accept-Encoding", "br, gzip;q=0.5"}}), packed));
  CHECK(packed.Field("content-encoding") == "gzip");
  CHECK(packed.body.starts_with("\x1f\x8b"));
  CHECK(packed.body.size() * 2 < plain.body.size());
  CHECK(packed.Field("etag") != plain.Field("etag"));
  CHECK(ServePage(Get(path, {{"accept-encoding", "gzip"}, {"if-none-match", packed.Field("etag")}}), again));
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  CHECK(ServePage(Get(path, {{"accept-encoding", "gzip;q=0"}, {"if-none-match", "\"other\""}}), other));
  CHECK(other.status == 200);
  CHECK(other.Field("content-encoding").empty());
}

TEST_CASE("other paths and methods") {
  Answer answer;
  for (const char* path :
       {"/v1/models", "/assets/", "/assets/../index.html", "/index.htm", "//", "/web/dist/index.html"}) {
    CHECK_FALSE(ServePage(Get(path), answer));
  }
  HttpRequest post = Get("/");
  post.method = "POST";
  CHECK(ServePage(post, answer));
  CHECK(answer.status == 405);
}

}  // namespace
}  // namespace pintle
