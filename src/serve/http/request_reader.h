// Bytes of a connection -> one HTTP request, or the reason why it is refused. No sockets, so that it can be fuzzed.
// A thin face over Beast's parser (limits, framing), with the checks that Beast leaves out: a transfer coding other
// than chunked, several Host fields, a target that is no path.
//
// Where it stands: connection.cc feeds it; access.h then judges who asks. It deliberately decodes nothing: path and
// query stay the bytes of the wire. Source: RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/server.h"

namespace pintle {

/// Why a request is not served: becomes the answer, after which the connection closes.
struct HttpRefusal {
  int status = 400;
  std::string message;
  std::string code;                 ///< machine-readable, may be empty
  std::vector<HttpHeader> headers;  ///< further fields of the answer
};

/// Reads one request. Not reusable; bytes left over belong to the next one.
class RequestReader {
 public:
  /// Where the reading stands. kHeader comes once, between the fields and the body (also of an empty one).
  enum class State { kMore, kHeader, kDone, kRefused };

  RequestReader(int64_t header_limit, int64_t body_limit);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Takes as many of `bytes` as it can use and says how many in `used`. kMore: call again when more bytes are there,
  /// with the unused ones in front. kHeader: method, path and fields are in request(); call again to read the body.
  State Feed(std::string_view bytes, size_t& used);

  /// The request as far as it is read; complete after kDone.
  HttpRequest& request();
  /// Valid after kRefused.
  [[nodiscard]] const HttpRefusal& refusal() const;
  /// Valid from kHeader on.
  [[nodiscard]] bool is_head() const;
  [[nodiscard]] bool is_http_1_0() const;
  [[nodiscard]] bool keep_alive() const;
  /// The client waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool expects_continue() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace pintle
