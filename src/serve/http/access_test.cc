#include "serve/http/access.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace pintle {
namespace {

HttpRequest Asking(std::vector<HttpHeader> headers, const std::string& method = "POST") {
  HttpRequest request;
  request.method = method;
  request.path = "/v1/chat/completions";
  request.client = "127.0.0.1";
  request.headers = std::move(headers);
  return request;
}

AccessPolicy PolicyOf(const HttpServerOptions& options) {
  auto policy = AccessPolicy::Create(options);
  REQUIRE(policy.ok());
  return *std::move(policy);
}

int StatusOf(const AccessPolicy& policy, const HttpRequest& request) {
  const auto admission = policy.Check(request);
  return admission.refusal ? admission.refusal->status : 200;
}

TEST_CASE("loopback answers to loopback names alone: a name that was pointed at it is refused") {
  const AccessPolicy policy = PolicyOf({});
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080",
                           "pintle.localhost:8080"}) {
    CHECK_MESSAGE(StatusOf(policy, Asking({{"Host", host}})) == 200, host);
  }
  for (const char* host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "",
                           "127.evil.a.b", "notlocalhost", "[::1", "192.168.1.2"}) {
    CHECK_MESSAGE(StatusOf(policy, Asking({{"Host", host}})) == 403, host);
  }
  HttpServerOptions named;
  named.hosts = {"Models.Example"};
  CHECK(StatusOf(PolicyOf(named), Asking({{"host", "models.example:8080"}})) == 200);
}

TEST_CASE("a request counts for whom a gateway names, where clients are gateways") {
  const HttpRequest request = Asking({{"Host", "localhost"}, {"X-Pintle-Client", "10.0.0.7" + std::string(100, 'x')}});
  CHECK(PolicyOf({}).Check(request).client == "127.0.0.1");
  HttpServerOptions options;
  options.behind_gateway = true;
  CHECK(PolicyOf(options).Check(request).client == "127.0.0.1 for 10.0.0.7" + std::string(56, 'x'));
  CHECK(PolicyOf(options).Check(Asking({{"Host", "localhost"}})).client == "127.0.0.1");
}

TEST_CASE("pages of foreign origins are refused, without CORS fields") {
  HttpServerOptions options;
  options.origins = {"https://app.example"};
  const AccessPolicy policy = PolicyOf(options);
  const auto with = [](const char* origin) { return Asking({{"Host", "localhost:8080"}, {"Origin", origin}}); };
  for (const char* origin :
       {"http://localhost:8080", "http://127.0.0.1:5173", "http://[::1]:3000", "https://app.example"}) {
    const auto admission = policy.Check(with(origin));
    CHECK_MESSAGE(!admission.refusal, origin);
    REQUIRE(FindHeader(admission.cors_fields, "access-control-allow-origin") != nullptr);
    CHECK(*FindHeader(admission.cors_fields, "access-control-allow-origin") == origin);
    CHECK(*FindHeader(admission.cors_fields, "vary") == "origin");
    CHECK(FindHeader(admission.cors_fields, "access-control-allow-credentials") == nullptr);
  }
  for (const char* origin : {"null", "https://evil.example", "http://app.example", "https://app.example.evil.example",
                             "http://localhost.evil.example", "file://", ""}) {
    const auto admission = policy.Check(with(origin));
    REQUIRE_MESSAGE(admission.refusal.has_value(), origin);
    CHECK(admission.refusal->status == 403);
    CHECK(admission.cors_fields.empty());
  }
}

TEST_CASE("a preflight names what the page asked for, and nothing that is no token") {
  const AccessPolicy policy = PolicyOf({});
  const auto ask = [&](const char* wanted) {
    return policy.Check(Asking({{"Host", "localhost"},
                                {"Origin", "http://localhost:3000"},
                                {"Access-Control-Request-Method", "POST"},
                                {"Access-Control-Request-Headers", wanted}},
                               "OPTIONS"));
  };
  CHECK(*FindHeader(ask("authorization,x-stainless-os").cors_fields, "access-control-allow-headers") ==
        "authorization,x-stainless-os");
  CHECK(*FindHeader(ask("a\"b").cors_fields, "access-control-allow-headers") == "authorization, content-type");
}

TEST_CASE("keys: several, from a file, needed elsewhere than on loopback") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "keys";
  REQUIRE(WriteFileAtomic(file, "# who\nkey-of-alice-0123456789\n\n  key-of-bob-0123456789\r\n").ok());
  HttpServerOptions options;
  options.address = "0.0.0.0";
  const auto without = AccessPolicy::Create(options);
  REQUIRE_FALSE(without.ok());
  CHECK(without.error().hint.find("--api-keys") != std::string::npos);
  options.api_keys_file = file.string();
  const AccessPolicy policy = PolicyOf(options);
  const auto with = [](const char* value) { return Asking({{"Host", "any.example"}, {"Authorization", value}}); };
  CHECK(StatusOf(policy, with("Bearer key-of-alice-0123456789")) == 200);
  CHECK(StatusOf(policy, with("bearer  key-of-bob-0123456789")) == 200);
  CHECK(policy.Check(with("Bearer key-of-bob-0123456789")).client == "key 2");
  for (const char* wrong : {"Bearer key-of-alice-012345678", "Bearer ", "Bearer", "Basic key-of-alice-0123456789", "",
                            "Bearer # who", "key-of-alice-0123456789"}) {
    CHECK_MESSAGE(StatusOf(policy, with(wrong)) == 401, wrong);
  }
  HttpRequest health = Asking({{"Host", "any.example"}}, "GET");
  CHECK(StatusOf(policy, health) == 401);
  health.path = "/health";
  CHECK(StatusOf(policy, health) == 200);

  CHECK_FALSE(ApiKeys::Parse("# none\n", "keys").ok());
  const auto shorter = ApiKeys::Parse("key-of-alice-0123456789\ntoo-short\n", "keys");
  REQUIRE_FALSE(shorter.ok());
  CHECK(shorter.error().where == "keys:2");
}

}  // namespace
}  // namespace pintle
