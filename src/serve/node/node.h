// llm-node: OpenAI's API, llama.cpp's /infill and M31R's routes over the models of a shelf. Which route does what.
//
// Where it stands: cli/llm_node.cc -> this; HttpServer calls Handle on its thread, which hands everything that takes
// time to a worker: parsing and tokenizing (requests.h, prompts.h), loading (model_shelf.h), decoding
// (engine_thread.h). It deliberately opens no file and no address that a request names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/http/server.h"
#include "serve/http/worker.h"
#include "serve/node/metrics.h"
#include "serve/node/model_shelf.h"
#include "serve/node/requests.h"

namespace pintle {

/// The routes of one node. Outlives the server that calls it.
class LlmNode {
 public:
  static Result<std::unique_ptr<LlmNode>> Create(const std::vector<ModelSpec>& models, const ShelfOptions& options);

  /// An HttpHandler: answers now or later, never blocks.
  void Handle(HttpRequest request, std::shared_ptr<HttpResponse> response);
  [[nodiscard]] const ModelShelf& shelf() const { return *shelf_; }

 private:
  using Response = std::shared_ptr<HttpResponse>;
  using Parse = MaybeApiError (*)(std::string_view body, GenerationRequest& request);
  struct Call;  // a request on its way from worker to worker
  struct Route;

  LlmNode() = default;
  static const std::vector<Route>& Routes();
  void Generate(HttpRequest request, Response response, Parse parse);
  void Start(const std::shared_ptr<Call>& call, const std::shared_ptr<EngineThread>& engine, double load_seconds);
  void SendJson(const std::string& path, HttpResponse& response, int status, const std::string& body);
  void SendError(const std::string& path, HttpResponse& response, const ApiError& error,
                 std::vector<HttpHeader> headers = {});

  void ListModels(const HttpRequest& request, const Response& response);
  void ShowModel(const Response& response, const std::string& name);
  void LoadModel(const HttpRequest& request, const Response& response);
  void UnloadModel(const HttpRequest& request, const Response& response);
  void Health(const HttpRequest& request, const Response& response);
  void Ready(const HttpRequest& request, const Response& response);
  void Status(const HttpRequest& request, const Response& response);
  void ShowMetrics(const HttpRequest& request, const Response& response);

  Metrics metrics_;
  std::unique_ptr<ModelShelf> shelf_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>();
};

}  // namespace pintle
