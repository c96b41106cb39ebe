// `pintle up`: the whole stack with one command: the gateway, and a supervised node for each model that ships with the
// program or is named by --model, one for all models of `pintle models` that are here or come while it runs, one for
// speech and one for puzzles; with --single all of them in this process.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/log.h"
#include "catalogue/pull.h"
#include "cli/data_files.h"
#include "cli/model_argument.h"
#include "cli/puzzle_solver.h"
#include "cli/server_options.h"
#include "cli/verbs.h"
#include "serve/gateway/gateway.h"
#include "serve/speech/speech_request.h"
#include "serve/stack/local_node.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct Options {
  ServerArguments server;
  std::vector<std::string> models;
  bool no_shipped = false, no_pulled = false, no_speech = false, no_puzzles = false, single = false;
};

struct Model {
  std::string path, name;
  bool pulled = false;  // it lies where `pintle pull` puts models
};

// The language models among the shipped ones: those that have a tokenizer. The largest comes first: who names no model
// gets that.
Result<std::vector<Model>> ShippedModels() {
  PINTLE_ASSIGN(const fs::path folder, FindDataFile("models"));
  std::vector<Model> models;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (!fs::exists(entry.path() / "tokenizer.json", code)) continue;
    models.push_back({entry.path().string(), entry.path().filename().string()});
  }
  const auto bytes = [&](const Model& model) { return fs::file_size(model.path + "/model.safetensors", code); };
  std::sort(models.begin(), models.end(),
            [&](const Model& a, const Model& b) { return std::pair(bytes(b), a.name) < std::pair(bytes(a), b.name); });
  return models;
}

// PATH or PATH=NAME; the name is otherwise the file's without its ending.
Model ParseModel(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals != std::string::npos && text.find('/', equals) == std::string::npos) {
    return {text.substr(0, equals), text.substr(equals + 1)};
  }
  const fs::path path = fs::path(text).lexically_normal();
  const fs::path last = path.has_filename() ? path.filename() : path.parent_path().filename();
  return {text, last.extension() == ".gguf" ? last.stem().string() : last.string()};
}

std::vector<std::string> SpeechModels() { return {std::begin(kSpeechModels), std::end(kSpeechModels)}; }

Result<std::vector<Model>> ChooseModels(const Options& options) {
  std::vector<Model> models;
  if (!options.no_shipped) {
    PINTLE_ASSIGN(models, ShippedModels());
  }
  for (const std::string& text : options.models) {
    Model model = ParseModel(text);
    PINTLE_ASSIGN(model.path, ModelPath(model.path));
    std::error_code code;
    if (!fs::exists(model.path, code)) return UsageError("there is no such model", model.path);
    const bool twice = std::any_of(models.begin(), models.end(), [&](const Model& m) { return m.name == model.name; });
    model.pulled = !options.no_pulled && fs::path(model.path).parent_path() == ModelStore::OfUser().folder();
    if (twice) return UsageError(fmt::format("the name '{}' stands twice", model.name), "", "give --model PATH=NAME");
    models.push_back(model);
  }
  if (models.empty() && options.no_pulled && options.no_speech) {
    return UsageError("there is no model to serve", "", "give --model FILE.gguf");
  }
  return models;
}

// Pulled models are loaded when they are first asked for, and make room for each other: hence one node.
ShelfOptions PulledShelf(const std::vector<Model>& models) {
  ShelfOptions shelf;
  shelf.folder = ModelStore::OfUser().folder().string();
  shelf.memory_limit = UsableMemory();
  for (const Model& model : models) {
    if (!model.pulled) shelf.taken.push_back(model.name);
  }
  return shelf;
}

// What stands behind the gateway: child processes, or nodes of this one.
struct Stack {
  GatewayOptions gateway;
  std::vector<std::unique_ptr<LocalNode>> local;

  Status AddRow(const std::string& name, uint16_t port, std::vector<std::string> models) {
    GatewayNode node;
    node.name = name;
    node.url = fmt::format("http://127.0.0.1:{}", port);
    node.models = std::move(models);
    PINTLE_RETURN_IF_ERROR(FinishGatewayNode(node));
    gateway.table.nodes.push_back(std::move(node));
    return {};
  }
};

std::vector<std::string> Names(const std::vector<std::string>& folders) {
  std::vector<std::string> names;
  names.reserve(folders.size());
  for (const std::string& folder : folders) names.push_back(fs::path(folder).filename().string());
  return names;
}

