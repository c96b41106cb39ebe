// Any bytes as run.jsonl: curves whose points are numbers, and pictures of them that hold nothing else.
#include <cmath>
#include <cstdlib>
#include <string>

#include "evaluate/plot.h"
#include "evaluate/run_curve.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const RunCurve curve = ParseRunCurve({reinterpret_cast<const char*>(data), size});
  for (const auto* points : {&curve.loss, &curve.rate, &curve.speed, &curve.resident, &curve.validation}) {
    const std::string svg = CurveSvg("curve", "value", {{"curve", *points, false}});
    if (svg.find("nan") != std::string::npos || svg.find("inf") != std::string::npos) std::abort();
  }
  return 0;
}
