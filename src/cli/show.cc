// `pintle show`: what a GGUF file holds, after every check that a load makes short of reading weights.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "base/time.h"
#include "cli/gguf_verbs.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

struct Options {
  std::string model, prompt;
  bool no_think = false;
};

// The text and the ids of a one-question conversation.
Status ShowPrompt(const GgufDescription& description, const Options& options, boost::json::object& out) {
  if (!description.chat) return ValidationError("the model has no chat format that is known here", options.model);
  PINTLE_ASSIGN(const std::vector<PromptPart> parts,
                RenderChat(*description.chat, {{"user", options.prompt}}, !options.no_think));
  PINTLE_ASSIGN(const std::vector<int32_t> ids, EncodePrompt(*description.vocabulary, parts));
  std::string text;
  for (const PromptPart& part : parts) text += part.text;
  out["prompt"] = text;
  out["ids"] = boost::json::array(ids.begin(), ids.end());
  return {};
}

Status Show(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const GgufDescription description, DescribeGguf(options.model, 0));
  const GgufPlan& plan = description.plan;
  const DecoderConfig& config = plan.config;
  boost::json::object out = {
      {"name", description.name},
      {"parameters", ParameterCount(config)},
      {"layers", config.layers},
      {"width", config.width},
      {"ffn", config.ffn},
      {"heads", config.heads},
      {"kv_heads", config.kv_heads},
      {"head_dim", config.head_dim},
      {"vocabulary", config.vocab},
      {"tokens", description.vocabulary->size()},
      {"context", config.context},
      {"types", plan.types},
      {"tokenizer", description.vocabulary->kind()},
      {"chat", description.chat ? std::string(ChatFormatName(*description.chat)) : std::string("none")},
      {"origin", config.origin},
      {"file_bytes", description.file_bytes},
      {"weight_bytes", plan.weight_bytes},
      {"kv_bytes_per_position",
       plan.kv_bytes / ((config.context + KvCache::kPage - 1) / KvCache::kPage * KvCache::kPage)}};
  if (!options.prompt.empty()) PINTLE_RETURN_IF_ERROR(ShowPrompt(description, options, out));
  if (global.json) {
    fmt::print("{}\n", DumpJson(out));
    return {};
  }
  for (const auto& [key, value] : out) {
    const std::string text = value.is_string() && key != "prompt" ? std::string(value.get_string()) : DumpJson(value);
    fmt::print("{:<22} {}\n", std::string_view(key), text);
  }
  return {};
}

}  // namespace

void RegisterShow(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("show", "check a model file (GGUF) and say what it is");
  verb.Option("model", options->model, "the .gguf file").Required();
  verb.Option("--prompt", options->prompt, "also print the exact prompt and ids for this question");
  verb.Flag("--no-think", options->no_think, "Qwen3: the prompt for an answer without thoughts");
  verb.Run([options](const Global& global) { return Show(*options, global); });
}

}  // namespace pintle
