// trm-node: small recursive models that solve puzzles, over HTTP. Which route does what.
//
// Where it stands: cli/trm_node.cc, which brings the solvers -> this; HttpServer calls Handle on its thread, one thread
// of the node solves. It deliberately knows no task and no model: that is what stands behind PuzzleSolver.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/http/api_error.h"
#include "serve/http/metric_set.h"
#include "serve/http/server.h"
#include "serve/http/worker.h"

namespace pintle {

/// One puzzle and what a model made of it.
struct PuzzleSolution {
  /// The answer as it stood after a step, and how sure the model was of it, 0 to 1.
  struct Step {
    int64_t number = 0;
    std::string answer;
    double confidence = 0;
  };
  std::string puzzle, answer;  ///< each in one line
  bool right = false;          ///< by the rules of the puzzle
  std::string reason;          ///< the first rule that is broken
  bool content = false;        ///< the model says that it is right
  std::vector<Step> steps;     ///< at least one
};

/// A model and its puzzles. One caller at a time.
class PuzzleSolver {
 public:
  virtual ~PuzzleSolver() = default;
  /// What /v1/models says.
  struct Info {
    std::string name, task;
    int64_t parameters = 0;
  };
  [[nodiscard]] virtual const Info& info() const = 0;
  /// At most `depth` steps; it stops when it is content. A puzzle that is none is a validation error.
  virtual Result<PuzzleSolution> Solve(const std::string& puzzle, int64_t depth) = 0;
};

/// What POST /v1/trm/solve asks for.
struct PuzzleRequest {
  std::string model, puzzle;
  int64_t depth = 16;
  bool trace = false;
  std::vector<std::string> ignored;  ///< fields of the body that mean nothing here
};
MaybeApiError ParsePuzzle(std::string_view body, PuzzleRequest& request);

/// The routes of one node. Outlives the server that calls it.
class PuzzleNode {
 public:
  explicit PuzzleNode(std::vector<std::unique_ptr<PuzzleSolver>> solvers);

  /// An HttpHandler: answers now or later, never blocks.
  void Handle(const HttpRequest& request, const std::shared_ptr<HttpResponse>& response);

 private:
  using Response = std::shared_ptr<HttpResponse>;
  void Solve(const HttpRequest& request, const Response& response);
  void SolveNow(const PuzzleRequest& request, PuzzleSolver& solver, HttpResponse& response);
  void ListModels(HttpResponse& response);
  void SendJson(const std::string& route, HttpResponse& response, std::string body,
                std::vector<HttpHeader> headers = {});
  void SendError(const std::string& route, HttpResponse& response, const ApiError& error,
                 std::vector<HttpHeader> headers = {});
  PuzzleSolver* Find(const std::string& name);

  std::vector<std::unique_ptr<PuzzleSolver>> solvers_;
  MetricSet metrics_;
  std::atomic<int64_t> in_work_{0};
  Worker worker_;  // last: it uses all of the above
};

}  // namespace pintle