// The nodes as child processes.
Status AddChildren(const Options& options, const std::vector<Model>& models, int threads, Stack& stack) {
  PINTLE_ASSIGN(std::vector<uint16_t> ports, FreeLoopbackPorts(models.size() + 3));
  std::error_code code;
  const std::string self = fs::read_symlink("/proc/self/exe", code).string();
  // `serves`: names, or none for what the node lists.
  const auto add = [&](const std::string& name, std::vector<std::string> verb, std::vector<std::string> serves) {
    verb.insert(verb.begin(), self);
    verb.insert(verb.end(), {"--behind-gateway", "--port", std::to_string(ports.back())});
    if (threads > 0 && verb[1] == "llm-node") verb.insert(verb.end(), {"--threads", std::to_string(threads)});
    stack.gateway.children.push_back({name, std::move(verb)});
    const Status added = stack.AddRow(name, ports.back(), std::move(serves));
    ports.pop_back();
    return added;
  };
  std::vector<std::string> pulled = {"llm-node"};
  for (const Model& model : models) {
    const std::string spec = model.path + "=" + model.name;
    if (model.pulled) {
      pulled.insert(pulled.end(), {"--model", spec});
    } else {
      PINTLE_RETURN_IF_ERROR(add(model.name, {"llm-node", "--model", spec}, {model.name}));
    }
  }
  if (!options.no_pulled) {
    const ShelfOptions shelf = PulledShelf(models);
    pulled.insert(pulled.end(), {"--folder", shelf.folder, "--memory", std::to_string(shelf.memory_limit)});
    for (const std::string& name : shelf.taken) pulled.insert(pulled.end(), {"--taken", name});
    PINTLE_RETURN_IF_ERROR(add("pulled", std::move(pulled), {}));
  }
  if (!options.no_speech) PINTLE_RETURN_IF_ERROR(add("speech", {"tts-node"}, SpeechModels()));
  if (options.no_puzzles) return {};
  PINTLE_ASSIGN(const std::vector<std::string> folders, ShippedPuzzleModels());
  return add("puzzles", {"trm-node"}, Names(folders));
}

// The same nodes in this process.
Status AddLocal(const Options& options, const std::vector<Model>& models, int threads, Stack& stack) {
  ShelfOptions shelf;
  shelf.threads = threads;
  std::vector<ModelSpec> pulled;
  for (const Model& model : models) {
    if (model.pulled) {
      pulled.push_back({model.path, model.name});
      continue;
    }
    PINTLE_ASSIGN(auto node, LocalNode::ServeModels({{model.path, model.name}}, shelf));
    PINTLE_RETURN_IF_ERROR(stack.AddRow(model.name, node->port(), {model.name}));
    stack.local.push_back(std::move(node));
  }
  if (!options.no_pulled) {
    shelf = PulledShelf(models);
    shelf.threads = threads;
    PINTLE_ASSIGN(auto node, LocalNode::ServeModels(pulled, shelf));
    PINTLE_RETURN_IF_ERROR(stack.AddRow("pulled", node->port(), {}));
    stack.local.push_back(std::move(node));
  }
  if (!options.no_speech) {
    PINTLE_ASSIGN(auto node, LocalNode::ServeSpeech());
    PINTLE_RETURN_IF_ERROR(stack.AddRow("speech", node->port(), SpeechModels()));
    stack.local.push_back(std::move(node));
  }
  if (options.no_puzzles) return {};
  PINTLE_ASSIGN(const std::vector<std::string> folders, ShippedPuzzleModels());
  PINTLE_ASSIGN(auto solvers, LoadPuzzleSolvers(folders, threads));
  PINTLE_ASSIGN(auto node, LocalNode::ServePuzzles(std::move(solvers)));
  PINTLE_RETURN_IF_ERROR(stack.AddRow("puzzles", node->port(), Names(folders)));
  stack.local.push_back(std::move(node));
  return {};
}

Status Serve(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const std::vector<Model> models, ChooseModels(options));
  Stack stack;
  PINTLE_ASSIGN(stack.gateway.http, FinishServerOptions(options.server, "gateway"));
  if (!options.no_pulled) {
    PullOptions pull;
    pull.hub = HubFromEnvironment();
    stack.gateway.catalogue = std::make_shared<PullJobs>(ShippedCatalogue(), ModelStore::OfUser(), pull);
  }
  if (!models.empty()) stack.gateway.table.default_model = models[0].name;
  for (const Model& model : models) LogInfo("up", fmt::format("model {}: {}", model.name, model.path));
  if (global.dry_run) return {};
  PINTLE_RETURN_IF_ERROR((options.single ? AddLocal : AddChildren)(options, models, global.threads, stack));
  const HttpServerOptions http = stack.gateway.http;
  PINTLE_ASSIGN(const std::unique_ptr<Gateway> gateway, Gateway::Create(std::move(stack.gateway)));
  PrintAddress(http, gateway->port());
  return gateway->Run();
}

}  // namespace

void RegisterUp(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("up", "serve the shipped models and yours at one address (OpenAI's API)");
  verb.Option("--model", options->models,
              "a .gguf file, a model folder or a name of `pintle models`, X or X=NAME; may be given several times");
  verb.Flag("--no-shipped", options->no_shipped, "none of the models that ship with the program");
  verb.Flag("--no-pulled", options->no_pulled, "no models of `pintle models`: none served, none fetched for the page");
  verb.Flag("--no-speech", options->no_speech, "no node for speech");
  verb.Flag("--no-puzzles", options->no_puzzles, "no node for puzzles");
  verb.Flag("--single", options->single, "everything in one process (default: one for each node)");
  AddServerOptions(verb, options->server);
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
