// `pintle models`: the models that are known by name, which of them are here, and which this machine can hold.
#include <fmt/format.h>

#include "base/time.h"
#include "catalogue/pull.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

std::string StateText(const CatalogueRow& row) {
  if (row.file.state != ModelState::kPartial) return row.state;
  return fmt::format("partial {:.0f} %", 100 * row.progress);
}

Status List(const Global& global) {
  const ModelStore store = ModelStore::OfUser();
  std::string json;
  if (!global.json)
    fmt::print("{:<16} {:>9} {:>9}  {:<5} {:<13} {}\n", "id", "file", "memory", "fits", "state", "licence");
  for (const CatalogueModel& model : ShippedCatalogue()) {
    const CatalogueRow row = MakeCatalogueRow(model, store);
    json += (json.empty() ? "" : ",") + CatalogueRowJson(row);
    if (global.json) continue;
    fmt::print("{:<16} {:>9} {:>9}  {:<5} {:<13} {}{}\n", model.id, HumanBytes(static_cast<double>(model.bytes)),
               HumanBytes(static_cast<double>(model.ram_bytes)), row.fits ? "yes" : "no", StateText(row), model.licence,
               model.gated ? ", gated" : "");
  }
  std::string others;
  for (const std::string& file : store.Files()) {
    bool known = false;
    for (const CatalogueModel& model : ShippedCatalogue()) known = known || model.file == file;
    if (known) continue;
    const ModelFile found = store.Look(file);
    if (global.json) {
      others += fmt::format(R"({}{{"file":"{}","size_bytes":{},"state":"{}"}})", others.empty() ? "" : ",", file,
                            found.bytes, ModelStateName(found.state));
    } else {
      fmt::print("{:<16} {:>9} {:>9}  {:<5} {:<13}\n", file, HumanBytes(static_cast<double>(found.bytes)), "", "",
                 ModelStateName(found.state));
    }
  }
  if (global.json) fmt::print("{{\"models\":[{}],\"others\":[{}]}}\n", json, others);
  return {};
}

}  // namespace

void RegisterModelsList(Command& models) { models.Run(List); }

}  // namespace pintle
