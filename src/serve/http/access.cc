#include "serve/http/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "serve/http/text.h"

namespace pintle {
namespace {

constexpr size_t kShortestKey = 16, kLongestKey = 256;
constexpr size_t kClientName = 64;  // of what a gateway names

bool IsTokenList(std::string_view text) {
  return text.size() <= 1024 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == ',' || c == ' ';
         });
}

// "https://a.example:8080" -> "a.example:8080"; empty if it is no such origin ("null").
std::string_view AuthorityOf(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

HttpRefusal Forbidden(std::string message, std::string code) { return {403, std::move(message), std::move(code), {}}; }

}  // namespace

Result<ApiKeys> ApiKeys::Parse(std::string_view text, const std::string& where) {
  ApiKeys keys;
  size_t line_number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = Trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    const bool visible = std::all_of(line.begin(), line.end(), [](char c) { return c > ' ' && c < 127; });
    if (!visible || line.size() < kShortestKey || line.size() > kLongestKey) {
      return ConfigError(fmt::format("a key has {} to {} visible characters", kShortestKey, kLongestKey),
                         fmt::format("{}:{}", where, line_number), "make one with: openssl rand -hex 24");
    }
    keys.hashes_.push_back(Sha256Of(line));
  }
  if (keys.empty()) return ConfigError("there is no key in it", where, "make one with: openssl rand -hex 24");
  return keys;
}

size_t ApiKeys::Find(std::string_view key) const {
  if (key.size() > kLongestKey) return 0;
  const Sha256Digest hash = Sha256Of(key);
  size_t found = 0;
  for (size_t i = 0; i < hashes_.size(); ++i) {
    if (CRYPTO_memcmp(hash.data(), hashes_[i].data(), hash.size()) == 0) found = i + 1;
  }
  return found;
}

bool IsLoopbackName(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
  // 127.a.b.c: digits and dots alone, so that "127.0.0.1.example.org" is none.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::string HostWithoutPort(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string_view::npos ? std::string() : AsciiLowered(host.substr(1, end - 1));
  }
  return AsciiLowered(host.substr(0, host.find(':')));
}

Result<AccessPolicy> AccessPolicy::Create(const HttpServerOptions& options) {
  AccessPolicy policy;
  policy.loopback_ = IsLoopbackName(options.address);
  policy.behind_gateway_ = options.behind_gateway;
  for (const std::string& host : options.hosts) policy.hosts_.push_back(AsciiLowered(host));
  for (const std::string& origin : options.origins) policy.origins_.push_back(AsciiLowered(origin));
  policy.hosts_.push_back(AsciiLowered(options.address));
  policy.open_paths_ = options.open_paths;
  if (!options.api_keys_file.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.api_keys_file, 1 << 20));
    PINTLE_ASSIGN(policy.keys_, ApiKeys::Parse(text, options.api_keys_file));
  } else if (!policy.loopback_) {
    return ConfigError("others can reach this address, so it needs API keys", options.address,
                       "give --api-keys FILE (one key a line), or listen on 127.0.0.1");
  }
  return policy;
}

bool AccessPolicy::HostAllowed(std::string_view host) const {
  const std::string name = HostWithoutPort(host);
  if (IsLoopbackName(name) || std::find(hosts_.begin(), hosts_.end(), name) != hosts_.end()) return true;
  // Elsewhere the keys protect, and the operator may not know every name; a list of names is kept to if there is one.
  return !loopback_ && hosts_.size() == 1;
}

bool AccessPolicy::OriginAllowed(std::string_view origin, std::string_view host) const {
  const std::string lower = AsciiLowered(origin);
  if (std::find(origins_.begin(), origins_.end(), lower) != origins_.end()) return true;
  const std::string_view authority = AuthorityOf(lower);
  if (authority.empty()) return false;
  // A page of this very server (Host is checked already), or of another program on this machine.
  return authority == AsciiLowered(host) || (loopback_ && IsLoopbackName(HostWithoutPort(authority)));
}

std::string AccessPolicy::ClientOf(const HttpRequest& request, std::string sender) const {
  const std::string* named = behind_gateway_ ? request.Header("x-pintle-client") : nullptr;
  return named == nullptr ? sender : std::move(sender) + " for " + named->substr(0, kClientName);
}

AccessPolicy::Admission AccessPolicy::Check(const HttpRequest& request) const {
  Admission admission;
  admission.client = ClientOf(request, request.client);
  const std::string* host = request.Header("host");
  const std::string_view host_name = host == nullptr ? std::string_view() : std::string_view(*host);
  if (host != nullptr && !HostAllowed(host_name)) {
    admission.refusal = Forbidden("this server does not answer to that Host", "host_not_allowed");
    return admission;
  }
  if (const std::string* origin = request.Header("origin")) {
    if (!OriginAllowed(*origin, host_name)) {
      admission.refusal = Forbidden("pages of that origin may not use this server", "origin_not_allowed");
      return admission;
    }
    admission.cors_fields = {
        {"access-control-allow-origin", *origin}, {"access-control-expose-headers", "*"}, {"vary", "origin"}};
    if (request.method == "OPTIONS" && request.Header("access-control-request-method") != nullptr) {
      admission.cors_fields.push_back({"access-control-allow-methods", "GET, HEAD, POST, OPTIONS"});
      const std::string* wanted = request.Header("access-control-request-headers");
      const bool listed = wanted != nullptr && IsTokenList(*wanted);
      admission.cors_fields.push_back(
          {"access-control-allow-headers", listed ? *wanted : "authorization, content-type"});
      admission.cors_fields.push_back({"access-control-max-age", "600"});
      if (request.Header("access-control-request-private-network") != nullptr) {
        admission.cors_fields.push_back({"access-control-allow-private-network", "true"});
      }
      return admission;
    }
  }
  const bool open = std::find(open_paths_.begin(), open_paths_.end(), request.path) != open_paths_.end();
  if (keys_.empty() || open || request.method == "OPTIONS") return admission;
  const std::string* authorization = request.Header("authorization");
  std::string_view key = authorization == nullptr ? std::string_view() : std::string_view(*authorization);
  const bool bearer = key.size() > 7 && EqualIgnoringCase(key.substr(0, 7), "bearer ");
  const size_t number = bearer ? keys_.Find(Trimmed(key.substr(7))) : 0;
  if (number == 0) {
    admission.refusal = HttpRefusal{
        401,
        authorization == nullptr ? "an API key is needed: Authorization: Bearer KEY" : "that API key is not known here",
        "invalid_api_key",
        {{"www-authenticate", "Bearer"}}};
    return admission;
  }
  admission.client = ClientOf(request, fmt::format("key {}", number));
  return admission;
}

}  // namespace pintle
