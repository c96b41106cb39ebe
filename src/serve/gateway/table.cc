#include "serve/gateway/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "base/config.h"
#include "base/file.h"
#include "base/toml_library.h"
#include "serve/http/text.h"

namespace pintle {
namespace {

// "http://host:port" or "http://[::1]:port".
Status SplitUrl(GatewayNode& node) {
  constexpr std::string_view kScheme = "http://";
  const Error bad = ConfigError(fmt::format("url '{}' is not of the form http://HOST:PORT", node.url));
  std::string_view rest = node.url;
  if (!rest.starts_with(kScheme)) return bad;
  rest.remove_prefix(kScheme.size());
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad;
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view port = rest.substr(colon + 1);
  uint16_t number = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (code != std::errc() || end != port.data() + port.size() || number == 0) return bad;
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '_';
  });
  if (host.empty() || !plain) return bad;
  node.host = host;
  node.port = port;
  node.authority = rest;
  if (node.name.empty()) node.name = rest;
  return {};
}

}  // namespace

Status FinishGatewayNode(GatewayNode& node) {
  PINTLE_RETURN_IF_ERROR(SplitUrl(node));
  if (node.key_file.empty()) return {};
  PINTLE_ASSIGN(const std::string text, ReadFile(node.key_file, 1 << 16));
  node.key = Trimmed(std::string_view(text).substr(0, text.find_first_of("\r\n")));
  if (node.key.empty()) return ConfigError("there is no key in the file's first line", node.key_file);
  return {};
}

Result<GatewayConfig> ParseGatewayConfig(std::string_view text, const std::string& where) {
  GatewayConfig config;
  const auto settings = [&](ConfigVisitor& v) {
    v.Section("gateway");
    v.String("default_model", config.default_model, {}, "for requests that name no model");
    v.Double("health_seconds", config.health_seconds, 0.05, 3600, "between two looks at a ready node");
    v.Double("connect_seconds", config.connect_seconds, 0.01, 600, "to reach a node");
    v.Double("first_byte_seconds", config.first_byte_seconds, 0.01, 86400, "from request to the answer's first byte");
    v.Double("idle_seconds", config.idle_seconds, 0.01, 86400, "between two pieces of an answer");
    v.Int("retries", config.retries, 0, 10, "further attempts, only while no node has begun");
    v.Int("sticky_slack", config.sticky_slack, 0, 1000, "requests more that the preferred node may have in work");
  };
  PINTLE_RETURN_IF_ERROR(LoadConfig(text, where, settings, {"node"}));
  const toml::parse_result parsed = toml::parse(text, where);
  const auto* nodes = parsed.table().get_as<toml::array>("node");
  if (nodes == nullptr || nodes->empty()) return ConfigError("no [[node]] is listed", where);
  std::set<std::string> names;
  for (const auto& entry : *nodes) {
    const std::string place = fmt::format("{}:{}", where, entry.source().begin.line);
    const auto* table = entry.as_table();
    if (table == nullptr) return ConfigError("[[node]] must be a table", place);
    GatewayNode node;
    std::ostringstream one;
    one << *table;
    Status status = LoadConfig(one.str(), place, [&](ConfigVisitor& v) {
      v.String("name", node.name, {}, "in logs and metrics");
      v.String("url", node.url, {}, "http://HOST:PORT");
      v.Strings("models", node.models, "names it serves; none: what it lists");
      v.String("key_file", node.key_file, {}, "the node's API key");
    });
    if (status.ok()) status = FinishGatewayNode(node);
    if (status.ok() && !names.insert(node.name).second) {
      status = ConfigError(fmt::format("the name '{}' stands twice", node.name));
    }
    if (!status.ok()) {
      Error error = status.error();
      error.where = place;  // the line of the node in the real file
      return error;
    }
    config.nodes.push_back(std::move(node));
  }
  return config;
}

Result<GatewayConfig> LoadGatewayConfig(const std::string& path) {
  PINTLE_ASSIGN(const std::string text, ReadFile(path, 1 << 20));
  return ParseGatewayConfig(text, path);
}

}  // namespace pintle
