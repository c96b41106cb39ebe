// The gateway's configuration: which node serves which models, and how patient the gateway is. Read from TOML
// (configs/gateway.toml), read again on SIGHUP.
//
// It deliberately knows nothing of a node's state; that is state.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One server of models, from a [[node]] table.
struct GatewayNode {
  std::string name;                        ///< in logs and metrics; default: host:port
  std::string url;                         ///< http://HOST:PORT
  std::vector<std::string> models;         ///< names it serves; empty: what its /v1/models lists
  std::string key_file;                    ///< the node's API key, first line; "" = none
  std::string authority, host, port, key;  ///< of the url and the key file; filled by FinishGatewayNode
};

/// Everything in the file. Times in seconds.
struct GatewayConfig {
  std::string default_model;        ///< for requests that name none (editors' /infill); "" = the only model there is
  double health_seconds = 2;        ///< between two looks at a ready node
  double connect_seconds = 2;       ///< to reach a node; then the next one, at last 503
  double first_byte_seconds = 600;  ///< from the request to the answer's first byte; then 504
  double idle_seconds = 120;        ///< between two pieces of an answer
  int64_t retries = 2;              ///< further attempts, only while no node has begun
  int64_t sticky_slack = 4;         ///< requests that the preferred node may have more than the least loaded one
  std::vector<GatewayNode> nodes;
};

/// Fills the fields that follow from url and key_file.
Status FinishGatewayNode(GatewayNode& node);
/// A config error, with the line, for unknown keys, bad addresses and names that stand twice.
Result<GatewayConfig> ParseGatewayConfig(std::string_view text, const std::string& where);
Result<GatewayConfig> LoadGatewayConfig(const std::string& path);

}  // namespace pintle
