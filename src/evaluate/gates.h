// The success metrics of the product's vision as executable gates: threshold, raw value, met or NOT MET; and the
// comparison with an earlier evaluation. Both only read what the evaluation wrote. A score that used the compiler to
// choose among samples never stands in a gate.
#pragma once

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// What an evaluation left: metrics.json with machine.json as its "machine" member (absent if there is none).
Result<boost::json::object> ReadEvaluation(const std::filesystem::path& folder_or_file);
/// The two texts as one object.
Result<boost::json::object> MergeEvaluation(const std::string& metrics, const std::string& machine);

/// One success metric of the vision.
struct Gate {
  std::string name;       ///< "compile success rate"
  std::string threshold;  ///< ">= 70 %"
  std::string value;      ///< "3.1 % (1.8 to 5.3)", or "not measured" with the reason
  bool met = false;       ///< what was not measured is not met
};

/// The eight metrics of section 12 of the vision, in its order. `run_log` is the training's run.jsonl for memory and
/// perplexity; beside it reproduced.json ({"model", "same_data", "same_weights", "weights", "shipped_weights"}, written
/// when a shipped model was rebuilt) for determinism. "" or a missing file leaves those unmeasured.
std::vector<Gate> ComputeGates(const boost::json::object& evaluation, const std::filesystem::path& run_log);
/// As a table of text lines; the last says how many are met.
std::string GatesTable(const std::vector<Gate>& gates);

/// One score of two evaluations.
struct ScoreChange {
  std::string name;
  double before = 0, now = 0;
  bool worse = false;  ///< by more than is allowed
};

/// Quality may fall by 5 % of its earlier value, speed by 10 %. Evaluations of other tasks, seeds or sampling are not
/// comparable: a validation error says what differs.
Result<std::vector<ScoreChange>> CompareEvaluations(const boost::json::object& now, const boost::json::object& before);
/// A validation error that lists what became worse, if something did; `where` names the earlier evaluation.
Status CheckForRegressions(const std::vector<ScoreChange>& changes, const std::string& where);

}  // namespace pintle
