// An open-loop load generator for HTTP servers on loopback: requests leave by the clock, whether or not earlier ones
// have been answered, and each is timed from the moment it was due. A server that stalls cannot hide it by slowing the
// clients.
//
// Where it stands: `pintle bench gateway`. It deliberately knows just enough of HTTP for answers with a Content-Length.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace pintle {

/// What is asked, how often.
struct LoadOptions {
  uint16_t port = 0;    ///< on 127.0.0.1
  std::string request;  ///< the bytes of one request, keep-alive
  int64_t connections = 64;
  double rate = 500;  ///< requests a second over all connections; 0: as many as the server answers
  double seconds = 5;
};

/// What came of it. Latency in milliseconds from the moment a request was due to the last byte of its answer.
struct LoadResult {
  double p50_ms = 0, p99_ms = 0, requests_per_second = 0;
  int64_t answered = 0, failed = 0;  ///< failed: another status than 200, or a connection that ended
};

/// Runs on the calling thread. An error if it cannot connect.
Result<LoadResult> RunLoad(const LoadOptions& options);

/// How much later than it left each event of many streams arrived, in milliseconds.
struct StreamResult {
  double p50_ms = 0, p99_ms = 0;
  int64_t events = 0;
};

/// Asks once on each connection and listens for `seconds`; `rate` does not matter. Events are "data: SECONDS" with the
/// time at which they left (MonotonicSeconds: the origin runs on this machine). An error if a stream ends before.
Result<StreamResult> RunStreams(const LoadOptions& options);

}  // namespace pintle
