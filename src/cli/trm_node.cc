// `pintle trm-node`: puzzles over HTTP.
#include "cli/puzzle_solver.h"
#include "cli/server_options.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

struct Options {
  std::vector<std::string> models;
  ServerArguments server;
};

Status Serve(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const HttpServerOptions http, FinishServerOptions(options.server, "trm-node"));
  std::vector<std::string> folders = options.models;
  if (folders.empty()) {
    PINTLE_ASSIGN(folders, ShippedPuzzleModels());
  }
  PINTLE_ASSIGN(std::vector<std::unique_ptr<PuzzleSolver>> solvers, LoadPuzzleSolvers(folders, global.threads));
  if (global.dry_run) return {};
  RaiseFileLimit();
  PuzzleNode node(std::move(solvers));
  PINTLE_ASSIGN(
      const std::unique_ptr<HttpServer> server,
      HttpServer::Create(http, [&node](const HttpRequest& request, const std::shared_ptr<HttpResponse>& response) {
        node.Handle(request, response);
      }));
  PrintAddress(http, server->port());
  return server->Run();
}

}  // namespace

void RegisterTrmNode(Command& pintle) {
  auto options = std::make_shared<Options>();
  options->server.port = 9002;
  Command& verb = pintle.Add("trm-node", "solve puzzles over HTTP (/v1/trm/solve)");
  verb.Option("--model", options->models, "a folder of `trm train`; may be given several times (default: the shipped)");
  AddServerOptions(verb, options->server);
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
