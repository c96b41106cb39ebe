// `pintle models synth`: files with random weights in the shapes of real models. `pintle quantize`: other types for the
// matrices of a file.
#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "models/decoder/synth.h"

namespace pintle {
namespace {

constexpr int64_t kMaxTemplate = 1 << 20;

}  // namespace

void RegisterModels(Command& pintle) {
  struct Options {
    std::string arch, type = "q4_k_m", out, chat_template;
    int64_t context = 0;
  };
  auto options = std::make_shared<Options>();
  std::string names;
  for (const std::string& name : SynthNames()) names += (names.empty() ? "" : ", ") + name;
  Command& models = pintle.Add("models", "the models known by name: which are here, which fit this machine");
  Command& verb = models.Add("synth", "write a model with random weights, to measure with");
  verb.Option("--arch", options->arch, "its shape: " + names).Required();
  verb.Option("--type", options->type, "of its matrices: q4_k_m, q8_0, f32, ...");
  verb.Option("--out", options->out, "the .gguf file to write").Required();
  verb.Option("--chat-template", options->chat_template, "a file with a template to put into it (default: ChatML)");
  verb.Option("--context", options->context, "positions that it says it knows; 0 = as the model of that shape");
  verb.Run([options](const Global& global) -> Status {
    std::string chat_template;
    if (!options->chat_template.empty()) {
      PINTLE_ASSIGN(chat_template, ReadFile(options->chat_template, kMaxTemplate));
    }
    if (global.dry_run) {
      fmt::print("would write {} of {} to {}\n", options->type, options->arch, options->out);
      return {};
    }
    return WriteSynthModel(options->arch, options->type, global.seed, options->out, chat_template, options->context);
  });
  RegisterModelsList(models);
  RegisterModelsLoad(models);
}

void RegisterQuantize(Command& pintle) {
  struct Options {
    std::string in, out, type;
  };
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("quantize", "write a model (GGUF) with its matrices in another type");
  verb.Option("in", options->in, "the .gguf file or folder of the hub to read").Required();
  verb.Option("out", options->out, "the .gguf file to write").Required();
  verb.Option("--type", options->type,
              "q8_0, q6_k, q5_k_m, q5_k_s, q5_1, q5_0, q4_k_m, q4_k_s, iq4_xs, iq4_nl, q4_1, q4_0, f16, bf16, f32")
      .Required();
  verb.Run([options](const Global& global) -> Status {
    if (global.dry_run) {
      fmt::print("would write {} as {} to {}\n", options->in, options->type, options->out);
      return {};
    }
    const double start = MonotonicSeconds();
    PINTLE_RETURN_IF_ERROR(QuantizeGguf(options->in, options->type, options->out, global.threads));
    LogInfo("quantize", fmt::format("{} written in {:.1f} s", options->out, MonotonicSeconds() - start));
    return {};
  });
}

}  // namespace pintle
