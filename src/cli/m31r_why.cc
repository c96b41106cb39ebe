// `pintle m31r why PATH`: the fate of a file, from the ledger.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>

#include "base/json.h"
#include "cli/verbs.h"
#include "corpus/ledger.h"

namespace pintle {
namespace {

struct Options {
  std::string path, work;
};

// The rows that stay in the place of this one, one after the other.
Result<std::vector<LedgerRow>> Keepers(const LedgerReader& ledger, const LedgerRow& row) {
  constexpr size_t kMaxSteps = 8;
  std::vector<LedgerRow> keepers;
  for (int64_t id = row.keeper; id > 0 && keepers.size() < kMaxSteps; id = keepers.back().keeper) {
    PINTLE_ASSIGN(auto keeper, ledger.Row(id));
    if (!keeper) return ValidationError("row " + std::to_string(id) + " of the ledger is missing");
    keepers.push_back(*std::move(keeper));
  }
  return keepers;
}

boost::json::object ToJson(const LedgerRow& row, const std::vector<LedgerRow>& keepers) {
  boost::json::object object{{"source", row.source},
                             {"path", row.path},
                             {"sha256", row.sha256},
                             {"size", row.size},
                             {"fate", row.rule == Rule::kKept ? "kept" : "rejected"},
                             {"rule", RuleId(row.rule)},
                             {"measure", RuleMeasure(row.rule)},
                             {"value", row.value},
                             {"detail", row.detail},
                             {"licence", row.licence},
                             {"licence_found", row.licence_found},
                             {"licence_from", row.licence_from},
                             {"crate", row.crate},
                             {"version", row.version},
                             {"mails_redacted", row.mails}};
  auto& chain = object["keepers"].emplace_array();
  for (const auto& keeper : keepers) {
    chain.push_back(
        boost::json::object{{"source", keeper.source}, {"path", keeper.path}, {"rule", RuleId(keeper.rule)}});
  }
  return object;
}

void Print(const LedgerRow& row, const std::vector<LedgerRow>& keepers) {
  fmt::print("{}/{}\n", row.source, row.path);
  if (row.rule == Rule::kKept) {
    fmt::print("  kept       document {} of filtered/documents.jsonl.zst, {} bytes raw{}\n", row.document, row.size,
               row.mails > 0 ? fmt::format(", {} e-mail addresses replaced", row.mails) : "");
  } else {
    fmt::print("  rejected   {}: {} ({}){}\n", RuleId(row.rule), row.value, RuleMeasure(row.rule),
               row.detail.empty() ? "" : ": " + row.detail);
  }
  const std::string found = row.licence_found.empty() ? "none found" : row.licence_found;
  fmt::print("  licence    {}{}{}\n", row.licence.empty() ? "not permissive" : row.licence,
             row.licence == found ? "" : ", from the expression " + found,
             row.licence_from.empty() ? "" : " (" + row.licence_from + ")");
  fmt::print("  crate      {} {}\n", row.crate, row.version);
  for (const auto& keeper : keepers) {
    fmt::print("  instead    {}/{} ({})\n", keeper.source, keeper.path, RuleId(keeper.rule));
  }
}

}  // namespace

void RegisterM31rWhy(Command& m31r) {
  Command& verb = m31r.Add("why", "why a file is in the corpus, or is not");
  auto options = std::make_shared<Options>();
  verb.Option("path", options->path, "a path as in the source, or the end of one").Required();
  verb.Option("--work", options->work, "the work folder").Required();
  verb.Run([options](const Global& global) -> Status {
    constexpr int kMaxRows = 20, kMaxSuggestions = 5;
    PINTLE_ASSIGN(const LedgerReader ledger,
                  LedgerReader::Open(std::filesystem::path(options->work) / "filtered" / "ledger.sqlite"));
    PINTLE_ASSIGN(const auto rows, ledger.Find(options->path, kMaxRows));
    if (rows.empty()) {
      PINTLE_ASSIGN(const auto near, ledger.Suggest(options->path, kMaxSuggestions));
      return UsageError("no file of the sources has this path", options->path,
                        near.empty() ? "paths are those of the archive, without its top folder"
                                     : fmt::format("did you mean {}?", fmt::join(near, ", or ")));
    }
    boost::json::array list;
    for (const LedgerRow& row : rows) {
      PINTLE_ASSIGN(const auto keepers, Keepers(ledger, row));
      if (global.json) {
        list.push_back(ToJson(row, keepers));
      } else {
        Print(row, keepers);
      }
    }
    if (global.json) fmt::print("{}\n", DumpJson(list));
    return {};
  });
}

}  // namespace pintle
