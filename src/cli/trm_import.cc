// `pintle trm import FILE` and `pintle trm export`: checkpoints of the reference implementation, in and out.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "models/trm/import.h"
#include "models/trm/model_folder.h"

namespace pintle {
namespace {

Status Import(const std::string& file, const std::string& out, const TrmImportOptions& options, const Global& global) {
  ThreadPool pool(global.threads);
  PINTLE_ASSIGN(const std::unique_ptr<Trm> model, ImportTrm(file, options, pool));
  if (global.dry_run) {
    fmt::print("would write the {} parameters of {} to {}\n", TrmParameterCount(model->config()), file, out);
    return {};
  }
  PINTLE_ASSIGN(const std::string sha256, SaveTrm(out, *model, {{"imported", "from a checkpoint of the reference"}}));
  const TrmConfig& config = model->config();
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"weights", sha256},
                                                    {"parameters", TrmParameterCount(config)},
                                                    {"cells", config.cells},
                                                    {"width", config.width}}));
  } else {
    fmt::print("{}: {} parameters, {} cells, width {}\n", out, TrmParameterCount(config), config.cells, config.width);
  }
  return {};
}

}  // namespace

void RegisterTrmImport(Command& trm) {
  auto file = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  auto options = std::make_shared<TrmImportOptions>();
  Command& import = trm.Add("import", "make a model folder of a published checkpoint (.pt or .safetensors)");
  import.Option("file", *file, "the checkpoint").Required();
  import.Option("--out", *out, "the model folder").Required();
  import.Option("--cells", options->cells, "cells of a puzzle (attention models do not say)");
  import.Option("--prefix", options->prefix, "prefix positions");
  import.Option("--heads", options->heads, "attention heads");
  import.Option("--h-cycles", options->h_cycles, "H cycles");
  import.Option("--l-cycles", options->l_cycles, "L cycles");
  import.Run([=](const Global& global) { return Import(*file, *out, *options, global); });

  auto model = std::make_shared<std::string>();
  auto target = std::make_shared<std::string>();
  Command& verb = trm.Add("export", "write a model's weights as safetensors with the reference's names");
  verb.Option("--model", *model, "the model folder").Required();
  verb.Option("--out", *target, "the .safetensors file").Required();
  verb.Run([=](const Global& global) -> Status {
    ThreadPool pool(global.threads);
    PINTLE_ASSIGN(const LoadedTrm loaded, LoadTrm(*model, false, pool));
    if (global.dry_run) {
      fmt::print("would write the weights of {} to {}\n", *model, *target);
      return {};
    }
    return ExportTrm(*loaded.model, *target);
  });
}

}  // namespace pintle
