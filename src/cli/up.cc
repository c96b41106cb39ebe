// `pintle up`: the whole stack with one command: the gateway, and a supervised node for each model that ships with the
// program or is named by --model, and one for speech.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/log.h"
#include "catalogue/pull.h"
#include "cli/data_files.h"
#include "cli/server_options.h"
#include "cli/verbs.h"
#include "serve/gateway/gateway.h"
#include "serve/speech/speech_request.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct Options {
  ServerArguments server;
  std::vector<std::string> models;
  bool no_shipped = false, no_speech = false;
};

struct Model {
  std::string path, name;
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

Result<std::vector<Model>> ChooseModels(const Options& options) {
  std::vector<Model> models;
  if (!options.no_shipped) {
    PINTLE_ASSIGN(models, ShippedModels());
  }
  for (const std::string& text : options.models) {
    const Model model = ParseModel(text);
    std::error_code code;
    if (!fs::exists(model.path, code)) return UsageError("there is no such model", model.path);
    const bool twice = std::any_of(models.begin(), models.end(), [&](const Model& m) { return m.name == model.name; });
    if (twice) return UsageError(fmt::format("the name '{}' stands twice", model.name), "", "give --model PATH=NAME");
    models.push_back(model);
  }
  if (models.empty() && options.no_speech)
    return UsageError("there is no model to serve", "", "give --model FILE.gguf");
  return models;
}

// A node of ours, and the child that is to serve there.
Status AddNode(GatewayOptions& gateway, uint16_t port, const std::string& name, std::vector<std::string> models,
               std::vector<std::string> verb) {
  GatewayNode node;
  node.name = name;
  node.url = fmt::format("http://127.0.0.1:{}", port);
  node.models = std::move(models);
  PINTLE_RETURN_IF_ERROR(FinishGatewayNode(node));
  gateway.table.nodes.push_back(std::move(node));
  std::error_code code;
  verb.insert(verb.begin(), fs::read_symlink("/proc/self/exe", code).string());
  verb.insert(verb.end(), {"--port", std::to_string(port)});
  gateway.children.push_back({name, std::move(verb)});
  return {};
}

Status Serve(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const std::vector<Model> models, ChooseModels(options));
  GatewayOptions gateway_options;
  PINTLE_ASSIGN(gateway_options.http, FinishServerOptions(options.server, "gateway"));
  if (!models.empty()) gateway_options.table.default_model = models[0].name;
  PullOptions pull;
  pull.hub = HubFromEnvironment();
  gateway_options.catalogue = std::make_shared<PullJobs>(ShippedCatalogue(), ModelStore::OfUser(), pull);
  PINTLE_ASSIGN(const std::vector<uint16_t> ports, FreeLoopbackPorts(models.size() + 1));
  for (size_t i = 0; i < models.size(); ++i) {
    const Model& model = models[i];
    std::vector<std::string> verb = {"llm-node", "--model", model.path + "=" + model.name};
    if (global.threads > 0) verb.insert(verb.end(), {"--threads", std::to_string(global.threads)});
    PINTLE_RETURN_IF_ERROR(AddNode(gateway_options, ports[i], model.name, {model.name}, std::move(verb)));
    LogInfo("up", fmt::format("model {}: {}", model.name, model.path));
  }
  if (!options.no_speech) {
    std::vector<std::string> names(std::begin(kSpeechModels), std::end(kSpeechModels));
    PINTLE_RETURN_IF_ERROR(AddNode(gateway_options, ports.back(), "speech", std::move(names), {"tts-node"}));
  }
  if (global.dry_run) return {};
  const HttpServerOptions http = gateway_options.http;
  PINTLE_ASSIGN(const std::unique_ptr<Gateway> gateway, Gateway::Create(std::move(gateway_options)));
  PrintAddress(http, gateway->port());
  return gateway->Run();
}

}  // namespace

void RegisterUp(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("up", "serve the shipped models and yours at one address (OpenAI's API)");
  verb.Option("--model", options->models,
              "a .gguf file or model folder, PATH or PATH=NAME; may be given several times");
  verb.Flag("--no-shipped", options->no_shipped, "only the models of --model");
  verb.Flag("--no-speech", options->no_speech, "no node for speech");
  AddServerOptions(verb, options->server);
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
