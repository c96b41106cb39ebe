// A small HTTP client for verbs that ask a running stack to do something. It waits for the answer.
//
// It deliberately follows no redirect and keeps no connection. Source: libcurl's documentation.
#pragma once

#include <string>

#include "base/result.h"

namespace pintle {

/// What is asked. `url` is the server's, "http://127.0.0.1:8080", with or without a slash at its end.
struct ServerCall {
  std::string url, path, body;
  std::string api_key;  ///< "" = none
};

/// POSTs JSON and returns the body of the answer, however long that takes (Ctrl-C ends it). A server that cannot be
/// reached and an answer that is an error are runtime errors, the latter with the server's own words.
Result<std::string> PostJson(const ServerCall& call);

}  // namespace pintle
