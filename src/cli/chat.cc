// `pintle chat`: talk with a GGUF model on the terminal, or ask it once from the arguments or a pipe.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/interrupt.h"
#include "base/log.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"

namespace pintle {
namespace {

struct Options {
  std::string model, system;
  std::vector<std::string> words;
  int64_t context = kDefaultContext;
  std::string kv = "f32";
  bool no_think = false;
  SampleOptions sample;
  AnswerForm form;
};

constexpr const char* kHelp =
    "/new forgets the conversation, /system TEXT sets the system text and forgets, /quit ends; a line that ends in \\ "
    "goes "
    "on in the next";

// One turn: streams the answer to stdout and adds it to the conversation.
Status Answer(GgufModel& model, const Options& options, std::vector<ChatMessage>& talk) {
  PINTLE_ASSIGN(const std::vector<int32_t> prompt, model.ChatPrompt(talk, !options.no_think));
  const TextModel::OnText stream = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return !Interrupted();
  };
  PINTLE_ASSIGN(const Completion answer, model.Run(prompt, options.sample, stream));
  fmt::print("\n");
  LogInfo("chat", SpeedLine(model, answer));
  talk.push_back({"assistant", answer.text});
  return {};
}

std::vector<ChatMessage> Begin(const std::string& system) {
  if (system.empty()) return {};
  return {{"system", system}};
}

// A message of one or more lines; false at the end of input.
bool ReadMessage(std::string& message) {
  message.clear();
  std::string line;
  fmt::print(stderr, "> ");
  while (std::getline(std::cin, line)) {
    const bool more = line.ends_with('\\');
    if (more) line.back() = '\n';
    message += line;
    if (!more) return true;
    fmt::print(stderr, "| ");
  }
  return !message.empty();
}

Status Talk(GgufModel& model, Options& options) {
  fmt::print(stderr, "{}\n", kHelp);
  std::vector<ChatMessage> talk = Begin(options.system);
  std::string message;
  while (ReadMessage(message)) {
    if (message.empty()) continue;
    if (message == "/quit" || message == "/exit") break;
    if (message == "/new" || message.starts_with("/system ")) {
      if (message != "/new") options.system = message.substr(8);
      talk = Begin(options.system);
      continue;
    }
    if (message.starts_with('/')) {
      fmt::print(stderr, "{}\n", kHelp);
      continue;
    }
    talk.push_back({"user", message});
    SetInterrupted(false);
    // What cannot be answered (a conversation longer than the context) is said, and the message taken back.
    if (const Status status = Answer(model, options, talk); !status.ok()) {
      PrintError(status.error());
      talk.pop_back();
    }
  }
  return {};
}

Status Chat(Options options, const Global& global) {
  options.sample.seed = global.seed;
  PINTLE_RETURN_IF_ERROR(ValidateSampleOptions(options.sample));
  PINTLE_RETURN_IF_ERROR(ReadForm(options.form, options.sample));
  PINTLE_ASSIGN(const kernels::KvType kv, ParseKvType(options.kv));
  PINTLE_ASSIGN(options.model, ModelPathOrBest(options.model));
  PINTLE_ASSIGN(const GgufDescription description, DescribeGguf(options.model, options.context, kv));
  LogInfo("chat", PlanLine(description));
  if (global.dry_run) return {};
  PINTLE_ASSIGN(const std::unique_ptr<GgufModel> model,
                GgufModel::Load(options.model, options.context, global.threads, kv));
  std::string question;
  for (const std::string& word : options.words) question += (question.empty() ? "" : " ") + word;
  if (question.empty() && isatty(STDIN_FILENO) != 0) return Talk(*model, options);
  if (question.empty()) question = std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (question.empty()) return UsageError("there is nothing to answer", "", "give a question, or pipe one in");
  std::vector<ChatMessage> talk = Begin(options.system);
  talk.push_back({"user", question});
  return Answer(*model, options, talk);
}

}  // namespace

void RegisterChat(Command& pintle) {
  auto options = std::make_shared<Options>();
  options->sample.max_tokens = 1024;
  Command& verb = pintle.Add("chat", "talk with a model (GGUF)");
  verb.Option("model", options->model,
              "a .gguf file, a folder of the hub or an id of `pintle models` (default: the largest here that fits)");
  verb.Rest("words", options->words, "the question (default: ask on the terminal, or read a pipe)");
  verb.Option("--system", options->system, "the system text");
  verb.Option("--context", options->context, "positions to reserve at most");
  verb.Option("--kv", options->kv, kKvHelp);
  verb.Flag("--no-think", options->no_think, "Qwen3: answer without thoughts");
  AddSampleOptions(verb, options->sample);
  AddFormOptions(verb, options->form);
  verb.Run([options](const Global& global) { return Chat(*options, global); });
}

}  // namespace pintle
