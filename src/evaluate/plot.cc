#include "evaluate/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace pintle {
namespace {

constexpr double kWidth = 640, kHeight = 260, kLeft = 56, kRight = 16, kTop = 34, kBottom = 34;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// Round steps that cut a range into three to six parts: 1, 2 or 5 times a power of ten.
double TickStep(double span) {
  double step = 1;
  while (step > span / 3) step /= 10;
  while (step * 10 <= span / 3) step *= 10;
  for (const double factor : {5.0, 2.0}) {
    if (span / (step * factor) >= 3) return step * factor;
  }
  return step;
}

// The round numbers within a range, for its axis.
std::vector<double> Ticks(const Range& range, double step) {
  constexpr int kMost = 12;
  std::vector<double> ticks;
  const double first = std::ceil(range.low / step) * step;
  for (int i = 0; i < kMost && first + i * step <= range.high; ++i) ticks.push_back(first + i * step);
  return ticks;
}

// A number of an axis, as short as its step allows.
std::string TickLabel(double value, double step) {
  if (std::abs(value) >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (std::abs(value) >= 1e4) return fmt::format("{:g}k", value / 1e3);
  if (step >= 1) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, step >= 0.1 ? 1 : step >= 0.01 ? 2 : 4);
}

// The highest and the lowest point of each column, in their order.
std::vector<CurvePoint> Thin(const std::vector<CurvePoint>& points, const Range& x) {
  std::vector<CurvePoint> kept;
  const double columns = kWidth - kLeft - kRight;
  for (size_t i = 0; i < points.size();) {
    const auto column = [&](double step) { return std::floor((step - x.low) / (x.high - x.low) * columns); };
    size_t low = i, high = i, end = i;
    for (; end < points.size() && column(points[end].step) == column(points[i].step); ++end) {
      if (points[end].value < points[low].value) low = end;
      if (points[end].value > points[high].value) high = end;
    }
    kept.push_back(points[std::min(low, high)]);
    if (low != high) kept.push_back(points[std::max(low, high)]);
    i = end;
  }
  return kept;
}

std::string Open(const std::string& title, double height) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n"
      "<text x=\"{:.0f}\" y=\"18\" class=\"title\">{}</text>\n",
      kWidth, height, EscapeHtml(title), 4.0, EscapeHtml(title));
}

}  // namespace

std::string EscapeHtml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string CurveSvg(const std::string& title, const std::string& unit, const std::vector<Series>& series) {
  Range x, y;
  std::vector<Series> finite = series;
  for (Series& one : finite) {
    // Beyond any figure of a run, differences would no longer be numbers.
    const auto drawable = [](double v) { return std::abs(v) < 1e15; };
    std::erase_if(one.points, [&](const CurvePoint& p) { return !drawable(p.step) || !drawable(p.value); });
    for (const CurvePoint& point : one.points) {
      x.Add(point.step);
      y.Add(point.value);
    }
  }
  std::string svg = Open(title, kHeight);
  if (!(x.low <= x.high)) {
    return svg +
           fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\">no data</text>\n</svg>\n", kLeft, kHeight / 2);
  }
  if (x.low == x.high) x.high = x.low + 1;
  if (y.low == y.high) {
    y.low -= 0.5;
    y.high += 0.5;
  }
  const double margin = (y.high - y.low) * 0.05;
  y.low -= margin;
  y.high += margin;
  const auto to_x = [&](double v) { return kLeft + (v - x.low) / (x.high - x.low) * (kWidth - kLeft - kRight); };
  const auto to_y = [&](double v) {
    return kHeight - kBottom - (v - y.low) / (y.high - y.low) * (kHeight - kTop - kBottom);
  };
  const double y_step = TickStep(y.high - y.low), x_step = TickStep(x.high - x.low);
  for (const double v : Ticks(y, y_step)) {
    svg += fmt::format("<line x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>\n", kLeft,
                       kWidth - kRight, to_y(v), to_y(v));
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"end\">{}</text>\n", kLeft - 6,
                       to_y(v) + 4, TickLabel(std::abs(v) < y_step / 2 ? 0 : v, y_step));
  }
  for (const double v : Ticks(x, x_step)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" class=\"tick\" text-anchor=\"middle\">{}</text>\n", to_x(v),
                       kHeight - kBottom + 16, TickLabel(v, x_step));
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\" text-anchor=\"end\">step</text>\n",
                     kWidth - kRight, kHeight - 4);
  svg += fmt::format("<text x=\"{:.0f}\" y=\"18\" class=\"tick\" text-anchor=\"end\">{}</text>\n", kWidth - kRight,
                     EscapeHtml(unit));
  double legend = kLeft + 8;
  for (size_t i = 0; i < finite.size(); ++i) {
    const Series& one = finite[i];
    if (one.points.empty()) continue;
    std::string path;
    for (const CurvePoint& point : Thin(one.points, x)) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", to_x(point.step), to_y(point.value));
    }
    svg += fmt::format("<path d=\"{}\" class=\"s{}\"/>\n", path, i);
    for (const CurvePoint& point : one.markers ? one.points : std::vector<CurvePoint>()) {
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" class=\"d{}\"/>\n", to_x(point.step),
                         to_y(point.value), i);
    }
    if (finite.size() > 1) {
      svg +=
          fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"10\" height=\"10\" class=\"d{}\"/>\n", legend, kTop, i);
      svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\">{}</text>\n", legend + 14, kTop + 9,
                         EscapeHtml(one.name));
      legend += 30 + 7.0 * static_cast<double>(one.name.size());
    }
  }
  return svg + "</svg>\n";
}

std::string BarsSvg(const std::string& title, const std::vector<Bar>& bars) {
  constexpr double kRow = 24, kNames = 130, kLabels = 90;
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  const double height = kTop + kRow * static_cast<double>(bars.size()) + 6;
  std::string svg = Open(title, height);
  for (size_t i = 0; i < bars.size(); ++i) {
    const double top = kTop + kRow * static_cast<double>(i);
    const double width = most > 0 ? bars[i].value / most * (kWidth - kNames - kLabels) : 0;
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\" text-anchor=\"end\">{}</text>\n", kNames - 8,
                       top + 14, EscapeHtml(bars[i].name));
    svg += fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\" rx=\"2\" class=\"d0\"/>\n",
                       kNames, top + 2, std::max(width, 1.0), kRow - 8);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" class=\"tick\">{}</text>\n", kNames + width + 6, top + 14,
                       EscapeHtml(bars[i].label));
  }
  return svg + "</svg>\n";
}

}  // namespace pintle
