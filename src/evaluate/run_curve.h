// A training's run.jsonl as curves (its lines are described in train/run_log.h). Only reads; lines that are no JSON
// objects of a known type are passed over, so a run still under way can be looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pintle {

/// One point of a curve.
struct CurvePoint {
  double step = 0, value = 0;
};

/// What run.jsonl says, as curves.
struct RunCurve {
  std::vector<CurvePoint> loss;        ///< nats a target
  std::vector<CurvePoint> rate;        ///< learning rate
  std::vector<CurvePoint> speed;       ///< tokens a second
  std::vector<CurvePoint> resident;    ///< bytes
  std::vector<CurvePoint> validation;  ///< bits per byte
  std::vector<double> starts;          ///< the step that each start or resume began from
  std::string preset, dtype, optimizer, stop_reason;
  int64_t tokens = 0;
  double seconds = 0;
};

/// The text of a run.jsonl.
RunCurve ParseRunCurve(std::string_view text);
/// Empty curves if there is no such file.
RunCurve ReadRunCurve(const std::filesystem::path& file);

}  // namespace pintle
