#include "evaluate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "evaluate/gates.h"
#include "evaluate/plot.h"
#include "evaluate/report_parts.h"
#include "evaluate/run_curve.h"
#include "formats/manifest.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

/// Where the parts of a run lie.
struct Places {
  fs::path work;  // may be empty
  fs::path run_log, evaluation;
};

Places FindPlaces(const fs::path& folder) {
  std::error_code missing;
  Places places;
  if (fs::exists(folder / "run.jsonl", missing)) {
    places.run_log = folder / "run.jsonl";
    places.work = fs::absolute(folder, missing).lexically_normal().parent_path();
    if (folder.filename().empty()) places.work = places.work.parent_path();
  } else if (fs::exists(folder / "metrics.json", missing)) {
    places.evaluation = folder;
    return places;
  } else {
    places.work = folder;
    if (fs::exists(folder / "run" / "run.jsonl", missing)) places.run_log = folder / "run" / "run.jsonl";
  }
  if (fs::exists(places.work / "eval" / "metrics.json", missing)) places.evaluation = places.work / "eval";
  return places;
}

const json::value* At(const json::value& value, std::string_view key) {
  const json::object* object = value.if_object();
  return object != nullptr ? object->if_contains(key) : nullptr;
}

double Number(const json::value* value) {
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string Text(const json::value* value, const std::string& fallback = "-") {
  if (value == nullptr || value->is_null()) return fallback;
  if (value->is_string()) return std::string(value->as_string());
  return DumpJson(*value);
}

std::string Percent(const json::value* value) {
  return value != nullptr && value->is_number() ? fmt::format("{:.1f} %", 100 * Number(value)) : "-";
}

std::string Percent(const json::value* value, const json::value* interval) {
  if (interval == nullptr || !interval->is_array() || interval->as_array().size() != 2) return Percent(value);
  return fmt::format("{} ({:.1f} to {:.1f})", Percent(value), 100 * Number(&interval->as_array()[0]),
                     100 * Number(&interval->as_array()[1]));
}

void WriteTraining(const RunCurve& curve, ReportWriter& page) {
  page.Heading("Training");
  if (curve.loss.empty()) {
    page.Paragraph("No steps in run.jsonl.");
    return;
  }
  Table facts = {{"what", "value"}};
  facts.push_back({"preset, dtype, optimizer", curve.preset + ", " + curve.dtype + ", " + curve.optimizer});
  facts.push_back({"steps", fmt::format("{:.0f}", curve.loss.back().step)});
  facts.push_back({"tokens", fmt::format("{:.2f} M", static_cast<double>(curve.tokens) / 1e6)});
  facts.push_back({"loss, first and last step",
                   fmt::format("{:.3f} and {:.3f} nats a token", curve.loss.front().value, curve.loss.back().value)});
  if (!curve.validation.empty()) {
    facts.push_back(
        {"validation, first and last", fmt::format("{:.3f} and {:.3f} bits per byte", curve.validation.front().value,
                                                   curve.validation.back().value)});
  }
  if (!curve.speed.empty()) {
    std::vector<double> speeds;
    for (const CurvePoint& point : curve.speed) speeds.push_back(point.value);
    std::nth_element(speeds.begin(), speeds.begin() + static_cast<std::ptrdiff_t>(speeds.size() / 2), speeds.end());
    facts.push_back({"speed, median", fmt::format("{:.0f} tokens/s", speeds[speeds.size() / 2])});
  }
  if (!curve.stop_reason.empty()) facts.push_back({"ended", curve.stop_reason});
  page.AddTable(facts);
  page.Picture(CurveSvg("Training loss", "nats a token", {{"loss", curve.loss, false}}), "");
  if (!curve.validation.empty()) {
    page.Picture(CurveSvg("Validation", "bits per byte", {{"validation", curve.validation, true}}), "");
  }
  if (!curve.speed.empty()) page.Picture(CurveSvg("Speed", "tokens/s", {{"speed", curve.speed, false}}), "");
}

void WriteGates(const json::object& evaluation, const fs::path& run_log, ReportWriter& page) {
  page.Heading("Success metrics");
  page.Paragraph(
      "Raw values: every sample counts, and no score here let a compiler choose. What was not measured is not met.");
  Table table = {{"metric", "threshold", "raw value", "verdict"}};
  for (const Gate& gate : ComputeGates(evaluation, run_log)) {
    table.push_back({gate.name, gate.threshold, gate.value, gate.met ? "met" : "NOT MET"});
  }
  page.AddTable(table);
}

void WriteScores(const json::value& evaluation, ReportWriter& page) {
  const json::value* suites = At(evaluation, "suites");
  if (suites == nullptr || !suites->is_array()) return;
  page.Heading("Rust tasks");
  const json::value* sampling = At(evaluation, "sampling");
  if (sampling != nullptr) {
    page.Paragraph(
        fmt::format("Judged by {}. {} sample(s) a task, temperature {}, seed {}. 95 % intervals in brackets.",
                    Text(At(evaluation, "rustc"), "no compiler"), Text(At(*sampling, "samples")),
                    Text(At(*sampling, "temperature")), Text(At(evaluation, "seed"))));
  }
  Table builds = {{"suite", "problems", "type-checks", "compiles, not trivial", "trivial"}};
  Table passes = {{"suite", "passes", "compiler choosing: compiles", "compiler choosing: passes"}};
  for (const json::value& suite : suites->as_array()) {
    std::string pass;
    const json::value* pass_at = At(suite, "pass_at");
    if (pass_at != nullptr && pass_at->is_object()) {
      for (const auto& [k, value] : pass_at->as_object()) {
        pass += fmt::format("{}pass@{}: {}", pass.empty() ? "" : ", ", std::string(k), Percent(&value));
      }
    }
    const std::string name = Text(At(suite, "name"));
    builds.push_back({name, Text(At(suite, "problems")), Percent(At(suite, "type_check_rate")),
                      Percent(At(suite, "compile_rate"), At(suite, "compile_interval")),
                      Percent(At(suite, "trivial_rate"))});
    const json::value* system = At(suite, "system");
    passes.push_back({name, pass.empty() ? "-" : pass, system != nullptr ? Percent(At(*system, "compile_rate")) : "-",
                      system != nullptr ? Percent(At(*system, "pass_at_1")) : "-"});
  }
  page.AddTable(builds);
  page.AddTable(passes);
  const json::value* categories = At(evaluation, "categories");
  if (categories != nullptr && categories->is_object() && categories->as_object().size() > 1) {
    Table rows = {{"category", "problems", "compiles", "pass@1"}};
    for (const auto& [name, value] : categories->as_object()) {
      rows.push_back({std::string(name), Text(At(value, "problems")), Percent(At(value, "compile_rate")),
                      Percent(At(value, "pass_at_1"))});
    }
    page.AddTable(rows);
  }
  const json::value* codes = At(evaluation, "error_codes");
  if (codes == nullptr || !codes->is_object() || codes->as_object().empty()) return;
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [code, count] : codes->as_object()) {
    order.emplace_back(-Number(&count), code == "none" ? "syntax, no code" : std::string(code));
  }
  std::sort(order.begin(), order.end());
  constexpr size_t kMost = 12;
  if (order.size() > kMost) order.resize(kMost);
  std::vector<Bar> bars;
  std::string alternative = "First error of each sample that does not build:";
  for (const auto& [negative, name] : order) {
    bars.push_back({name, -negative, fmt::format("{:.0f}", -negative)});
    alternative += fmt::format(" {} {:.0f},", name, -negative);
  }
  alternative.back() = '.';
  page.Picture(BarsSvg("First error of each sample that does not build", bars), alternative);
}

