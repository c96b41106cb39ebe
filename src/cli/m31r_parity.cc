// `pintle m31r parity FILE`: how far the engine is from a float64 reference.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "models/decoder/parity.h"

namespace pintle {

void RegisterM31rParity(Command& m31r) {
  auto file = std::make_shared<std::string>();
  Command& verb = m31r.Add("parity", "compare training steps with a float64 reference's vectors");
  verb.Option("file", *file, "a .safetensors file of reference vectors").Required();
  verb.Run([file](const Global& global) -> Status {
    ThreadPool pool(global.threads);
    PINTLE_ASSIGN(const ParityReport report, RunParity(*file, pool));
    if (global.json) {
      fmt::print("{}\n", DumpJson(boost::json::object{{"logits", report.logits},
                                                      {"loss", report.loss},
                                                      {"grad", report.grad},
                                                      {"optimizer", report.optimizer}}));
    } else {
      const auto line = [](const char* name, double error, double limit, const std::string& worst) {
        fmt::print("{:<10} {:>9.2e}  limit {:.0e}  {}{}\n", name, error, limit, error <= limit ? "met" : "NOT MET",
                   worst.empty() ? "" : "  (worst: " + worst + ")");
      };
      fmt::print("largest relative error over {} steps, fp32\n", report.steps);
      line("logits", report.logits, kParityForward, "");
      line("loss", report.loss, kParityForward, "");
      line("grad", report.grad, kParityGradient, report.worst_grad);
      line("optimizer", report.optimizer, kParityGradient, report.worst_optimizer);
    }
    if (report.logits <= kParityForward && report.loss <= kParityForward && report.grad <= kParityGradient &&
        report.optimizer <= kParityGradient) {
      return {};
    }
    return ValidationError("the engine is off the reference by more than the limits", *file);
  });
}

}  // namespace pintle
