#include "serve/node/prompts.h"

#include <algorithm>

namespace pintle {
namespace {

using Ids = std::vector<int32_t>;

int64_t Size(const Ids& ids) { return static_cast<int64_t>(ids.size()); }

ApiError TooLong(std::string_view how_many, int64_t tokens, int64_t context) {
  return {400,
          "the prompt has " + std::string(how_many) + std::to_string(tokens) +
              " tokens, which exceeds the available context size of " + std::to_string(context) + " tokens",
          "", "context_length_exceeded"};
}

Ids Encoded(const LanguageModel& model, std::string_view text) {
  Ids ids;
  model.Encode(text, ids);
  return ids;
}

void Append(Ids& ids, const Ids& more) { ids.insert(ids.end(), more.begin(), more.end()); }
void KeepEnd(Ids& ids, int64_t room) {
  if (Size(ids) > room) ids.erase(ids.begin(), ids.end() - room);
}
void KeepBeginning(Ids& ids, int64_t room) {
  if (Size(ids) > room) ids.resize(static_cast<size_t>(room));
}

// A template may end with <think>: the answer then begins inside.
bool EndsInThoughts(const std::vector<PromptPart>& parts) {
  std::string text;
  for (const PromptPart& part : parts) text += part.text;
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text.ends_with("<think>");
}

MaybeApiError BuildChat(const LanguageModel& model, const ChatInput& input, Prompt& prompt) {
  if (!model.description().chats()) {
    return ApiError{400, "the model '" + model.info().name + "' completes text and does not chat; use /v1/completions",
                    "model", "model_not_chat"};
  }
  const auto parts = ChatParts(model.description(), input.messages, input.thinking, input.tools);
  if (!parts.ok()) {
    const Error& error = parts.error();
    return InvalidValue("messages", error.where.empty() ? error.what : error.where + ": " + error.what);
  }
  auto ids = EncodePrompt(*model.description().vocabulary, *parts);
  if (!ids.ok()) return InvalidValue("messages", ids.error().what);
  prompt.ids = std::move(*ids);
  prompt.in_thoughts = EndsInThoughts(*parts);
  return {};
}

MaybeApiError BuildText(const LanguageModel& model, const TextInput& input, std::vector<Prompt>& prompts) {
  const int64_t context = model.info().context;
  for (const auto& prompt : input.prompts) {
    Ids& ids = prompts.emplace_back().ids;
    if (const Ids* given = std::get_if<Ids>(&prompt)) {
      ids = *given;
      const auto wrong =
          std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id < 0 || id >= model.tokens().size(); });
      if (wrong != ids.end()) return InvalidValue("prompt", "there is no token " + std::to_string(*wrong));
      continue;
    }
    const std::string& text = std::get<std::string>(prompt);
    if (const auto least = static_cast<int64_t>(text.size() / model.longest_token()); least > context) {
      return TooLong("at least ", least, context);
    }
    if (model.begin() >= 0) ids.push_back(model.begin());
    model.Encode(text, ids);
    if (ids.empty()) return InvalidValue("prompt", "the prompt is empty, and this model has no token to begin with");
  }
  return {};
}

MaybeApiError BuildInfill(const LanguageModel& model, const InfillInput& input, const SampleOptions& sample,
                          Prompt& prompt) {
  const FimTokens& fim = model.fim();
  if (!fim.complete()) {
    return ApiError{400, "the model '" + model.info().name + "' cannot fill in the middle", "model", "model_not_fim"};
  }
  Ids before = Encoded(model, input.prefix), after = Encoded(model, input.suffix),
      middle = Encoded(model, input.prompt);
  std::vector<Ids> files;
  int64_t whole = 3 + Size(before) + Size(after) + Size(middle);
  for (const auto& [name, text] : input.extra) {
    if (fim.file < 0) break;
    Ids& file = files.emplace_back(1, fim.file);
    model.Encode(name + "\n" + text, file);
    whole += Size(file) + (files.size() == 1 ? 1 : 0);
  }
  const int64_t context = model.info().context;
  size_t first_file = 0;
  if (whole > context && sample.fit_prompt) {
    int64_t room = std::max<int64_t>(context - std::min(sample.max_tokens, context / 4) - 3, 0);
    KeepEnd(middle, room);
    room -= Size(middle);
    const int64_t for_prefix = std::max(room - Size(after), room - room / 3);
    KeepEnd(before, for_prefix);
    KeepBeginning(after, room - Size(before));
    // What is left goes to the last files, which editors list nearest to the cursor's.
    room -= Size(before) + Size(after) + 1;
    first_file = files.size();
    while (first_file > 0 && room >= Size(files[first_file - 1])) room -= Size(files[--first_file]);
  }
  Ids& ids = prompt.ids;
  for (size_t i = first_file; i < files.size(); ++i) Append(ids, files[i]);
  if (first_file < files.size()) ids.push_back(fim.file);
  Append(ids, ArrangeInfill(fim, before, after));
  Append(ids, middle);
  prompt.cut_tokens = whole - Size(ids);
  return {};
}

// "--top-p" is top_p here.
std::string ParamOf(std::string option) {
  option.erase(0, option.find_first_not_of('-'));
  std::replace(option.begin(), option.end(), '-', '_');
  return option;
}

}  // namespace

MaybeApiError ConstrainTools(const LanguageModel& model, bool in_thoughts, GenerationRequest& request) {
  const auto* chat = std::get_if<ChatInput>(&request.input);
  if (chat == nullptr || chat->tools.empty() || !model.description().chats()) return {};
  const auto format = model.description().tool_format();
  if (!format) {
    return Unsupported("tools", "the chat template of '" + model.info().name + "' has no tools in a form known here");
  }
  const bool may_think = chat->thinking && model.description().thinks();
  const ToolThoughts thoughts = in_thoughts ? ToolThoughts::kOpened
                                : may_think ? ToolThoughts::kAllowed
                                            : ToolThoughts::kNone;
  auto grammar = ToolGrammar(*format, chat->tools, chat->choice, thoughts);
  if (!grammar.ok()) return InvalidValue("tools", grammar.error().Message());
  request.sample.grammar = std::move(*grammar);
  request.grammar_source = "tools " + chat->tools_json + " " + std::to_string(static_cast<int>(chat->choice.kind)) +
                           (chat->choice.parallel ? " parallel " : " single ") + chat->choice.name;
  return {};
}

MaybeApiError BuildPrompts(const LanguageModel& model, const GenerationRequest& request, std::vector<Prompt>& prompts) {
  if (const Status right = ValidateSampleOptions(request.sample, model.tokens().size()); !right.ok()) {
    return InvalidValue(ParamOf(right.error().where), right.error().what);
  }
  prompts.clear();
  MaybeApiError error;
  if (const auto* chat = std::get_if<ChatInput>(&request.input)) {
    error = BuildChat(model, *chat, prompts.emplace_back());
  } else if (const auto* text = std::get_if<TextInput>(&request.input)) {
    error = BuildText(model, *text, prompts);
  } else {
    error = BuildInfill(model, std::get<InfillInput>(request.input), request.sample, prompts.emplace_back());
  }
  if (error) return error;
  for (const Prompt& prompt : prompts) {
    if (Size(prompt.ids) > model.info().context) return TooLong("", Size(prompt.ids), model.info().context);
  }
  return {};
}

}  // namespace pintle