void WriteHeldOut(const json::value& evaluation, ReportWriter& page) {
  const json::value* bits = At(evaluation, "bits_per_byte");
  const json::value* fim = At(evaluation, "fim");
  if (bits == nullptr && fim == nullptr) return;
  page.Heading("Held-out crates");
  if (bits != nullptr) {
    std::vector<Bar> bars;
    std::string alternative =
        fmt::format("Bits per byte on {} files, {} bytes:", Text(At(*bits, "files")), Text(At(*bits, "bytes")));
    for (const auto& [key, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"model", "this model"}, {"five_gram", "5-gram"}, {"xz_9", "xz -9"}, {"zstd_19", "zstd -19"}}) {
      bars.push_back({name, Number(At(*bits, key)), fmt::format("{:.3f}", Number(At(*bits, key)))});
      alternative += fmt::format(" {} {:.3f},", name, Number(At(*bits, key)));
    }
    alternative.back() = '.';
    page.Picture(BarsSvg("Bits per byte (less is better)", bars), alternative);
    page.Paragraph(
        "The compressors and the 5-gram model start from nothing on these files; the model has learnt from other "
        "crates.");
  }
  if (fim == nullptr || !fim->is_object()) return;
  Table table = {{"fill in the middle", "cases", "exact", "edit similarity"}};
  for (const auto& [kind, value] : fim->as_object()) {
    std::string name(kind);
    std::replace(name.begin(), name.end(), '_', ' ');
    table.push_back({name, Text(At(value, "cases")), Percent(At(value, "exact_match"), At(value, "interval")),
                     Percent(At(value, "edit_similarity"))});
  }
  page.AddTable(table);
}

