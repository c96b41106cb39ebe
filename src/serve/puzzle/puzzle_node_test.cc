// The routes of a node for puzzles, with a solver that needs no model.
#include "serve/puzzle/puzzle_node.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "serve/http/fake_response.h"

namespace pintle {
namespace {

// "1?" is solved in two steps; whatever else is no puzzle.
class SmallSolver final : public PuzzleSolver {
 public:
  const Info& info() const override { return info_; }
  Result<PuzzleSolution> Solve(const std::string& puzzle, int64_t depth) override {
    if (puzzle != "1?") return ValidationError("a puzzle has two cells", "puzzle");
    PuzzleSolution solution{puzzle, "11", false, "1 stands twice", false, {{1, "11", 0.25}}};
    if (depth == 1) return solution;
    return PuzzleSolution{puzzle, "12", true, "", true, {{1, "11", 0.25}, {2, "12", 0.75}}};
  }

 private:
  Info info_ = {"small", "pair", 7};
};

std::vector<std::unique_ptr<PuzzleSolver>> Solvers() {
  std::vector<std::unique_ptr<PuzzleSolver>> solvers;
  solvers.push_back(std::make_unique<SmallSolver>());
  return solvers;
}

boost::json::value Parsed(const std::string& text) {
  auto value = ParseJson(text, "answer");
  if (!value.ok()) FAIL(text);
  return std::move(*value);
}

}  // namespace

TEST_CASE("a puzzle is solved, checked, and traced if asked for") {
  PuzzleNode node(Solvers());
  const auto plain = Ask(node, "POST", "/v1/trm/solve", R"({"model":"small","puzzle":"1?","colour":1})");
  CHECK(plain->Wait().status() == 200);
  CHECK(plain->Header("x-pintle-ignored") == "colour");
  const auto body = Parsed(plain->body());
  CHECK(body.at("answer").as_string() == "12");
  CHECK(body.at("checked").as_bool());
  CHECK(body.at("content").as_bool());
  CHECK(body.at("steps").to_number<int64_t>() == 2);
  CHECK(body.at("confidence").as_double() == 0.75);
  CHECK(body.as_object().if_contains("trace") == nullptr);
  const auto traced =
      Parsed(Ask(node, "POST", "/v1/trm/solve", R"({"model":"small","puzzle":"1?","trace":true})")->Wait().body());
  CHECK(traced.at("trace").as_array().size() == 2);
  CHECK(traced.at("trace").at(0).at("answer").as_string() == "11");
  const auto shallow =
      Parsed(Ask(node, "POST", "/v1/trm/solve", R"({"model":"small","puzzle":"1?","depth":1})")->Wait().body());
  CHECK_FALSE(shallow.at("checked").as_bool());
  CHECK(shallow.at("reason").as_string() == "1 stands twice");
}

TEST_CASE("models are listed and shown; the rest is refused with its name") {
  PuzzleNode node(Solvers());
  CHECK(Parsed(Ask(node, "GET", "/v1/models")->Wait().body()).at("data").at(0).at("task").as_string() == "pair");
  CHECK(Ask(node, "GET", "/v1/models/small")->Wait().status() == 200);
  CHECK(Ask(node, "GET", "/ready")->Wait().status() == 200);
  CHECK(Ask(node, "GET", "/metrics")->Wait().body().find("pintle_requests_total") != std::string::npos);
  const struct {
    const char *method, *path, *body;
    int status;
    const char* code;
  } rows[] = {{"POST", "/v1/trm/solve", "x", 400, "invalid_json"},
              {"POST", "/v1/trm/solve", R"({"puzzle":"1?"})", 400, "missing_required_parameter"},
              {"POST", "/v1/trm/solve", R"({"model":"small"})", 400, "missing_required_parameter"},
              {"POST", "/v1/trm/solve", R"({"model":"small","puzzle":"123"})", 400, "invalid_value"},
              {"POST", "/v1/trm/solve", R"({"model":"small","puzzle":"1?","depth":65})", 400, "invalid_value"},
              {"POST", "/v1/trm/solve", R"({"model":"small","puzzle":"1?","trace":1})", 400, "invalid_type"},
              {"POST", "/v1/trm/solve", R"({"model":"large","puzzle":"1?"})", 404, "model_not_found"},
              {"GET", "/v1/trm/solve", "", 405, "method_not_allowed"},
              {"GET", "/v1/models/large", "", 404, "model_not_found"},
              {"GET", "/elsewhere", "", 404, "not_found"}};
  for (const auto& row : rows) {
    CAPTURE(std::string(row.path) + " " + row.body);
    const auto response = Ask(node, row.method, row.path, row.body);
    CHECK(response->Wait().status() == row.status);
    CHECK(Parsed(response->body()).at("error").at("code").as_string() == row.code);
  }
}

}  // namespace pintle
