// Who may ask: Host against DNS rebinding, Origin and CORS against foreign web pages, API keys. Pure decisions over the
// fields of a request; no sockets.
//
// A page on any site can make the reader's browser send requests to loopback. Two things tell them apart: the browser
// names the page's origin in Origin, and a name that an attacker points to 127.0.0.1 still stands in Host.
// It deliberately sends no credentials headers and knows no cookies. Source: Fetch standard (CORS protocol), RFC 9110.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/http/request_reader.h"
#include "serve/http/server.h"

namespace pintle {

/// The keys of a server: only their hashes are kept.
class ApiKeys {
 public:
  /// One key a line, 16 to 256 visible characters; empty lines and lines that begin with # are passed over.
  static Result<ApiKeys> Parse(std::string_view text, const std::string& where);
  /// The number of the key (from 1), 0 if it is none of them. Takes the same time for every key of a length.
  [[nodiscard]] size_t Find(std::string_view key) const;
  [[nodiscard]] bool empty() const { return hashes_.empty(); }

 private:
  std::vector<std::array<uint8_t, 32>> hashes_;
};

/// True for 127.0.0.0/8, ::1, localhost and names below it.
bool IsLoopbackName(std::string_view host);
/// "example.org:8080" -> "example.org", "[::1]:80" -> "::1"; lower case.
std::string HostWithoutPort(std::string_view host);

/// The rules of one server.
class AccessPolicy {
 public:
  /// Reads the key file. An error if it cannot be read, or if the address is no loopback and there are no keys.
  static Result<AccessPolicy> Create(const HttpServerOptions& options);

  /// What an admitted request's answer depends on.
  struct Admission {
    std::optional<HttpRefusal> refusal;   ///< set: answer this
    std::string client;                   ///< whose requests are counted together: key or address, or whom it names
    std::vector<HttpHeader> cors_fields;  ///< go into every answer to this request, refusals too
  };
  /// Judges a request by its header alone (the body may not be there yet).
  [[nodiscard]] Admission Check(const HttpRequest& request) const;

 private:
  [[nodiscard]] std::string ClientOf(const HttpRequest& request, std::string sender) const;
  [[nodiscard]] bool HostAllowed(std::string_view host) const;
  [[nodiscard]] bool OriginAllowed(std::string_view origin, std::string_view host) const;

  bool loopback_ = true, behind_gateway_ = false;
  std::vector<std::string> hosts_, origins_, open_paths_;
  ApiKeys keys_;
};

}  // namespace pintle
