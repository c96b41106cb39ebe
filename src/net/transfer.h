// One file over HTTP(S) by libcurl, once: redirects followed by hand, so that each hop's address is checked and a token
// stays with the host it was meant for. Outside of serve/ this is the only place that opens a connection.
//
// Where it stands: corpus/fetch (archives of a crawl) and catalogue/download (models) -> this -> libcurl.
// Deliberately not here: trying again, files, hashes; that is what the two callers differ in.
// Source: RFC 9110 (Range, If-Range, validators), the hub's resolve addresses for `linked_sha256`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// What is asked for, and what is allowed on the way.
struct TransferOptions {
  int64_t offset = 0;        ///< ask for the bytes from here on
  std::string validator;     ///< If-Range with `offset`: the part is sent only if the file is still this one
  std::string bearer;        ///< token for the address given; never sent to another host, port or scheme
  bool plain_http = false;   ///< http:// to any host; without, only to this machine's own addresses
  bool local_files = false;  ///< file:// addresses
  int64_t redirects = 5;     ///< hops at most; never from https to http, never to file://
  double connect_seconds = 15;
  double stall_seconds = 30;   ///< gives up when slower than 1 kB/s for this long
  std::function<bool()> stop;  ///< true ends the transfer; asked several times a second
};

/// What the server says before the first byte.
struct TransferHead {
  int64_t offset = 0;         ///< of the first byte that follows; 0: the whole file, whatever was asked for
  int64_t total = -1;         ///< bytes of the whole file; -1: it does not say
  std::string validator;      ///< a strong ETag, else Last-Modified, else ""
  std::string linked_sha256;  ///< the hash that a model hub states for the file it redirects to; else ""
};

/// Where it goes. An error of either ends the transfer and is its outcome.
struct TransferSink {
  std::function<Status(const TransferHead&)> begin;  ///< once, before the first byte; also for an empty file
  std::function<Status(std::string_view)> bytes;
};

/// How it ended.
struct TransferOutcome {
  Status status;
  bool retry = false;   ///< trying again can help
  int http_status = 0;  ///< the last server's; 0 if none answered
};

/// Fetches `url` on the calling thread. Any number of threads may do so at once.
TransferOutcome FetchOnce(const std::string& url, const TransferOptions& options, const TransferSink& sink);

/// True for http(s) addresses of this machine: localhost, 127.x, [::1].
bool IsLoopbackUrl(const std::string& url);

}  // namespace pintle
