// `pintle perplexity`: how well a GGUF model foretells a text.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/json.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"
#include "kernels/math.h"

namespace pintle {
namespace {

struct Options {
  std::string model, file = "-", kv = "f32";
  int64_t window = 512;
};

Status Perplexity(const Options& options, const Global& global) {
  if (options.window < 4) return UsageError("a window has 4 tokens or more", "--window");
  PINTLE_ASSIGN(const kernels::KvType kv, ParseKvType(options.kv));
  std::string text;
  if (options.file == "-") {
    text = std::string(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    PINTLE_ASSIGN(text, ReadFile(options.file, uint64_t{64} << 20));
  }
  PINTLE_ASSIGN(const std::string path, ModelPath(options.model));
  PINTLE_ASSIGN(const std::unique_ptr<GgufModel> model, GgufModel::Load(path, options.window, global.threads, kv));
  const int64_t window = std::min(options.window, model->description().plan.config.context);
  const std::vector<int32_t> ids = model->PlainPrompt(text);
  PINTLE_ASSIGN(const TextScore score, model->Score(ids, window));
  if (score.tokens == 0) {
    return ValidationError(fmt::format("the text has {} tokens, a window {}", ids.size(), window), options.file,
                           "give a longer text or a smaller --window");
  }
  const double perplexity = kernels::Exp(score.nats / static_cast<double>(score.tokens));
  if (global.json) {
    fmt::print("{}\n",
               DumpJson(boost::json::object{
                   {"perplexity", perplexity}, {"nats", score.nats}, {"tokens", score.tokens}, {"window", window}}));
  } else {
    fmt::print("perplexity {:.4f} over {} tokens in windows of {}\n", perplexity, score.tokens, window);
  }
  return {};
}

}  // namespace

void RegisterPerplexity(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("perplexity", "how well a model (GGUF) foretells a text");
  verb.Option("model", options->model, "a .gguf file, a folder of the hub or an id of `pintle models`").Required();
  verb.Option("--file", options->file, "the text; - reads standard input");
  verb.Option("--window", options->window, "tokens of a window; its second half is scored");
  verb.Option("--kv", options->kv, kKvHelp);
  verb.Run([options](const Global& global) { return Perplexity(*options, global); });
}

}  // namespace pintle
