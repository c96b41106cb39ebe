// `pintle gateway`: one address in front of the nodes that a table names.
#include "serve/gateway/gateway.h"

#include <fmt/format.h>

#include "base/log.h"
#include "cli/server_options.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

Status Serve(const ServerArguments& arguments, const Global& global) {
  if (global.config.empty()) {
    return UsageError("a table of nodes is needed", "", "give --config FILE; configs/gateway.toml is an example");
  }
  GatewayOptions options;
  PINTLE_ASSIGN(options.http, FinishServerOptions(arguments, "gateway"));
  PINTLE_ASSIGN(options.table, LoadGatewayConfig(global.config));
  options.reload = [path = global.config] { return LoadGatewayConfig(path); };
  LogInfo("gateway", fmt::format("{} nodes", options.table.nodes.size()));
  if (global.dry_run) return {};
  const HttpServerOptions http = options.http;
  PINTLE_ASSIGN(const std::unique_ptr<Gateway> gateway, Gateway::Create(std::move(options)));
  PrintAddress(http, gateway->port());
  return gateway->Run();
}

}  // namespace

void RegisterGateway(Command& pintle) {
  auto arguments = std::make_shared<ServerArguments>();
  Command& verb = pintle.Add("gateway", "one address in front of many nodes (--config: their table)");
  AddServerOptions(verb, *arguments);
  verb.Run([arguments](const Global& global) { return Serve(*arguments, global); });
}

}  // namespace pintle
