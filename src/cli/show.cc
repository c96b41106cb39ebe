// `pintle show`: what a GGUF file holds, after every check that a load makes short of reading weights.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

constexpr int64_t kMaxFile = 8 << 20;

struct Options {
  std::string model, prompt, tools;
  bool no_think = false;
};

std::string ChatName(const GgufDescription& description) {
  if (description.chat) return std::string(ChatFormatName(*description.chat));
  return description.chat_template != nullptr ? "the file's template" : "none";
}

// The text and the ids of a one-question conversation, with tools if there are any.
Status ShowPrompt(const GgufDescription& description, const Options& options, boost::json::object& out) {
  std::vector<ChatTool> tools;
  if (!options.tools.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.tools, kMaxFile));
    PINTLE_ASSIGN(tools, ParseTools(text, options.tools));
  }
  PINTLE_ASSIGN(const std::vector<PromptPart> parts,
                ChatParts(description, {{"user", options.prompt}}, !options.no_think, tools));
  PINTLE_ASSIGN(const std::vector<int32_t> ids, EncodePrompt(*description.vocabulary, parts));
  std::string text;
  for (const PromptPart& part : parts) text += part.text;
  out["prompt"] = text;
  out["ids"] = boost::json::array(ids.begin(), ids.end());
  return {};
}

Status Show(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const std::string path, ModelPath(options.model));
  PINTLE_ASSIGN(const GgufDescription description, DescribeGguf(path, 0));
  const GgufPlan& plan = description.plan;
  const DecoderConfig& config = plan.config;
  boost::json::object out = {{"name", description.name},
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
                             {"chat", ChatName(description)},
                             {"origin", config.origin},
                             {"file_bytes", description.file_bytes},
                             {"weight_bytes", plan.weight_bytes},
                             {"kv_bytes_per_position", plan.kv_bytes / ((config.context + KvCache::kPage - 1) /
                                                                        KvCache::kPage * KvCache::kPage)}};
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
  verb.Option("model", options->model, "a .gguf file, a folder of the hub or an id of `pintle models`").Required();
  verb.Option("--prompt", options->prompt, "also print the exact prompt and ids for this question");
  verb.Option("--tools", options->tools, "functions for the prompt: a JSON array as OpenAI's API has it");
  verb.Flag("--no-think", options->no_think, "Qwen3: the prompt for an answer without thoughts");
  verb.Run([options](const Global& global) { return Show(*options, global); });
}

}  // namespace pintle
