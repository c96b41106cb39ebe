#include "serve/puzzle/puzzle_node.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/time.h"
#include "serve/http/field_reader.h"
#include "serve/http/json_body.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr std::string_view kSolvePath = "/v1/trm/solve", kModelPath = "/v1/models/";
constexpr size_t kPuzzleBytes = 8192;  // the largest task has 64 x 64 cells
constexpr int64_t kDepth = 64, kQueue = 64;

json::object ModelJson(const PuzzleSolver::Info& info) {
  return {{"id", info.name},      {"object", "model"},         {"created", 0},      {"owned_by", "pintle"},
          {"origin", "internal"}, {"licence", "Apache-2.0"},   {"task", info.task}, {"parameters", info.parameters},
          {"state", "loaded"},    {"capabilities", {"puzzle"}}};
}

json::object SolutionJson(const PuzzleRequest& request, const PuzzleSolution& solution, double seconds) {
  json::object body = {{"object", "puzzle.solution"},
                       {"model", request.model},
                       {"puzzle", solution.puzzle},
                       {"answer", solution.answer},
                       {"checked", solution.right},
                       {"reason", solution.reason.empty() ? json::value() : json::value(solution.reason)},
                       {"content", solution.content},
                       {"confidence", solution.steps.back().confidence},
                       {"steps", solution.steps.back().number}};
  if (request.trace) {
    json::array& trace = body["trace"].emplace_array();
    for (const PuzzleSolution::Step& step : solution.steps) {
      trace.emplace_back(json::object{{"step", step.number}, {"answer", step.answer}, {"confidence", step.confidence}});
    }
  }
  body["timings"] = json::object{{"solve_ms", 1000 * seconds}};
  return body;
}

}  // namespace

MaybeApiError ParsePuzzle(std::string_view body, PuzzleRequest& request) {
  json::object object;
  if (MaybeApiError error = ParseBody(body, object)) return error;
  FieldReader in(object);
  if (!in.Text("model", request.model)) in.Missing("model");
  if (!in.Text("puzzle", request.puzzle)) in.Missing("puzzle");
  if (request.puzzle.size() > kPuzzleBytes) in.Fail("puzzle", "is longer than any puzzle", "string_above_max_length");
  in.Integer("depth", request.depth, 1, kDepth);
  in.Flag("trace", request.trace);
  request.ignored = in.Ignored();
  return in.error();
}

PuzzleNode::PuzzleNode(std::vector<std::unique_ptr<PuzzleSolver>> solvers) : solvers_(std::move(solvers)) {
  metrics_.DeclareCounter("pintle_requests_total", "answered requests by route and status");
  metrics_.DeclareHistogram("pintle_solve_seconds", "one puzzle, by model", LatencyBounds());
}

void PuzzleNode::SendJson(const std::string& route, HttpResponse& response, std::string body,
                          std::vector<HttpHeader> headers) {
  metrics_.Add("pintle_requests_total", {{"route", route}, {"status", "200"}});
  headers.push_back({"content-type", "application/json"});
  response.Send(200, std::move(headers), std::move(body) + "\n");
}

void PuzzleNode::SendError(const std::string& route, HttpResponse& response, const ApiError& error,
                           std::vector<HttpHeader> headers) {
  metrics_.Add("pintle_requests_total", {{"route", route}, {"status", std::to_string(error.status)}});
  SendHttpError(response, error.status, error.message, error.code, error.param, std::move(headers));
}

PuzzleSolver* PuzzleNode::Find(const std::string& name) {
  const auto found =
      std::find_if(solvers_.begin(), solvers_.end(), [&](const auto& solver) { return solver->info().name == name; });
  return found == solvers_.end() ? nullptr : found->get();
}

void PuzzleNode::Handle(const HttpRequest& request, const Response& response) {
  const std::string& path = request.path;
  const bool solve = path == kSolvePath, list = path == "/v1/models", metrics = path == "/metrics";
  const bool health = path == "/health" || path == "/ready", show = path.starts_with(kModelPath);
  if (!solve && !list && !metrics && !health && !show) {
    return SendError("other", *response, {404, "this node serves /v1/trm/solve", "", "not_found"});
  }
  const std::string allowed = solve ? "POST" : "GET";
  if (request.method != allowed) {
    return SendError(show ? "/v1/models/{id}" : path, *response,
                     {405, "this path takes " + allowed, "", "method_not_allowed"}, {{"allow", allowed}});
  }
  if (solve) return Solve(request, response);
  if (list) return ListModels(*response);
  if (health) return SendJson(path, *response, path == "/ready" ? R"({"status":"ready"})" : R"({"status":"ok"})");
  if (metrics) {
    return response->Send(200, {{"content-type", "text/plain; version=0.0.4"}}, metrics_.Text() + ProcessMetricsText());
  }
  if (PuzzleSolver* solver = Find(path.substr(kModelPath.size()))) {
    return SendJson("/v1/models/{id}", *response, DumpJson(ModelJson(solver->info())));
  }
  SendError("/v1/models/{id}", *response, {404, "there is no such model here", "model", "model_not_found"});
}

void PuzzleNode::ListModels(HttpResponse& response) {
  json::array models;
  for (const auto& solver : solvers_) models.emplace_back(ModelJson(solver->info()));
  SendJson("/v1/models", response, DumpJson(json::object{{"object", "list"}, {"data", std::move(models)}}));
}

void PuzzleNode::Solve(const HttpRequest& request, const Response& response) {
  PuzzleRequest wanted;
  if (const MaybeApiError error = ParsePuzzle(request.body, wanted)) {
    return SendError(request.path, *response, *error);
  }
  PuzzleSolver* solver = Find(wanted.model);
  if (solver == nullptr) {
    return SendError(
        request.path, *response,
        {404, "there is no model '" + wanted.model + "' here; /v1/models lists them", "model", "model_not_found"});
  }
  if (in_work_.fetch_add(1) >= kQueue) {
    --in_work_;
    return SendError(request.path, *response, {429, "too many puzzles wait", "", "queue_full"}, {{"retry-after", "1"}});
  }
  const auto left = std::make_shared<std::atomic<bool>>(false);
  response->OnCancel([left] { *left = true; });
  worker_.Post([this, wanted = std::move(wanted), solver, response, left] {
    if (!*left) SolveNow(wanted, *solver, *response);
    --in_work_;
  });
}

void PuzzleNode::SolveNow(const PuzzleRequest& request, PuzzleSolver& solver, HttpResponse& response) {
  const std::string route(kSolvePath);
  const double start = MonotonicSeconds();
  const auto solution = solver.Solve(request.puzzle, request.depth);
  const double seconds = MonotonicSeconds() - start;
  if (!solution.ok()) {
    const bool clients_fault = solution.error().code == Code::kValidation;
    return SendError(route, response,
                     clients_fault ? InvalidValue("puzzle", solution.error().Message())
                                   : ApiError{500, solution.error().what, "", "solve_failed"});
  }
  metrics_.Observe("pintle_solve_seconds", {{"model", request.model}}, seconds);
  std::vector<HttpHeader> headers;
  if (!request.ignored.empty()) headers.push_back({"x-pintle-ignored", HttpFieldList(request.ignored)});
  SendJson(route, response, DumpJson(SolutionJson(request, *solution, seconds)), std::move(headers));
}

}  // namespace pintle
