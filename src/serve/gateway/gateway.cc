#include "serve/gateway/gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/json.h"
#include "base/log.h"
#include "serve/gateway/catalogue_routes.h"
#include "serve/gateway/model_scan.h"
#include "serve/gateway/state.h"
#include "serve/gateway/supervisor.h"
#include "serve/http/server_core.h"
#include "serve/http/text.h"
#include "serve/page/page.h"

namespace pintle {
namespace {

using Response = std::shared_ptr<HttpResponse>;

// What the gateway does with a path.
enum class Action { kForward, kModels, kCatalogue, kPull, kHealth, kReady, kMetrics, kNotServed };

struct Route {
  std::string_view path, method;
  Action action;
  std::string_view model = {};  // whom a GET is passed to; empty: the default model's node
};
constexpr auto kRoutes = std::to_array<Route>({
    {"/v1/chat/completions", "POST", Action::kForward},
    {"/v1/completions", "POST", Action::kForward},
    {"/v1/audio/speech", "POST", Action::kForward},
    {"/v1/audio/voices", "GET", Action::kForward, "tts-1"},
    {"/v1/trm/solve", "POST", Action::kForward},
    {"/v1/models/load", "POST", Action::kForward},
    {"/v1/models/unload", "POST", Action::kForward},
    {"/infill", "POST", Action::kForward},
    {"/generate", "POST", Action::kForward},
    {"/completion", "POST", Action::kForward},
    {"/fim", "POST", Action::kForward},
    {"/status", "GET", Action::kForward},
    {"/v1/models", "GET", Action::kModels},
    {"/v1/catalogue", "GET", Action::kCatalogue},
    {"/v1/catalogue/pull", "POST", Action::kPull},
    {"/health", "GET", Action::kHealth},
    {"/ready", "GET", Action::kReady},
    {"/metrics", "GET", Action::kMetrics},
    {"/v1/embeddings", "", Action::kNotServed},
    {"/v1/responses", "", Action::kNotServed},
    {"/v1/messages", "", Action::kNotServed},
});

// How a node lists a model, or what can be said of one that it serves without listing it.
std::string EntryOf(const Node& node, const std::string& model) {
  const auto listed = node.listed.find(model);
  if (listed != node.listed.end()) return listed->second;
  return fmt::format(R"({{"id":{},"object":"model","created":0,"owned_by":{}}})", JsonQuote(model),
                     JsonQuote(node.config.name));
}

void SendJson(HttpResponse& response, int status, std::string body) {
  response.Send(status, {{"content-type", "application/json"}}, std::move(body));
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

class GatewayServer final : public Gateway {
 public:
  explicit GatewayServer(GatewayOptions options)
      : options_(std::move(options)),
        state_{io_, options_.table, {}, {}, std::vector<char>(64 << 10)},
        supervisor_(io_, options_.children) {
    DeclareMetrics();
    supervisor_.on_exit = [this](const std::string& name) {
      for (const auto& node : state_.nodes) {
        if (node->config.name == name) node->MarkDown();
      }
    };
  }

  Status Listen() {
    HttpServerOptions http = options_.http;
    http.on_hangup = [this] { Reload(); };
    for (const std::string& path : PagePaths()) http.open_paths.push_back(path);
    PINTLE_ASSIGN(server_, CreateHttpServer(io_, http, [this](HttpRequest request, const Response& response) {
                    Handle(std::move(request), response);
                  }));
    return {};
  }

  uint16_t port() const override { return server_->port(); }

  Status Run() override {
    ApplyTable(options_.table);
    PINTLE_RETURN_IF_ERROR(supervisor_.Start());
    const Status status = server_->Run();
    supervisor_.Stop();
    return status;
  }

  void Stop(double drain_seconds) override { server_->Stop(drain_seconds); }

 private:
  void DeclareMetrics();
  void ApplyTable(const GatewayConfig& table);
  void Reload();
  void Handle(HttpRequest request, const Response& response);
  void Perform(const Route& route, HttpRequest request, const Response& response);
  void Forward(const Route& route, HttpRequest request, const Response& response);
  void Catalogue(const Route& route, const HttpRequest& request, HttpResponse& response);
  void SendModels(HttpResponse& response);
  void SendModel(const std::string& name, HttpResponse& response);
  void Metrics(const HttpRequest& request, const Response& response);
  void SendMetrics(HttpResponse& response);
  void RefuseModel(const std::string& name, HttpResponse& response);

  asio::io_context io_{1};  // declared first: every socket ends before it
  GatewayOptions options_;
  GatewayState state_;
  Supervisor supervisor_;
  std::unique_ptr<HttpServer> server_;
};

void GatewayServer::DeclareMetrics() {
  MetricSet& metrics = state_.metrics;
  metrics.DeclareCounter("pintle_gateway_requests_total", "Requests passed to nodes, by route, model and status");
  metrics.DeclareCounter("pintle_gateway_retries_total", "Attempts after the first one, by model");
  metrics.DeclareHistogram("pintle_gateway_request_seconds", "From request to the end of its answer", LatencyBounds());
  metrics.DeclareHistogram("pintle_gateway_first_byte_seconds", "From request to the answer's first byte",
                           LatencyBounds());
  metrics.DeclareGauge("pintle_gateway_in_flight", "Requests in work at a node");
  metrics.DeclareGauge("pintle_gateway_node_up", "1 if the node answers its health checks");
}

// Nodes that stay as they are keep their state and connections.
void GatewayServer::ApplyTable(const GatewayConfig& table) {
  std::vector<std::shared_ptr<Node>> nodes;
  for (const GatewayNode& row : table.nodes) {
    const auto same = std::find_if(state_.nodes.begin(), state_.nodes.end(), [&](const auto& node) {
      return node->config.name == row.name && node->config.url == row.url && node->config.key == row.key;
    });
    if (same != state_.nodes.end()) {
      (*same)->config.models = row.models;
      nodes.push_back(*same);
      continue;
    }
    nodes.push_back(std::make_shared<Node>(io_, row));
    asio::co_spawn(io_, WatchNode(state_, nodes.back()), asio::detached);
  }
  for (const auto& node : state_.nodes) {
    if (std::find(nodes.begin(), nodes.end(), node) != nodes.end()) continue;
    node->removed = true;
    node->LookAgain();
    node->idle.clear();
  }
  state_.config = table;
  state_.nodes = std::move(nodes);
}

void GatewayServer::Reload() {
  if (!options_.reload) return;
  const Result<GatewayConfig> table = options_.reload();
  if (!table.ok()) {
    LogWarning("gateway", "the table stays as it was: " + table.error().Message());
    return;
  }
  ApplyTable(*table);
  LogInfo("gateway", fmt::format("read the table again: {} nodes", table->nodes.size()));
}

void GatewayServer::Handle(HttpRequest request, const Response& response) {
  if (ServePage(request, *response)) return;
  constexpr std::string_view kModelPrefix = "/v1/models/";
  if (request.path.starts_with(kModelPrefix) && request.method == "GET") {
    return SendModel(PercentDecoded(std::string_view(request.path).substr(kModelPrefix.size())), *response);
  }
  const auto* route =
      std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& each) { return each.path == request.path; });
  if (route == kRoutes.end()) {
    return SendHttpError(*response, 404, "there is nothing at this path; /v1/models lists the models", "not_found");
  }
  if (!route->method.empty() && route->method != request.method) {
    const std::string allow = route->method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
    return SendHttpError(*response, 405, fmt::format("this path is for {}", route->method), "method_not_allowed", {},
                         {{"allow", allow}});
  }
  Perform(*route, std::move(request), response);
}

void GatewayServer::Perform(const Route& route, HttpRequest request, const Response& response) {
  switch (route.action) {
    case Action::kForward:
      return Forward(route, std::move(request), response);
    case Action::kModels:
      return SendModels(*response);
    case Action::kCatalogue:
    case Action::kPull:
      return Catalogue(route, request, *response);
    case Action::kHealth:
      return SendJson(*response, 200, "{\"status\":\"ok\"}\n");
    case Action::kReady: {
      const bool ready =
          std::any_of(state_.nodes.begin(), state_.nodes.end(), [](const auto& node) { return node->ready; });
      if (ready) return SendJson(*response, 200, "{\"status\":\"ready\"}\n");
      return SendHttpError(*response, 503, "no node is ready", "not_ready", {}, {{"retry-after", "1"}});
    }
    case Action::kMetrics:
      return Metrics(request, response);
    case Action::kNotServed:
      return SendHttpError(*response, 404,
                           "this API is not served here; chat is at /v1/chat/completions, text at /v1/completions",
                           "not_served");
  }
}

void GatewayServer::Forward(const Route& route, HttpRequest request, const Response& response) {
  ScannedRequest scanned;
  scanned.model = route.model;
  if (request.method == "POST") {
    Result<ScannedRequest> result = ScanRequest(request.body);
    if (!result.ok()) {
      return SendHttpError(*response, 400, result.error().what, "invalid_body", result.error().where);
    }
    scanned = *std::move(result);
  }
  const std::string model = scanned.model.empty() ? state_.DefaultModel() : scanned.model;
  if (model.empty()) {
    return SendHttpError(*response, 400, "the request names no model; there are: " + Joined(state_.Models()),
                         "missing_model", "model");
  }
  if (!state_.Serves(model)) return RefuseModel(model, *response);
  StartForward(state_, std::move(request), response, model, scanned.prefix_hash);
}

void GatewayServer::RefuseModel(const std::string& name, HttpResponse& response) {
  // A node that never answered may serve it: that is not "unknown" yet.
  const bool unclear = std::any_of(state_.nodes.begin(), state_.nodes.end(),
                                   [](const auto& node) { return !node->seen && node->config.models.empty(); });
  if (unclear) {
    return SendHttpError(response, 503, "not every node has said yet what it serves", "node_unavailable", {},
                         {{"retry-after", "1"}});
  }
  SendHttpError(response, 404,
                fmt::format("the model '{}' does not exist; there are: {}", name, Joined(state_.Models())),
                "model_not_found", "model");
}

void GatewayServer::Catalogue(const Route& route, const HttpRequest& request, HttpResponse& response) {
  if (options_.catalogue == nullptr) {
    return SendHttpError(response, 404, "this gateway fetches no models", "not_served");
  }
  if (route.action == Action::kCatalogue) return SendCatalogue(*options_.catalogue, response);
  StartCataloguePull(*options_.catalogue, request, response);
}

// The entries of all ready nodes, each model once.
void GatewayServer::SendModels(HttpResponse& response) {
  std::map<std::string, std::string> entries;
  for (const auto& node : state_.nodes) {
    if (!node->ready) continue;
    for (const std::string& name : node->Models()) entries.emplace(name, EntryOf(*node, name));
  }
  std::string data;
  for (const auto& [name, entry] : entries) data += (data.empty() ? "" : ",") + entry;
  SendJson(response, 200, "{\"object\":\"list\",\"data\":[" + data + "]}\n");
}

void GatewayServer::SendModel(const std::string& name, HttpResponse& response) {
  for (const auto& node : state_.nodes) {
    if (node->ready && node->Serves(name)) return SendJson(response, 200, EntryOf(*node, name) + "\n");
  }
  RefuseModel(name, response);
}

// Its own; or with ?model=NAME those of the nodes that serve a model, with ?nodes=all those of all nodes.
void GatewayServer::Metrics(const HttpRequest& request, const Response& response) {
  const auto model = QueryValue(request.query, "model");
  if (!model && !QueryValue(request.query, "nodes")) return SendMetrics(*response);
  if (model && !state_.Serves(*model)) return RefuseModel(*model, *response);
  std::vector<std::shared_ptr<Node>> asked;
  for (const auto& node : state_.nodes) {
    if (node->ready && (!model || node->Serves(*model))) asked.push_back(node);
  }
  asio::co_spawn(io_, SendNodeMetrics(state_, std::move(asked), response), asio::detached);
}

void GatewayServer::SendMetrics(HttpResponse& response) {
  state_.metrics.Clear("pintle_gateway_in_flight");
  state_.metrics.Clear("pintle_gateway_node_up");
  for (const auto& node : state_.nodes) {
    const MetricLabels labels = {{"node", node->config.name}};
    state_.metrics.Set("pintle_gateway_in_flight", labels, static_cast<double>(node->in_flight));
    state_.metrics.Set("pintle_gateway_node_up", labels, node->ready ? 1 : 0);
  }
  response.Send(200, {{"content-type", "text/plain; version=0.0.4"}}, state_.metrics.Text() + ProcessMetricsText());
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::Create(GatewayOptions options) {
  auto gateway = std::make_unique<GatewayServer>(std::move(options));
  PINTLE_RETURN_IF_ERROR(gateway->Listen());
  return std::unique_ptr<Gateway>(std::move(gateway));
}

}  // namespace pintle
