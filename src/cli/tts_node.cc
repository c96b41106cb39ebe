// `pintle tts-node`: speech over HTTP, in the shapes of OpenAI's API.
#include "serve/speech/tts_node.h"

#include "cli/server_options.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

struct Options {
  ServerArguments server;
  int64_t queue = 16;
};

Status Serve(const Options& options, const Global& global) {
  if (options.queue < 1) return UsageError("a queue holds 1 or more", "--queue");
  PINTLE_ASSIGN(const HttpServerOptions http, FinishServerOptions(options.server, "tts-node"));
  if (global.dry_run) return {};
  RaiseFileLimit();
  TtsNode node(options.queue);
  PINTLE_ASSIGN(const std::unique_ptr<HttpServer> server,
                HttpServer::Create(http, [&node](HttpRequest request, std::shared_ptr<HttpResponse> response) {
                  node.Handle(std::move(request), std::move(response));
                }));
  PrintAddress(http, server->port());
  return server->Run();
}

}  // namespace

void RegisterTtsNode(Command& pintle) {
  auto options = std::make_shared<Options>();
  options->server.port = 9001;
  Command& verb = pintle.Add("tts-node", "serve speech over HTTP (OpenAI's API)");
  AddServerOptions(verb, options->server);
  verb.Option("--queue", options->queue, "recordings in work at once; more are answered 429");
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
