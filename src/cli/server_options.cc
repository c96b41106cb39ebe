#include "cli/server_options.h"

#include <fmt/format.h>

#include <cstdio>

namespace pintle {

void AddServerOptions(Command& verb, ServerArguments& arguments) {
  HttpServerOptions& http = arguments.http;
  verb.Option("--port", arguments.port, "0 = any free one; the address is printed");
  verb.Option("--address", http.address, "to listen on; other than loopback wants --api-keys");
  verb.Option("--api-keys", http.api_keys_file, "a file with one key a line");
  verb.Option("--host", http.hosts, "a further name that this server is called by; may be given several times");
  verb.Option("--origin", http.origins, "an origin that browsers may call from; may be given several times");
  verb.Option("--tls-certificate", http.tls_certificate, "a PEM file with the certificate chain: speak HTTPS");
  verb.Option("--tls-key", http.tls_key, "a PEM file with its key");
  verb.Option("--drain", http.drain_seconds, "seconds that answers under way may take after SIGTERM");
  verb.Flag("--behind-gateway", http.behind_gateway, "only gateways ask: requests count for their clients");
  verb.Flag("--no-access-log", arguments.no_access_log, "no line for each request");
}

Result<HttpServerOptions> FinishServerOptions(const ServerArguments& arguments, const std::string& name) {
  if (arguments.port < 0 || arguments.port > 65535) return UsageError("--port lies between 0 and 65535");
  if (arguments.http.tls_certificate.empty() != arguments.http.tls_key.empty()) {
    return UsageError("--tls-certificate and --tls-key come together");
  }
  HttpServerOptions http = arguments.http;
  http.name = name;
  http.port = static_cast<uint16_t>(arguments.port);
  http.access_log = !arguments.no_access_log;
  http.handle_signals = true;
  return http;
}

void PrintAddress(const HttpServerOptions& options, uint16_t port) {
  const bool v6 = options.address.find(':') != std::string::npos;
  fmt::print("{}://{}:{}\n", options.tls_certificate.empty() ? "http" : "https",
             v6 ? "[" + options.address + "]" : options.address, port);
  std::fflush(stdout);
}

}  // namespace pintle
