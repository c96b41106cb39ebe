// `pintle up`: the whole stack with one command: the gateway, and a supervised node for each model that ships with the
// program or is named by --model.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "cli/data_files.h"
#include "cli/server_options.h"
#include "cli/verbs.h"
#include "serve/gateway/gateway.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct Options {
  ServerArguments server;
  std::vector<std::string> models;
  bool no_shipped = false;
};

struct Model {
  std::string path, name;
};

// The language models among the shipped ones: those that have a tokenizer.
Result<std::vector<Model>> ShippedModels() {
  PINTLE_ASSIGN(const fs::path folder, FindDataFile("models"));
  std::vector<Model> models;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (!fs::exists(entry.path() / "tokenizer.json", code)) continue;
    models.push_back({entry.path().string(), entry.path().filename().string()});
  }
  std::sort(models.begin(), models.end(), [](const Model& a, const Model& b) { return a.name < b.name; });
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
  if (models.empty()) return UsageError("there is no model to serve", "", "give --model FILE.gguf");
  return models;
}

Status Serve(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const std::vector<Model> models, ChooseModels(options));
  GatewayOptions gateway_options;
  PINTLE_ASSIGN(gateway_options.http, FinishServerOptions(options.server, "gateway"));
  gateway_options.table.default_model = models[0].name;
  std::error_code code;
  const std::string program = fs::read_symlink("/proc/self/exe", code).string();
  for (const Model& model : models) {
    PINTLE_ASSIGN(const uint16_t port, FreeLoopbackPort());
    GatewayNode node;
    node.name = model.name;
    node.url = fmt::format("http://127.0.0.1:{}", port);
    node.models = {model.name};
    PINTLE_RETURN_IF_ERROR(FinishGatewayNode(node));
    gateway_options.table.nodes.push_back(std::move(node));
    ChildProgram child{model.name,
                       {program, "llm-node", "--model", model.path + "=" + model.name, "--port", std::to_string(port)}};
    if (global.threads > 0) {
      child.arguments.insert(child.arguments.end(), {"--threads", std::to_string(global.threads)});
    }
    gateway_options.children.push_back(std::move(child));
    LogInfo("up", fmt::format("model {}: {}", model.name, model.path));
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
  AddServerOptions(verb, options->server);
  verb.Run([options](const Global& global) { return Serve(*options, global); });
}

}  // namespace pintle
