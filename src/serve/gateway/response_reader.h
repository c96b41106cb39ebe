// A node's answer, read from bytes that come in pieces of any size: its head, then its body with the transfer coding
// taken off. The other side of http/request_reader.h; no sockets.
//
// Where it stands: upstream.h feeds it. It deliberately bounds the head alone: a body is passed on piece by piece.
// Source: RFC 9112 (HTTP/1.1), section 6 for where a body ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serve/http/server.h"

namespace pintle {

/// What a node answered, without its body.
struct ResponseHead {
  int status = 0;
  std::vector<HttpHeader> headers;
  int64_t content_length = -1;  ///< -1: not said
};

/// One answer. What is used of `inbox` is erased from its front.
class ResponseReader {
 public:
  ResponseReader();
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  /// True: `head` is whole. False: more bytes are needed, or this is no answer (invalid()).
  bool TakeHead(std::string& inbox, ResponseHead& head);
  /// After the head: appends what `inbox` has of the body to `piece`. False: this is no answer.
  bool TakeBody(std::string& inbox, std::string& piece);
  /// The connection has ended. True: so has the body, as it should.
  bool TakeEnd();

  [[nodiscard]] bool done() const;  ///< the body is complete
  [[nodiscard]] bool invalid() const { return invalid_; }
  /// The connection may carry another answer after this one.
  [[nodiscard]] bool keep_alive() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  bool invalid_ = false;
};

}  // namespace pintle
