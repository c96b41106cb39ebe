// `pintle m31r export`: a release folder from a trained model.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "train/export.h"

namespace pintle {

void RegisterM31rExport(Command& m31r) {
  struct Options {
    std::string model, out, metrics, format = "gguf", type = "bf16";
  };
  auto options = std::make_shared<Options>();
  Command& verb = m31r.Add("export", "write a release: safetensors, or GGUF that llama.cpp runs");
  verb.Option("--model", options->model, "a model folder (WORK/run/model)").Required();
  verb.Option("--out", options->out, "the release folder").Required();
  verb.Option("--format", options->format, "safetensors or gguf");
  verb.Option("--type", options->type, "f32, f16, bf16, or q8_0 (gguf)");
  verb.Option("--metrics", options->metrics, "metrics.json of an evaluation, for the card");
  verb.Run([options](const Global& global) -> Status {
    const ExportOptions request{options->model, options->out, options->metrics, options->format, options->type};
    if (global.dry_run) {
      fmt::print("would write {} {} of {} to {}\n", options->format, options->type, options->model, options->out);
      return {};
    }
    PINTLE_ASSIGN(const ExportSummary summary, ExportModel(request));
    if (global.json) {
      fmt::print(
          "{}\n",
          DumpJson(boost::json::object{
              {"id", summary.id}, {"weights", summary.weights}, {"sha256", summary.sha256}, {"bytes", summary.bytes}}));
    } else {
      fmt::print("{}/{} ({}), sha256 {}\n", options->out, summary.weights,
                 HumanBytes(static_cast<double>(summary.bytes)), summary.sha256);
    }
    return {};
  });
}

}  // namespace pintle
