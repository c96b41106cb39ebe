// The state of nodes: what they serve, whether they are ready, their idle connections, their figures.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <set>

#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "serve/gateway/node_metrics.h"
#include "serve/gateway/state.h"

namespace pintle {
namespace {

constexpr double kIdleSeconds = 4;        // below the keep-alive time of every server known to us (the least: 5 s)
constexpr size_t kIdleConnections = 128;  // of one node
constexpr double kDownSeconds = 0.2;      // between two looks at a node that is not ready
constexpr double kLookSeconds = 2;        // for one look
constexpr int kTimeoutsAllowed = 3;       // a node under load may be late now and then
constexpr size_t kListingBytes = 1 << 20;

// A whole small answer; status 0: none came.
struct Reply {
  int status = 0;
  bool timed_out = false;
  std::string body;
};

asio::awaitable<Reply> Fetch(GatewayState& state, Node& node, const std::string& path) {
  Reply reply;
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.request_id = request.client = "health";
  auto upstream = node.TakeIdle();
  const bool fresh = upstream == nullptr;
  if (fresh) upstream = std::make_shared<Upstream>(state.io, state.scratch);
  upstream->Limit(kLookSeconds);
  ResponseHead head;
  if ((!fresh || co_await upstream->Connect(node.config)) &&
      co_await upstream->Send(UpstreamRequestHead(node.config, request), {}) && co_await upstream->ReadHead(head)) {
    std::string piece;
    while (true) {
      const bool intact = co_await upstream->ReadBody(piece);
      if (intact && piece.empty()) {
        reply.status = head.status;
        if (upstream->reusable()) node.GiveBack(upstream);
        co_return reply;
      }
      reply.body += piece;
      if (!intact || reply.body.size() > kListingBytes) break;
    }
  }
  reply.timed_out = upstream->timed_out();
  upstream->Close();
  co_return reply;
}

// {"data": [{"id": ...}, ...]} as a map; entries without an id are passed over.
std::map<std::string, std::string> ParseListing(const std::string& body, const std::string& where) {
  std::map<std::string, std::string> listed;
  const auto parsed = ParseJson(body, where);
  const auto* object = parsed.ok() ? parsed->if_object() : nullptr;
  const auto* data = object != nullptr ? object->if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) return listed;
  for (const auto& entry : data->get_array()) {
    const auto id = JsonString(entry, "id", where);
    if (id.ok()) listed.emplace(*id, DumpJson(entry));
  }
  return listed;
}

asio::awaitable<void> Look(GatewayState& state, Node& node) {
  const Reply ready = co_await Fetch(state, node, "/ready");
  bool is_ready = ready.status == 200;
  // Other servers have no /ready; that they list their models is enough.
  if (is_ready || ready.status == 404) {
    const Reply listing = co_await Fetch(state, node, "/v1/models");
    if (listing.status == 200) {
      node.listed = ParseListing(listing.body, node.config.name);
      node.seen = is_ready = true;
    }
  }
  node.failures = ready.timed_out ? node.failures + 1 : 0;
  if (ready.timed_out && node.ready && node.failures < kTimeoutsAllowed) co_return;
  if (is_ready != node.ready)
    LogInfo("gateway", "node " + node.config.name + (is_ready ? " is ready" : " is not ready"));
  node.ready = is_ready;
}

}  // namespace

std::vector<std::string> Node::Models() const {
  if (!config.models.empty()) return config.models;
  std::vector<std::string> names;
  names.reserve(listed.size());
  for (const auto& [name, entry] : listed) names.push_back(name);
  return names;
}

bool Node::Serves(const std::string& model) const {
  if (config.models.empty()) return listed.contains(model);
  return std::find(config.models.begin(), config.models.end(), model) != config.models.end();
}

std::shared_ptr<Upstream> Node::TakeIdle() {
  const double now = MonotonicSeconds();
  while (!idle.empty()) {
    std::shared_ptr<Upstream> upstream = std::move(idle.back());
    idle.pop_back();
    if (now - upstream->idle_since < kIdleSeconds && upstream->StillOpen()) return upstream;
  }
  return nullptr;
}

void Node::GiveBack(std::shared_ptr<Upstream> upstream) {
  if (removed || idle.size() >= kIdleConnections) return;
  upstream->Limit(kIdleSeconds);
  upstream->idle_since = MonotonicSeconds();
  idle.push_back(std::move(upstream));
}

void Node::MarkDown() {
  if (ready) LogWarning("gateway", "node " + config.name + " cannot be reached");
  ready = false;
  idle.clear();
  LookAgain();
}

std::vector<std::string> GatewayState::Models() const {
  std::set<std::string> names;
  for (const auto& node : nodes) {
    for (const std::string& name : node->Models()) names.insert(name);
  }
  return {names.begin(), names.end()};
}

bool GatewayState::Serves(const std::string& model) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return node->Serves(model); });
}

std::string GatewayState::DefaultModel() const {
  if (!config.default_model.empty()) return config.default_model;
  const std::vector<std::string> names = Models();
  return names.size() == 1 ? names[0] : "";
}

asio::awaitable<void> SendNodeMetrics(GatewayState& state, std::vector<std::shared_ptr<Node>> nodes,
                                      std::shared_ptr<HttpResponse> response) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& node : nodes) {
    Reply reply = co_await Fetch(state, *node, "/metrics");
    if (reply.status == 200) texts.emplace_back(node->config.name, std::move(reply.body));
  }
  if (texts.empty()) {
    SendHttpError(*response, 503, "no node gives its figures now", "node_unavailable", {}, {{"retry-after", "1"}});
    co_return;
  }
  response->Send(200, {{"content-type", "text/plain; version=0.0.4"}}, JoinMetrics(texts));
}

asio::awaitable<void> WatchNode(GatewayState& state, std::shared_ptr<Node> node) {
  while (!node->removed) {
    co_await Look(state, *node);
    const double seconds =
        node->ready ? state.config.health_seconds : std::min(kDownSeconds, state.config.health_seconds);
    node->wait.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds)));
    co_await node->wait.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace pintle
