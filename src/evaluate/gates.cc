#include "evaluate/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "evaluate/run_curve.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

// The number at a path of keys, or nothing.
const json::value* Find(const json::object& root, std::initializer_list<std::string_view> keys) {
  const json::object* object = &root;
  const json::value* found = nullptr;
  for (const std::string_view key : keys) {
    if (object == nullptr) return nullptr;
    found = object->if_contains(key);
    if (found == nullptr) return nullptr;
    object = found->if_object();
  }
  return found;
}

bool Number(const json::object& root, std::initializer_list<std::string_view> keys, double& number) {
  const json::value* found = Find(root, keys);
  if (found == nullptr || !found->is_number()) return false;
  number = found->to_number<double>();
  return true;
}

std::string WithInterval(double rate, const json::value* interval) {
  std::string text = fmt::format("{:.1f} %", 100 * rate);
  if (interval != nullptr && interval->is_array() && interval->as_array().size() == 2) {
    text += fmt::format(" ({:.1f} to {:.1f})", 100 * interval->as_array()[0].to_number<double>(),
                        100 * interval->as_array()[1].to_number<double>());
  }
  return text;
}

Gate RateGate(const json::object& evaluation, const std::string& name, double threshold,
              std::initializer_list<std::string_view> rate, std::initializer_list<std::string_view> interval,
              const std::string& missing) {
  Gate gate{name, fmt::format(">= {:.0f} %", 100 * threshold), "not measured: " + missing, false};
  double value = 0;
  if (!Number(evaluation, rate, value)) return gate;
  gate.value = WithInterval(value, Find(evaluation, interval));
  gate.met = value >= threshold;
  return gate;
}

Gate PerplexityGate(const RunCurve& curve) {
  Gate gate{"perplexity reduction", "validation falls", "not measured: no run.jsonl with two validations", false};
  if (curve.validation.size() < 2) return gate;
  const double first = curve.validation.front().value, last = curve.validation.back().value;
  gate.value = fmt::format("{:.3f} to {:.3f} bits per byte", first, last);
  gate.met = last < first;
  return gate;
}

Gate MemoryGate(const RunCurve& curve) {
  Gate gate{"memory stability", "flat within 1 %", "not measured: no run.jsonl with memory", false};
  if (curve.resident.size() < 20) return gate;
  // Each program that trained counts from its first step on: by then it has validated and sampled once.
  double worst = 1, low = 0, high = 0;
  size_t next = 0;
  for (const CurvePoint& point : curve.resident) {
    bool first = low == 0;
    for (; next < curve.starts.size() && curve.starts[next] < point.step; ++next) first = true;
    low = first ? point.value : std::min(low, point.value);
    high = first ? point.value : std::max(high, point.value);
    worst = std::max(worst, high / low);
  }
  gate.value = fmt::format("{:.2f} % over {} steps", 100 * (worst - 1), curve.resident.size());
  gate.met = worst <= 1.01;
  return gate;
}

Gate DeterminismGate(const json::object& evaluation, const fs::path& run_log) {
  Gate gate{"deterministic training", "equal weights", "not measured here: pintle m31r reproduce", false};
  if (run_log.empty()) return gate;
  constexpr uint64_t kMost = 1 << 20;
  const auto text = ReadFile(run_log.parent_path() / "reproduced.json", kMost);
  if (!text.ok()) return gate;
  const auto found = ParseJson(*text, "reproduced.json");
  if (!found.ok() || !found->is_object()) return gate;
  const auto truth = [&](std::string_view key) {
    const json::value* value = Find(found->as_object(), {key});
    return value != nullptr && value->is_bool() && value->as_bool();
  };
  const auto weights = JsonString(*found, "weights", "");
  const auto model = JsonString(*found, "model", "");
  if (!weights.ok() || !model.ok()) return gate;
  const json::value* evaluated = Find(evaluation, {"model", "weights_sha256"});
  if (evaluated != nullptr && *evaluated != json::value(*weights)) {
    gate.value = "not measured: another model was rebuilt";
  } else if (!truth("same_data")) {
    gate.value = "not measured: rebuilt from other data than " + *model;
  } else {
    gate.met = truth("same_weights");
    gate.value = gate.met ? "rebuilt, the bytes of " + *model : "rebuilt, other bytes than " + *model;
  }
  return gate;
}

// What tells the task sets of an evaluation from others.
std::vector<std::string> TaskHashes(const json::object& evaluation) {
  std::vector<std::string> hashes;
  const json::value* suites = Find(evaluation, {"suites"});
  if (suites == nullptr || !suites->is_array()) return hashes;
  for (const json::value& suite : suites->get_array()) {
    const auto hash = JsonString(suite, "sha256", "");
    hashes.push_back(hash.ok() ? *hash : "");
  }
  return hashes;
}

}  // namespace

Result<json::object> MergeEvaluation(const std::string& metrics, const std::string& machine) {
  PINTLE_ASSIGN(json::value value, ParseJson(metrics, "metrics.json"));
  if (!value.is_object()) return ValidationError("not an evaluation", "metrics.json");
  if (!machine.empty()) {
    PINTLE_ASSIGN(value.as_object()["machine"], ParseJson(machine, "machine.json"));
  }
  return std::move(value.as_object());
}

