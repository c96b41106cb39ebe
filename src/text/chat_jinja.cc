#include "text/chat_jinja.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "text/jinja/interpreter.h"

namespace pintle {
namespace {

using jinja::List;
using jinja::Members;
using jinja::Text;
using jinja::Value;

Value Outside(std::string_view text) { return Value::Of(Text(text, false)); }

// JSON as a value; what is none stays a text.
Value OfJson(std::string_view text) {
  const auto value = ParseJson(text, "");
  return value.ok() ? Value::Of(*value) : Outside(text);
}

Value OfMessage(const ChatMessage& message) {
  Members members = {{"role", Outside(message.role)}, {"content", Outside(message.text)}};
  if (!message.calls.empty()) {
    List calls;
    for (const ToolCall& call : message.calls) {
      const Value function = Value::Of(Members{{"name", Outside(call.name)}, {"arguments", OfJson(call.arguments)}});
      calls.push_back(
          Value::Of(Members{{"id", Outside(call.id)}, {"type", Outside("function")}, {"function", function}}));
    }
    members.emplace_back("tool_calls", Value::Of(std::move(calls)));
  }
  if (!message.call_id.empty()) members.emplace_back("tool_call_id", Outside(message.call_id));
  return Value::Of(std::move(members));
}

// Cuts what a template wrote into control tokens, which must be its own from the first byte to the last, and text.
std::vector<PromptPart> Parts(const Vocabulary& vocabulary, const Text& text) {
  std::vector<PromptPart> parts;
  size_t plain = 0;  // where the text since the last token begins
  const auto flush = [&](size_t end) {
    if (end > plain) parts.push_back({false, text.bytes.substr(plain, end - plain)});
  };
  for (size_t at = 0; at < text.bytes.size();) {
    const std::string* longest = nullptr;
    for (const auto& [name, id] : vocabulary.controls()) {
      if (name.empty() || text.bytes.compare(at, name.size(), name) != 0) continue;
      if (text.trust.find('\0', at) < at + name.size()) continue;
      if (longest == nullptr || name.size() > longest->size()) longest = &name;
    }
    if (longest == nullptr) {
      ++at;
      continue;
    }
    flush(at);
    parts.push_back({true, *longest});
    at += longest->size();
    plain = at;
  }
  flush(text.bytes.size());
  return parts;
}

// The marker that a template puts before calls says how they go on, unless another word says that they do not.
std::optional<ChatFormat> ToolFormat(std::string_view text) {
  const auto has = [&](std::string_view word) { return text.find(word) != std::string_view::npos; };
  if (!has("tools")) return std::nullopt;
  if (has("<tool_call>") && !has("<function=") && !has("<arg_key>")) return ChatFormat::kChatMl;
  if (has("[TOOL_CALLS]") && !has("[ARGS]") && !has("[CALL_ID]")) return ChatFormat::kMistral;
  if (has("<|python_tag|>")) return ChatFormat::kLlama3;
  return std::nullopt;
}

}  // namespace

ChatTemplate::ChatTemplate(std::shared_ptr<const jinja::Tree> tree, std::string_view text)
    : tree_(std::move(tree)), tool_format_(ToolFormat(text)), thinks_(text.find("<think>") != std::string_view::npos) {}

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::Parse(std::string_view text) {
  PINTLE_ASSIGN(jinja::Tree tree, jinja::Parse(text));
  return std::shared_ptr<const ChatTemplate>(
      new ChatTemplate(std::make_shared<const jinja::Tree>(std::move(tree)), text));
}

Result<std::vector<PromptPart>> ChatTemplate::Render(const Vocabulary& vocabulary,
                                                     const std::vector<ChatMessage>& messages, bool thinking,
                                                     const std::vector<ChatTool>& tools) const {
  List talk, functions;
  for (const ChatMessage& message : messages) talk.push_back(OfMessage(message));
  for (const ChatTool& tool : tools) functions.push_back(OfJson(tool.definition));
  const auto name = [&](int32_t wanted) {
    for (const auto& [known, id] : vocabulary.controls()) {
      if (id == wanted) return Value::Of(Text(known, true));
    }
    return Value::Of(Text());
  };
  auto text = jinja::Render(*tree_, {{"messages", Value::Of(std::move(talk))},
                                     {"tools", tools.empty() ? Value::None() : Value::Of(std::move(functions))},
                                     {"add_generation_prompt", Value::Of(true)},
                                     {"enable_thinking", Value::Of(thinking)},
                                     {"bos_token", name(vocabulary.bos())},
                                     {"eos_token", name(vocabulary.eos())}});
  if (!text.ok()) return UsageError(text.error().what, text.error().where);
  return Parts(vocabulary, *text);
}

}  // namespace pintle
