// `pintle m31r dataset`: the filtered documents in, train, val and test out.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "corpus/dataset.h"

namespace pintle {

void RegisterM31rDataset(Command& m31r) {
  Command& verb = m31r.Add("dataset", "split the documents by crate into train, val and test, with a quality report");
  auto work = std::make_shared<std::string>();
  verb.Option("--work", *work, "the work folder").Required();
  verb.Run([work](const Global& global) -> Status {
    DatasetOptions dataset;
    dataset.work = *work;
    dataset.threads = global.threads;
    const ConfigFields fields = [&dataset](ConfigVisitor& v) { dataset.config.Visit(v); };
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
    if (global.dry_run) {
      fmt::print("would make {0}/dataset of {0}/filtered with\n{1}", *work, DumpConfig(fields));
      return {};
    }
    PINTLE_ASSIGN(const StageSummary summary, RunDataset(dataset));
    if (global.json) {
      boost::json::object counts;
      for (const auto& [name, count] : summary.counts) counts[name] = count;
      fmt::print("{}\n", DumpJson(boost::json::object{
                             {"dataset", summary.id}, {"up_to_date", summary.up_to_date}, {"counts", counts}}));
      return {};
    }
    for (const auto& [name, count] : summary.counts) fmt::print("{:<24} {:>14}\n", name, count);
    fmt::print("{:<24} {}{}\n", "manifest", summary.id, summary.up_to_date ? " (up to date)" : "");
    return {};
  });
}

}  // namespace pintle
