// `pintle trm parity FILE`: how far the engine is from the reference implementation.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "models/trm/parity.h"

namespace pintle {

void RegisterTrmParity(Command& trm) {
  auto file = std::make_shared<std::string>();
  Command& verb = trm.Add("parity", "compare steps of the recursion with the reference's vectors");
  verb.Option("file", *file, "a .safetensors file of reference vectors").Required();
  verb.Run([file](const Global& global) -> Status {
    ThreadPool pool(global.threads);
    PINTLE_ASSIGN(const TrmParityReport report, RunTrmParity(*file, false, pool));
    const struct {
      const char* name;
      double error;
      std::string worst;
    } rows[] = {{"logits", report.logits, ""},
                {"q_halt", report.q_halt, ""},
                {"loss", report.loss, ""},
                {"z", report.z, ""},
                {"grad", report.grad, report.worst_grad},
                {"optimizer", report.optimizer, report.worst_optimizer}};
    bool met = true;
    boost::json::object json;
    for (const auto& row : rows) {
      met = met && row.error <= kTrmParity;
      json[row.name] = row.error;
    }
    json["drift"] = report.drift;
    if (global.json) {
      fmt::print("{}\n", DumpJson(json));
    } else {
      fmt::print("largest relative error over {} steps, fp32\n", report.steps);
      for (const auto& row : rows) {
        fmt::print("{:<10} {:>9.2e}  limit {:.0e}  {}{}\n", row.name, row.error, kTrmParity,
                   row.error <= kTrmParity ? "met" : "NOT MET",
                   row.worst.empty() ? "" : "  (worst: " + row.worst + ")");
      }
      fmt::print("{:<10} {:>9.2e}  of a carry of our own over all steps\n", "drift", report.drift);
    }
    if (met) return {};
    return ValidationError("the engine is off the reference by more than the limits", *file);
  });
}

}  // namespace pintle