Result<json::object> ReadEvaluation(const fs::path& path) {
  std::error_code missing;
  const bool folder = fs::is_directory(path, missing);
  const fs::path file = folder ? path / "metrics.json" : path;
  constexpr uint64_t kMost = uint64_t{64} << 20;
  Result<std::string> metrics = ReadFile(file, kMost);
  if (!metrics.ok()) {
    Error error = metrics.error();
    error.hint = "make it with: pintle m31r eval --model DIR --tasks FILE.jsonl --out " + file.parent_path().string();
    return error;
  }
  const fs::path beside = file.parent_path() / "machine.json";
  std::string machine;
  if (file.filename() == "metrics.json" && fs::exists(beside, missing)) {
    PINTLE_ASSIGN(machine, ReadFile(beside, kMost));
  }
  return MergeEvaluation(*metrics, machine);
}

std::vector<Gate> ComputeGates(const json::object& evaluation, const fs::path& run_log) {
  const RunCurve curve = ReadRunCurve(run_log);
  std::vector<Gate> gates;
  gates.push_back(RateGate(evaluation, "compile success rate", 0.70, {"compile_rate"}, {"compile_interval"},
                           "needs tasks and a Rust compiler"));
  gates.push_back(RateGate(evaluation, "pass@5", 0.60, {"pass_at", "5"}, {"pass_at_interval", "5"},
                           "needs tasks, a Rust compiler and --k 5"));
  Gate latency{"inference latency", "<= 50 ms/token", "not measured: needs tasks", false};
  if (double ms = 0; Number(evaluation, {"machine", "ms_per_token"}, ms)) {
    latency.value = fmt::format("{:.2f} ms/token", ms);
    latency.met = ms <= 50;
  }
  gates.push_back(latency);
  Gate memory{"memory of the device", "<= 8 GB", "not measured", false};
  if (double bytes = 0; Number(evaluation, {"machine", "peak_resident_bytes"}, bytes)) {
    memory.value = fmt::format("{:.2f} GB peak resident, on the CPU", bytes / 1e9);
    memory.met = bytes <= 8e9;
  }
  gates.push_back(memory);
  Gate size{"model size", "<= 500 M parameters", "not measured", false};
  if (double parameters = 0; Number(evaluation, {"model", "parameters"}, parameters)) {
    size.value = fmt::format("{:.1f} M", parameters / 1e6);
    size.met = parameters <= 500e6;
  }
  gates.push_back(size);
  gates.push_back(PerplexityGate(curve));
  gates.push_back(MemoryGate(curve));
  gates.push_back(DeterminismGate(evaluation, run_log));
  return gates;
}

std::string GatesTable(const std::vector<Gate>& gates) {
  std::string text = fmt::format("{:<24} {:<22} {:<44} {}\n", "success metric", "threshold", "raw value", "verdict");
  int64_t met = 0;
  for (const Gate& gate : gates) {
    text +=
        fmt::format("{:<24} {:<22} {:<44} {}\n", gate.name, gate.threshold, gate.value, gate.met ? "met" : "NOT MET");
    met += gate.met ? 1 : 0;
  }
  return text + fmt::format("{} of {} met\n", met, gates.size());
}

Result<std::vector<ScoreChange>> CompareEvaluations(const json::object& now, const json::object& before) {
  const auto same = [&](std::initializer_list<std::string_view> keys, const char* what) -> Status {
    const json::value* a = Find(now, keys);
    const json::value* b = Find(before, keys);
    if ((a == nullptr) != (b == nullptr) || (a != nullptr && *a != *b)) {
      return ValidationError(std::string("the baseline is not comparable: another ") + what, "--baseline");
    }
    return {};
  };
  PINTLE_RETURN_IF_ERROR(same({"seed"}, "seed"));
  PINTLE_RETURN_IF_ERROR(same({"sampling"}, "way of sampling"));
  PINTLE_RETURN_IF_ERROR(same({"rustc"}, "version of rustc"));
  PINTLE_RETURN_IF_ERROR(same({"problems"}, "number of problems"));
  PINTLE_RETURN_IF_ERROR(same({"bits_per_byte", "bytes"}, "held-out text"));
  if (TaskHashes(now) != TaskHashes(before)) {
    return ValidationError("the baseline is not comparable: other tasks", "--baseline");
  }
  std::vector<ScoreChange> changes;
  const auto watch = [&](std::initializer_list<std::string_view> keys, bool higher_is_better, double tolerance) {
    ScoreChange one;
    for (const std::string_view key : keys) (one.name += one.name.empty() ? "" : ".") += key;
    if (!Number(now, keys, one.now) || !Number(before, keys, one.before)) return;
    one.worse = higher_is_better ? one.now < one.before * (1 - tolerance) : one.now > one.before * (1 + tolerance);
    changes.push_back(one);
  };
  constexpr double kQuality = 0.05, kSpeed = 0.10;
  watch({"compile_rate"}, true, kQuality);
  if (const json::value* pass_at = Find(before, {"pass_at"}); pass_at != nullptr && pass_at->is_object()) {
    for (const auto& [k, value] : pass_at->as_object()) watch({"pass_at", k}, true, kQuality);
  }
  for (const std::string_view kind : {"single_line", "multi_line", "random_span"}) {
    watch({"fim", kind, "exact_match"}, true, kQuality);
  }
  watch({"bits_per_byte", "model"}, false, kQuality);
  watch({"machine", "ms_per_token"}, false, kSpeed);
  watch({"machine", "first_token_ms"}, false, kSpeed);
  return changes;
}

Status CheckForRegressions(const std::vector<ScoreChange>& changes, const std::string& where) {
  std::string list;
  for (const ScoreChange& one : changes) {
    if (!one.worse) continue;
    list += fmt::format("{}{} from {:.4g} to {:.4g}", list.empty() ? "" : ", ", one.name, one.before, one.now);
  }
  if (list.empty()) return {};
  return ValidationError("worse than the baseline: " + list, where);
}

}  // namespace pintle