// The first answer that passes, then the first that compiles, as something to look at.
void WriteExample(const fs::path& folder, ReportWriter& page) {
  constexpr uint64_t kMost = uint64_t{256} << 20;
  const Result<std::string> text = ReadFile(folder / "results.jsonl", kMost);
  if (!text.ok()) return;
  json::object best;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const Result<json::value> line = ParseJson(std::string_view(*text).substr(begin, end - begin), "results.jsonl");
    begin = end + 1;
    if (!line.ok() || Text(At(*line, "trivial")) != "none") continue;
    const std::string stage = Text(At(*line, "stage"));
    if (stage == "pass" || (best.empty() && stage == "run")) best = line->as_object();
    if (stage == "pass") break;
  }
  if (best.empty()) return;
  const json::value value = best;
  page.Heading("An answer");
  page.Paragraph(Text(At(value, "id")) + (Text(At(value, "stage")) == "pass" ? ": compiles and passes its tests."
                                                                             : ": compiles, but fails its tests."));
  page.CodeBlock(Text(At(value, "completion")));
}

void WriteProvenance(const Places& places, const json::object* evaluation, ReportWriter& page) {
  page.Heading("Provenance");
  Table table = {{"stage", "manifest"}};
  if (!places.work.empty()) {
    std::error_code missing;
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(places.work / "raw", missing)) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    for (const char* stage : {"filtered", "dataset", "tokenizer", "shards", "run/model", "eval"}) {
      folders.push_back(places.work / stage);
    }
    for (const fs::path& folder : folders) {
      const Result<Manifest> manifest = ReadManifest(folder);
      if (manifest.ok()) table.push_back({fs::relative(folder, places.work, missing).generic_string(), manifest->Id()});
    }
  }
  if (evaluation != nullptr) {
    const json::value value = *evaluation;
    if (const json::value* model = At(value, "model"); model != nullptr) {
      table.push_back({"weights", Text(At(*model, "weights_sha256"))});
    }
    if (const json::value* machine = At(value, "machine"); machine != nullptr) {
      table.push_back({"sandbox", Text(At(*machine, "sandbox"), "not used")});
    }
  }
  page.AddTable(table);
}

}  // namespace

Result<Report> MakeReport(const fs::path& folder) {
  const Places places = FindPlaces(folder);
  if (places.run_log.empty() && places.evaluation.empty()) {
    return RuntimeError("holds neither run.jsonl nor metrics.json", folder.string(),
                        "train with: pintle m31r train --work DIR, evaluate with: pintle m31r eval --work DIR");
  }
  json::object evaluation;
  if (!places.evaluation.empty()) {
    PINTLE_ASSIGN(evaluation, ReadEvaluation(places.evaluation));
  }
  const RunCurve curve = ReadRunCurve(places.run_log);
  const json::value value = evaluation;
  const json::value* model = At(value, "model");
  const std::string name = model != nullptr ? Text(At(*model, "name")) : curve.preset.empty() ? "run" : curve.preset;
  ReportWriter page("M31R: " + name);
  if (model != nullptr) {
    page.Paragraph(fmt::format("{:.2f} M parameters, {} tokens in the vocabulary, context of {} tokens.",
                               Number(At(*model, "parameters")) / 1e6, Text(At(*model, "vocabulary")),
                               Text(At(*model, "context"))));
  }
  WriteGates(evaluation, places.run_log, page);
  if (!evaluation.empty()) {
    WriteScores(value, page);
    WriteHeldOut(value, page);
    WriteExample(places.evaluation, page);
  } else {
    page.Paragraph("Not evaluated yet.");
  }
  if (!places.run_log.empty()) WriteTraining(curve, page);
  WriteProvenance(places, evaluation.empty() ? nullptr : &evaluation, page);
  return Report{page.Html(), page.Markdown()};
}

Status WriteReport(const Report& report, const fs::path& out) {
  PINTLE_RETURN_IF_ERROR(MakeFolder(out));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(out / "report.html", report.html));
  return WriteFileAtomic(out / "report.md", report.markdown);
}

}  // namespace pintle
