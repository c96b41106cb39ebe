// The options that every server verb has: where to listen, who may ask.
#pragma once

#include <cstdint>

#include "cli/command.h"
#include "serve/http/server.h"

namespace pintle {

/// Where the options of one verb land.
struct ServerArguments {
  HttpServerOptions http;
  int64_t port = 8080;
  bool no_access_log = false;
};

/// Adds --port, --address, --api-keys, --host, --origin, --tls-certificate, --tls-key, --drain,
/// --behind-gateway and --no-access-log.
void AddServerOptions(Command& verb, ServerArguments& arguments);
/// The options as the server takes them, with signals handled. A usage error for an impossible port.
Result<HttpServerOptions> FinishServerOptions(const ServerArguments& arguments, const std::string& name);
/// "http://127.0.0.1:8080" on stdout, at once.
void PrintAddress(const HttpServerOptions& options, uint16_t port);

}  // namespace pintle
