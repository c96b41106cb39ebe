// `pintle llm-node`: serve language models over HTTP, in the shapes of OpenAI's API.
#include "cli/gguf_verbs.h"
#include "cli/server_options.h"
#include "cli/verbs.h"
#include "serve/node/node.h"

namespace pintle {
namespace {

struct Options {
  std::vector<std::string> models;
  ServerArguments server;
  ShelfOptions shelf;
  std::string kv = "f32";
};

// PATH or PATH=NAME.
ModelSpec ParseSpec(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || text.find('/', equals) != std::string::npos) return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Status Serve(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const HttpServerOptions http, FinishServerOptions(options.server, "llm-node"));
  if (options.models.empty() && options.shelf.folder.empty()) {
    return UsageError("there is no model to serve", "", "give --model FILE.gguf or --folder FOLDER");
  }
  if (options.shelf.engine.queue < 0) return UsageError("--queue is 0 or more");
  std::vector<ModelSpec> specs;
  specs.reserve(options.models.size());
  for (const std::string& model : options.models) specs.push_back(ParseSpec(model));
  ShelfOptions shelf = options.shelf;
  shelf.threads = global.threads;
  PINTLE_ASSIGN(shelf.kv, ParseKvType(options.kv));
  RaiseFileLimit();
  PINTLE_ASSIGN(const std::unique_ptr<LlmNode> node, LlmNode::Create(specs, shelf));
  PINTLE_ASSIGN(const std::unique_ptr<HttpServer> server,
                HttpServer::Create(http, [&node](HttpRequest request, std::shared_ptr<HttpResponse> response) {
                  node->Handle(std::move(request), std::move(response));
                }));
  PrintAddress(http, server->port());
  return server->Run();
}

}  // namespace

void RegisterLlmNode(Command& pintle) {
  auto options = std::make_shared<Options>();
  options->server.port = 9000;
  Command& verb = pintle.Add("llm-node", "serve language models over HTTP (OpenAI's API)");
  verb.Option("--model", options->models,
              "a model folder or .gguf file, PATH or PATH=NAME; may be given several times");
  verb.Option(
      "--folder", options->shelf.folder,
      "models that lie in this folder, now or later, are served too; each is loaded when it is first asked for");
  verb.Option("--taken", options->shelf.taken,
              "a name that no model of the folder may have; may be given several times");
  verb.Option("--context", options->shelf.context, "positions of GGUF models at most; 0 = as their files say");
  verb.Option("--kv", options->kv, kKvHelp);
  verb.Option("--slots", options->shelf.engine.slots, "answers of a model under way at once");
  verb.Option("--queue", options->shelf.engine.queue, "answers of a model that may wait");
  verb.Option("--memory", options->shelf.memory_limit, "bytes that all models may take together; 0 = no limit");
  AddServerOptions(verb, options->server);
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
