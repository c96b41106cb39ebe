// `m31r filter`: arguments, one call, the counts.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/json.h"
#include "base/log.h"
#include "cli/data_files.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "corpus/filter.h"

namespace pintle {
namespace {

struct Options {
  std::string work, benchmarks;
};

void Print(const StageSummary& summary, const Global& global) {
  if (global.json) {
    boost::json::object counts;
    for (const auto& [name, count] : summary.counts) counts[name] = count;
    const boost::json::object root{{"filtered", summary.id}, {"up_to_date", summary.up_to_date}, {"counts", counts}};
    fmt::print("{}\n", DumpJson(root));
    return;
  }
  for (const auto& [name, count] : summary.counts) fmt::print("{:<48} {:>14}\n", name, count);
  fmt::print("{:<48} {}{}\n", "manifest", summary.id, summary.up_to_date ? " (up to date)" : "");
}

}  // namespace

void RegisterM31rFilter(Command& m31r) {
  Command& verb = m31r.Add("filter", "choose the files worth learning from; every rejection goes to the ledger");
  auto options = std::make_shared<Options>();
  verb.Option("--work", options->work, "the work folder").Required();
  verb.Option("--benchmarks", options->benchmarks,
              "folder of task files (*.jsonl) that the corpus must not contain; the shipped ones if not given");
  verb.Run([options](const Global& global) -> Status {
    FilterOptions filter;
    filter.work = options->work;
    PINTLE_ASSIGN(filter.benchmarks, FindBenchmarks(options->benchmarks));
    filter.threads = global.threads;
    const ConfigFields fields = [&filter](ConfigVisitor& v) { filter.config.Visit(v); };
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
    if (global.dry_run) {
      fmt::print("would filter {}/raw into {}/filtered with\n{}", options->work, options->work, DumpConfig(fields));
      return {};
    }
    PINTLE_ASSIGN(const StageSummary summary, RunFilter(filter));
    Print(summary, global);
    return {};
  });
}

}  // namespace pintle
