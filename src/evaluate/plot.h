// Small pictures as SVG text: a curve and a bar chart. No scripts, no fonts of their own, colours by CSS variables of
// the page (report.cc), so that they follow its light and dark theme. The same data give the same bytes.
#pragma once

#include <string>
#include <vector>

#include "evaluate/run_curve.h"

namespace pintle {

/// One line of a plot.
struct Series {
  std::string name;
  std::vector<CurvePoint> points;  ///< ascending in step
  bool markers = false;            ///< few points: a dot each
};

/// Curves over a common axis of steps; at most three series. Long ones are thinned to the highest and lowest point of
/// each pixel column, so that no spike gets lost. Non-finite points are left out.
std::string CurveSvg(const std::string& title, const std::string& unit, const std::vector<Series>& series);

/// One bar of a chart.
struct Bar {
  std::string name;
  double value = 0;
  std::string label;  ///< what stands behind the bar
};

/// Horizontal bars from zero, in the given order.
std::string BarsSvg(const std::string& title, const std::vector<Bar>& bars);

/// `text` with & < > " ' as entities.
std::string EscapeHtml(const std::string& text);

}  // namespace pintle
