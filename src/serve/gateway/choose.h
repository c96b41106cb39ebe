// Which node a request goes to, and when another may be tried: pure decisions.
//
// Where it stands: forward.cc asks per attempt. Rendezvous hashing (Thaler and Ravishankar 1998) sends requests with
// the same beginning to the same node, where that beginning is cached already, and moves as few of them as possible
// when nodes come and go; load overrules it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pintle {

/// What the choice sees of a node that serves the model.
struct NodeLoad {
  std::string name;
  bool ready = false;     ///< answers its health checks
  bool tried = false;     ///< this request was there already
  int64_t in_flight = 0;  ///< requests in work there, of this gateway
};

/// The index of the node, or nothing if none is ready and untried. The preferred node of `prefix_hash`, unless it has
/// over `slack` more requests in work than the least loaded one. Without a prefix (0) the least loaded.
std::optional<size_t> ChooseNode(std::span<const NodeLoad> nodes, uint64_t prefix_hash, int64_t slack);

/// How one attempt at a node ended.
enum class Outcome {
  kAnswered,    ///< the answer is with the client, whatever its status
  kNotBegun,    ///< not reached, or the request did not get there whole: the node cannot have begun
  kBusy,        ///< the node itself said that it did not begin (429, 503)
  kLost,        ///< the node had the whole request, and closed without an answer
  kTimeout,     ///< no first byte in time
  kInvalid,     ///< the answer is no HTTP
  kClientLeft,  ///< nobody waits any more
};

/// A request is tried elsewhere only if no node can have begun it: one that brings a node down must not bring down the
/// next, and one that is paid for must not run twice.
constexpr bool MayRetry(Outcome outcome) { return outcome == Outcome::kNotBegun || outcome == Outcome::kBusy; }

}  // namespace pintle
