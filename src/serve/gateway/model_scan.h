// Finds the model's name in a request's body without building a tree: one pass over the JSON, no recursion, no copies
// of strings but the name. The node behind parses the same bytes again and judges what they mean.
//
// Where it stands: gateway.cc asks it which model a body is for. It is strict about grammar and about repeated keys: a
// body that gateway and node could read differently must not pass. It deliberately looks at the top level alone.
// Source: RFC 8259.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// What routing needs of a body.
struct ScannedRequest {
  std::string model;         ///< of the key "model"; empty if there is none
  uint64_t prefix_hash = 0;  ///< of the beginning of "messages", "prompt" or "input_prefix"; 0 if there is none
};

/// Bytes of a prompt that decide where it goes: requests that share them share a node, and so its prefix cache.
inline constexpr size_t kStickyBytes = 512;

/// A validation error if the body is no JSON object, is nested deeper than 64, repeats a key of the top level or has
/// more than 256 of them, or if "model" is no string of at most 256 bytes. `where` of the error is "model" for the
/// last.
Result<ScannedRequest> ScanRequest(std::string_view body);

}  // namespace pintle
