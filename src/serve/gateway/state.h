// What the parts of a running gateway share: the table, the state of each node, the figures. Internal; includes Asio.
// All of it is used on the gateway's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serve/gateway/table.h"
#include "serve/gateway/upstream.h"
#include "serve/http/metric_set.h"

namespace pintle {

/// A node as the gateway sees it now.
struct Node {
  Node(asio::io_context& io, GatewayNode table_row) : config(std::move(table_row)), wait(io) {}

  GatewayNode config;
  bool ready = false;
  bool removed = false;                         ///< no longer in the table
  bool seen = false;                            ///< has been ready at least once: `listed` is known
  int64_t in_flight = 0;                        ///< requests in work there
  int failures = 0;                             ///< health checks in a row that got no answer in time
  std::map<std::string, std::string> listed;    ///< model name -> its entry in /v1/models, JSON
  std::vector<std::shared_ptr<Upstream>> idle;  ///< open connections, the last one used last
  asio::steady_timer wait;                      ///< until the next health check; cancelled to look at once

  [[nodiscard]] std::vector<std::string> Models() const;
  [[nodiscard]] bool Serves(const std::string& model) const;
  /// An open connection, or null.
  std::shared_ptr<Upstream> TakeIdle();
  void GiveBack(std::shared_ptr<Upstream> upstream);
  /// It could not be reached: no more requests until a health check says otherwise.
  void MarkDown();
  /// Something is odd: the next health check comes now.
  void LookAgain() { wait.cancel(); }
};

/// See the top of the file.
struct GatewayState {
  asio::io_context& io;
  GatewayConfig config;
  std::vector<std::shared_ptr<Node>> nodes;
  MetricSet metrics;
  std::vector<char> scratch;  ///< for one read between two suspensions

  /// Every model that some node is known to serve, sorted.
  [[nodiscard]] std::vector<std::string> Models() const;
  [[nodiscard]] bool Serves(const std::string& model) const;
  /// The model of a request that names none; empty if that is unclear.
  [[nodiscard]] std::string DefaultModel() const;
};

/// Looks at a node again and again until it is removed.
asio::awaitable<void> WatchNode(GatewayState& state, std::shared_ptr<Node> node);

/// Answers with the figures of these nodes (node_metrics.h); a node that gives none is left out, 503 if all are.
asio::awaitable<void> SendNodeMetrics(GatewayState& state, std::vector<std::shared_ptr<Node>> nodes,
                                      std::shared_ptr<HttpResponse> response);

/// Sends a request to a node that serves `model` and its answer back, as forward.cc describes.
void StartForward(GatewayState& state, HttpRequest request, std::shared_ptr<HttpResponse> response, std::string model,
                  uint64_t prefix_hash);

}  // namespace pintle
