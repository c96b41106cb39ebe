#include "train/trm_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>

#include "base/file.h"
#include "base/json.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

constexpr const char* kMixing[] = {"token", "attention", "local"};

std::string Percent(const std::string& share) {
  return fmt::format("{:.2f} %", 100 * std::strtod(share.c_str(), nullptr));
}

// A row for each validation of the log.
std::string Curve(const std::filesystem::path& run_log) {
  const auto text = ReadFile(run_log, 1 << 30);
  if (!text.ok()) return "";
  std::string rows;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const auto line = ParseJson(std::string_view(*text).substr(begin, end - begin), "run.jsonl");
    begin = end + 1;
    if (!line.ok() || !line->is_object()) continue;
    const auto* type = line->as_object().if_contains("type");
    if (type == nullptr || *type != "validation") continue;
    const auto number = [&](const char* key) {
      const auto* value = line->as_object().if_contains(key);
      return value != nullptr && value->is_number() ? value->to_number<double>() : 0.0;
    };
    rows += fmt::format("| {:.0f} | {:.1f} % | {:.2f} % | {:.1f} | {:.0f} |\n", number("step"), 100 * number("exact"),
                        100 * number("cells"), number("mean_steps"), number("count"));
  }
  if (rows.empty()) return "";
  return "\n## Curve\nOn unseen puzzles; mean steps until the halting head is content.\n\n"
         "| step | exact | cells | mean steps | puzzles |\n|---|---|---|---|---|\n" +
         rows;
}

}  // namespace

std::string TrmCard(const TrmConfig& network, const std::map<std::string, std::string>& notes,
                    const std::string& weights_sha256, const std::filesystem::path& run_log) {
  const auto note = [&](const char* key) {
    const auto found = notes.find(key);
    return found == notes.end() ? std::string("?") : found->second;
  };
  std::string card = fmt::format(
      "# {}\n\nA Tiny Recursive Model for the task `{}`, trained from random initialisation by {} on puzzles made as "
      "they "
      "were needed.\n\n",
      note("task"), note("task"), kToolVersion);
  card += fmt::format(
      "| | |\n|---|---|\n| parameters | {} |\n| network | D {}, {} layers, {} mixing, T {}, n {}, {} arithmetic |\n"
      "| trained on | {} puzzles in {} steps, seed {} |\n"
      "| exact, {} unseen puzzles, depth {} | {} (baseline {}) |\n| cells | {} (baseline {}) |\n| origin | {} |\n"
      "| weights | `{}` |\n",
      note("parameters"), network.width, network.layers, kMixing[static_cast<int>(network.mixing)], network.h_cycles,
      network.l_cycles, network.dtype == DType::kBF16 ? "bf16" : "fp32", note("puzzles"), note("steps"), note("seed"),
      note("evaluated"), note("depth"), Percent(note("exact")), Percent(note("baseline_exact")), Percent(note("cells")),
      Percent(note("baseline_cells")), note("origin"), weights_sha256);
  card += Curve(run_log);
  return card +
         "\n## Make it again\nThe same bytes for any number of threads: save the settings below as settings.toml, then "
         "`pintle trm train --config settings.toml --out DIR`.\n\n```toml\n" +
         note("settings") + "```\n";
}

}  // namespace pintle
