// The figures of several nodes as one text: what Prometheus would make of them if it asked each node itself.
//
// Where it stands: gateway.cc answers GET /metrics?model=NAME and /metrics?nodes=all with it. Nobody outside knows the
// addresses of the nodes of `pintle up`, so the gateway asks on their behalf. It adds up nothing: that is for who
// reads. Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pintle {

/// Every sample of every node with a label node="NAME" before its own; families in the order in which they are met
/// first, each with its comments once. `texts`: (name of the node, its metrics). Lines that are no samples are left
/// out.
std::string JoinMetrics(const std::vector<std::pair<std::string, std::string>>& texts);

}  // namespace pintle
