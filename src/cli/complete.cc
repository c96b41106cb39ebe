// `pintle complete`: go on from a text or from token ids with a GGUF model; or write the logits of given ids for
// comparison with other engines. --top-logprobs shows how sure the model was.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

struct Options {
  std::string model, prompt, logits, ids;
  int64_t context = kDefaultContext;
  std::string kv = "f32";
  SampleOptions sample;
  AnswerForm form;
};

// "1,2,3"
Result<std::vector<int32_t>> ParseIds(std::string_view text) {
  std::vector<int32_t> ids;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string word(text.substr(0, end));
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || stop != word.data() + word.size()) {
      return UsageError("'" + word + "' is no token id", "--ids");
    }
    ids.push_back(id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

boost::json::array LogprobsJson(const Completion& answer) {
  const auto one = [](const TokenLogprob& token) {
    return boost::json::object{{"id", token.id}, {"text", token.bytes}, {"logprob", token.logprob}};
  };
  boost::json::array all;
  for (const TokenChoice& choice : answer.logprobs) {
    boost::json::object token = one(choice.chosen);
    boost::json::array& top = token["top"].emplace_array();
    for (const TokenLogprob& other : choice.top) top.push_back(one(other));
    all.push_back(std::move(token));
  }
  return all;
}

Status Complete(Options options, const Global& global) {
  options.sample.seed = global.seed;
  PINTLE_RETURN_IF_ERROR(ValidateSampleOptions(options.sample));
  PINTLE_RETURN_IF_ERROR(ReadForm(options.form, options.sample));
  PINTLE_ASSIGN(const kernels::KvType kv, ParseKvType(options.kv));
  PINTLE_ASSIGN(const std::string path, ModelPath(options.model));
  PINTLE_ASSIGN(const std::unique_ptr<GgufModel> model, GgufModel::Load(path, options.context, global.threads, kv));
  LogInfo("complete", PlanLine(model->description()));
  std::vector<int32_t> prompt;
  if (!options.ids.empty()) {
    PINTLE_ASSIGN(prompt, ParseIds(options.ids));
  } else {
    if (options.prompt.empty()) options.prompt = std::string(std::istreambuf_iterator<char>(std::cin), {});
    prompt = model->PlainPrompt(options.prompt);
  }
  if (prompt.empty()) return UsageError("the prompt is empty", "", "give --prompt, --ids, or pipe a text in");
  if (!options.logits.empty()) {
    PINTLE_ASSIGN(const std::vector<float> logits, model->Logits(prompt));
    return WriteFileAtomic(options.logits,
                           {reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(float)});
  }
  const TextModel::OnText stream = [&](std::string_view text) {
    if (!global.json) {
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    }
    return !Interrupted();
  };
  PINTLE_ASSIGN(const Completion answer, model->Run(prompt, options.sample, stream));
  LogInfo("complete", SpeedLine(*model, answer));
  if (!global.json) {
    fmt::print("\n");
    return {};
  }
  boost::json::array ids(answer.ids.begin(), answer.ids.end());
  boost::json::object out = {{"model", model->description().name},
                             {"text", answer.text},
                             {"ids", std::move(ids)},
                             {"finish_reason", answer.finish_reason},
                             {"seed", options.sample.seed},
                             {"mean_logprob", answer.mean_logprob},
                             {"prompt_tokens", answer.prompt_tokens},
                             {"completion_tokens", static_cast<int64_t>(answer.ids.size())},
                             {"guessed_tokens", answer.guessed_tokens},
                             {"right_guesses", answer.right_guesses}};
  if (options.sample.top_logprobs >= 0) out["logprobs"] = LogprobsJson(answer);
  fmt::print("{}\n", DumpJson(out));
  return {};
}

}  // namespace

void RegisterComplete(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("complete", "go on from a text with a model (GGUF)");
  verb.Option("model", options->model, "a .gguf file, a folder of the hub or an id of `pintle models`").Required();
  verb.Option("--prompt", options->prompt, "the text (default: standard input)");
  verb.Option("--ids", options->ids, "token ids instead of a text: 1,2,3");
  verb.Option("--logits", options->logits, "write float32 logits [positions, vocabulary] of the prompt here, and end");
  verb.Option("--top-logprobs", options->sample.top_logprobs,
              "with --json: the log-probability of each token and of so many alternatives");
  verb.Option("--context", options->context, "positions to reserve at most");
  verb.Option("--kv", options->kv, kKvHelp);
  AddSampleOptions(verb, options->sample);
  AddFormOptions(verb, options->form);
  verb.Run([options](const Global& global) { return Complete(*options, global); });
}

}  // namespace pintle
