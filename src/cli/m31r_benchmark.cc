// `pintle m31r benchmark compare`: two evaluations that are there, score by score; the gate of a release. Nothing is
// evaluated here (that is `m31r eval`, whose --baseline applies the same rule).
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "evaluate/gates.h"

namespace pintle {

void RegisterM31rBenchmark(Command& m31r) {
  struct Options {
    std::string now, before;
  };
  auto options = std::make_shared<Options>();
  Command& benchmark = m31r.Add("benchmark", "evaluations side by side");
  Command& verb = benchmark.Add("compare", "two evaluations of the same tasks; ends with 4 if the first is worse");
  verb.Option("now", options->now, "an evaluation: its folder or metrics.json").Required();
  verb.Option("before", options->before, "the earlier one; quality may fall by 5 %, speed by 10 %").Required();
  verb.Run([options](const Global& global) -> Status {
    PINTLE_ASSIGN(const boost::json::object now, ReadEvaluation(options->now));
    PINTLE_ASSIGN(const boost::json::object before, ReadEvaluation(options->before));
    PINTLE_ASSIGN(const std::vector<ScoreChange> changes, CompareEvaluations(now, before));
    boost::json::array list;
    if (!global.json) fmt::print("{:<28} {:>10} {:>10}\n", "score", "before", "now");
    for (const ScoreChange& one : changes) {
      if (global.json) {
        list.push_back(
            boost::json::object{{"score", one.name}, {"before", one.before}, {"now", one.now}, {"worse", one.worse}});
      } else {
        fmt::print("{:<28} {:>10.4g} {:>10.4g}{}\n", one.name, one.before, one.now, one.worse ? "  worse" : "");
      }
    }
    if (global.json) fmt::print("{}\n", DumpJson(boost::json::object{{"scores", std::move(list)}}));
    return CheckForRegressions(changes, options->before);
  });
}

}  // namespace pintle
