#include "serve/stack/local_node.h"

#include <utility>

#include "serve/http/running.h"
#include "serve/http/server.h"
#include "serve/node/node.h"
#include "serve/speech/tts_node.h"

namespace pintle {
namespace {

constexpr int64_t kSpeechQueue = 16;

// `Routes` has Handle; it ends after the server that calls it.
template <typename Routes>
class Served final : public LocalNode {
 public:
  Served(std::unique_ptr<Routes> routes, std::unique_ptr<HttpServer> server)
      : routes_(std::move(routes)), server_(std::move(server)) {}
  uint16_t port() const override { return server_.port(); }

 private:
  std::unique_ptr<Routes> routes_;
  Running<HttpServer> server_;
};

template <typename Routes>
Result<std::unique_ptr<LocalNode>> Serve(std::unique_ptr<Routes> routes) {
  HttpServerOptions http;
  http.behind_gateway = true;
  http.access_log = false;  // the gateway writes one
  const auto handle = [self = routes.get()](auto&&... parts) { self->Handle(std::forward<decltype(parts)>(parts)...); };
  PINTLE_ASSIGN(auto server, HttpServer::Create(http, handle));
  return std::unique_ptr<LocalNode>(std::make_unique<Served<Routes>>(std::move(routes), std::move(server)));
}

}  // namespace

Result<std::unique_ptr<LocalNode>> LocalNode::ServeModels(const std::vector<ModelSpec>& models,
                                                          const ShelfOptions& options) {
  PINTLE_ASSIGN(std::unique_ptr<LlmNode> routes, LlmNode::Create(models, options));
  return Serve(std::move(routes));
}

Result<std::unique_ptr<LocalNode>> LocalNode::ServePuzzles(std::vector<std::unique_ptr<PuzzleSolver>> solvers) {
  return Serve(std::make_unique<PuzzleNode>(std::move(solvers)));
}

Result<std::unique_ptr<LocalNode>> LocalNode::ServeSpeech() { return Serve(std::make_unique<TtsNode>(kSpeechQueue)); }

}  // namespace pintle
