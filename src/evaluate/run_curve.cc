#include "evaluate/run_curve.h"

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"

namespace pintle {
namespace json = boost::json;
namespace {

void AddPoint(const json::object& line, std::string_view key, double step, std::vector<CurvePoint>& points) {
  const json::value* value = line.if_contains(key);
  if (value != nullptr && value->is_number()) points.push_back({step, value->to_number<double>()});
}

std::string Text(const json::object& line, std::string_view key) {
  const json::value* value = line.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

void ReadLine(const json::object& line, RunCurve& curve) {
  const json::value* number = line.if_contains("step");
  const double step = number != nullptr && number->is_number() ? number->to_number<double>() : 0;
  const std::string type = Text(line, "type");
  if (type == "start") {
    curve.starts.push_back(step);
    curve.preset = Text(line, "preset");
    curve.dtype = Text(line, "dtype");
    curve.optimizer = Text(line, "optimizer");
  } else if (type == "step") {
    AddPoint(line, "loss", step, curve.loss);
    AddPoint(line, "lr", step, curve.rate);
    AddPoint(line, "tokens_per_s", step, curve.speed);
    AddPoint(line, "rss_bytes", step, curve.resident);
    const json::value* tokens = line.if_contains("tokens");
    if (tokens != nullptr && tokens->is_int64()) curve.tokens = tokens->as_int64();
    const json::value* seconds = line.if_contains("seconds");
    if (seconds != nullptr && seconds->is_number()) curve.seconds = seconds->to_number<double>();
  } else if (type == "validation") {
    AddPoint(line, "bits_per_byte", step, curve.validation);
  } else if (type == "stop") {
    curve.stop_reason = Text(line, "reason");
  }
}

}  // namespace

RunCurve ParseRunCurve(std::string_view text) {
  RunCurve curve;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto value = ParseJson(text.substr(begin, end - begin), "run.jsonl");
    if (value.ok() && value->is_object()) ReadLine(value->as_object(), curve);
    begin = end + 1;
  }
  return curve;
}

RunCurve ReadRunCurve(const std::filesystem::path& file) {
  if (file.empty()) return {};
  constexpr uint64_t kMost = uint64_t{1} << 30;
  const auto text = ReadFile(file, kMost);
  return text.ok() ? ParseRunCurve(*text) : RunCurve();
}

}  // namespace pintle
