#include "text/chat_template.h"

#include <algorithm>

#include "base/json.h"
#include "formats/gguf_metadata.h"

namespace pintle {
namespace {

// Builds a prompt; neighbouring texts are joined, so that they are encoded as one.
class Builder {
 public:
  Builder& Control(std::string name) {
    parts_.push_back({true, std::move(name)});
    return *this;
  }
  // A token that newer vocabularies have; others spell it.
  Builder& Mark(std::string name) {
    parts_.push_back({true, std::move(name), true});
    return *this;
  }
  Builder& Text(std::string_view text) {
    if (text.empty()) return *this;
    if (parts_.empty() || parts_.back().control) parts_.push_back({false, {}});
    parts_.back().text += text;
    return *this;
  }
  std::vector<PromptPart> Take() { return std::move(parts_); }

 private:
  std::vector<PromptPart> parts_;
};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool IsFrom(const ChatMessage& message, std::string_view role) { return message.role == role; }

// Where the last question stands; the number of messages if there is none.
size_t LastUser(const std::vector<ChatMessage>& talk) {
  for (size_t i = talk.size(); i-- > 0;) {
    if (IsFrom(talk[i], "user")) return i;
  }
  return talk.size();
}

// Qwen3: an answer's thoughts are told apart by their tokens; those of turns that are over are left out. Returns the
// answer without them.
std::string_view TakeThoughts(std::string_view text, bool keep, Builder& out) {
  constexpr std::string_view kBegin = "<think>", kEnd = "</think>";
  const size_t end = text.rfind(kEnd);
  if (end == std::string_view::npos) return text;
  std::string_view thoughts = text.substr(0, end);
  text.remove_prefix(end + kEnd.size());
  if (keep) {
    thoughts.remove_prefix(std::min(thoughts.find(kBegin) + kBegin.size(), thoughts.size()));
    out.Mark("<think>").Text("\n").Text(Trimmed(thoughts)).Text("\n").Mark("</think>").Text("\n\n");
  }
  text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
  return text;
}

void ToolsForChatMl(const std::vector<ChatTool>& tools, Builder& out) {
  out.Text(
      "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function "
      "signatures within <tools></tools> XML tags:\n<tools>");
  for (const ChatTool& tool : tools) out.Text("\n").Text(TemplateJson(tool.definition));
  out.Text("\n</tools>\n\nFor each function call, return a json object with function name and arguments within ");
  out.Mark("<tool_call>").Mark("</tool_call>").Text(" XML tags:\n").Mark("<tool_call>");
  out.Text("\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n").Mark("</tool_call>");
}

Result<std::vector<PromptPart>> RenderChatMl(const std::string& system, const std::vector<ChatMessage>& talk,
                                             const std::vector<ChatTool>& tools, bool qwen3, bool thinking) {
  Builder out;
  if (!system.empty() || !tools.empty()) {
    out.Control("<|im_start|>").Text("system\n").Text(system);
    if (!system.empty() && !tools.empty()) out.Text("\n\n");
    if (!tools.empty()) ToolsForChatMl(tools, out);
    out.Control("<|im_end|>").Text("\n");
  }
  const size_t last_user = LastUser(talk);
  for (size_t i = 0; i < talk.size(); ++i) {
    const ChatMessage& message = talk[i];
    if (IsFrom(message, "tool")) {
      // Results that follow each other share a turn of the user.
      if (i == 0 || !IsFrom(talk[i - 1], "tool")) out.Control("<|im_start|>").Text("user");
      out.Text("\n").Mark("<tool_response>").Text("\n").Text(message.text).Text("\n").Mark("</tool_response>");
      if (i + 1 == talk.size() || !IsFrom(talk[i + 1], "tool")) out.Control("<|im_end|>").Text("\n");
      continue;
    }
    out.Control("<|im_start|>").Text(message.role).Text("\n");
    std::string_view text = message.text;
    if (qwen3 && IsFrom(message, "assistant")) text = TakeThoughts(text, last_user < i, out);
    out.Text(text);
    for (size_t k = 0; k < message.calls.size(); ++k) {
      const ToolCall& call = message.calls[k];
      if (k > 0 || !text.empty()) out.Text("\n");
      out.Mark("<tool_call>").Text("\n{\"name\": " + JsonQuote(call.name));
      out.Text(", \"arguments\": " + TemplateJson(call.arguments) + "}\n").Mark("</tool_call>");
    }
    out.Control("<|im_end|>").Text("\n");
  }
  out.Control("<|im_start|>").Text("assistant\n");
  if (qwen3 && !thinking) out.Control("<think>").Text("\n\n").Control("</think>").Text("\n\n");
  return out.Take();
}

Result<std::vector<PromptPart>> RenderLlama3(const std::string& system, const std::vector<ChatMessage>& talk,
                                             const std::vector<ChatTool>& tools) {
  Builder out;
  const auto header = [&](std::string_view role) {
    out.Control("<|start_header_id|>").Text(role).Control("<|end_header_id|>").Text("\n\n");
  };
  out.Control("<|begin_of_text|>");
  header("system");
  if (!tools.empty()) out.Text("Environment: ipython\n");
  out.Text("Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n");
  out.Text(Trimmed(system)).Control("<|eot_id|>");
  bool tools_told = tools.empty();
  for (const ChatMessage& message : talk) {
    if (IsFrom(message, "tool")) {
      header("ipython");
      out.Text(JsonQuote(message.text)).Control("<|eot_id|>");
      continue;
    }
    header(message.role);
    if (!tools_told && IsFrom(message, "user")) {
      tools_told = true;
      out.Text(
          "Given the following functions, please respond with a JSON for a function call with its proper arguments "
          "that best answers the given prompt.\n\nRespond in the format {\"name\": function name, \"parameters\": "
          "dictionary of argument name and its value}.Do not use variables.\n\n");
      for (const ChatTool& tool : tools) out.Text(TemplateJson(tool.definition, 4)).Text("\n\n");
    }
    if (message.calls.size() > 1) return UsageError("in this format an answer makes one call at most");
    if (message.calls.empty()) {
      out.Text(Trimmed(message.text));
    } else {
      out.Text("{\"name\": " + JsonQuote(message.calls[0].name));
      out.Text(", \"parameters\": " + TemplateJson(message.calls[0].arguments) + "}");
    }
    out.Control("<|eot_id|>");
  }
  header("assistant");
  return out.Take();
}

Result<std::vector<PromptPart>> RenderMistral(const std::string& system, const std::vector<ChatMessage>& talk,
                                              const std::vector<ChatTool>& tools) {
  const size_t last_user = LastUser(talk);
  Builder out;
  out.Control("<s>");
  bool user_next = true, called = false;
  for (size_t i = 0; i < talk.size(); ++i) {
    const ChatMessage& message = talk[i];
    if (IsFrom(message, "tool")) {
      if (!called) return UsageError("in this format the result of a tool follows its call");
      out.Control("[TOOL_RESULTS]").Text("{\"content\": " + TemplateJson(message.text));
      out.Text(", \"call_id\": " + JsonQuote(message.call_id) + "}").Control("[/TOOL_RESULTS]");
      continue;
    }
    if (IsFrom(message, "user") != user_next) {
      return UsageError("in this format user and assistant take turns, the user first");
    }
    if (user_next) {
      if (i == last_user && !tools.empty()) {
        std::string list;
        for (const ChatTool& tool : tools) list += (list.empty() ? "[" : ", ") + TemplateJson(tool.definition);
        out.Control("[AVAILABLE_TOOLS]").Text(list + "]").Control("[/AVAILABLE_TOOLS]");
      }
      out.Control("[INST]");
      if (!system.empty() && i == last_user) out.Text(system).Text("\n\n");
      out.Text(message.text).Control("[/INST]");
    } else {
      out.Text(message.text);
      std::string list;
      for (const ToolCall& call : message.calls) {
        list += (list.empty() ? "[" : ", ") + ("{\"name\": " + JsonQuote(call.name));
        list += ", \"arguments\": " + TemplateJson(call.arguments) + ", \"id\": " + JsonQuote(call.id) + "}";
      }
      if (!list.empty()) out.Control("[TOOL_CALLS]").Text(list + "]");
      out.Control("</s>");
    }
    // After a call come results and then the assistant again.
    called = !message.calls.empty();
    user_next = !user_next && !called;
  }
  return out.Take();
}

}  // namespace

std::string_view ChatFormatName(ChatFormat format) {
  switch (format) {
    case ChatFormat::kChatMl:
      return "chatml";
    case ChatFormat::kQwen3:
      return "qwen3";
    case ChatFormat::kLlama3:
      return "llama-3.1";
    case ChatFormat::kMistral:
      return "mistral-v0.3";
  }
  return "?";
}

Result<ChatFormat> DetectChatFormat(const GgufHeader& header, const Vocabulary& vocabulary, const std::string& where) {
  const GgufKeys keys(header, where);
  PINTLE_ASSIGN(const std::string text, keys.Text("tokenizer.chat_template", ""));
  if (vocabulary.Control("<|start_header_id|>") >= 0 && vocabulary.Control("<|eot_id|>") >= 0)
    return ChatFormat::kLlama3;
  if (vocabulary.Control("[INST]") >= 0 && vocabulary.Control("[/INST]") >= 0) return ChatFormat::kMistral;
  if (vocabulary.Control("<|im_start|>") >= 0 && vocabulary.Control("<|im_end|>") >= 0) {
    const bool thinks = vocabulary.Control("<think>") >= 0 && vocabulary.Control("</think>") >= 0;
    return thinks && (text.empty() || text.find("enable_thinking") != std::string::npos) ? ChatFormat::kQwen3
                                                                                         : ChatFormat::kChatMl;
  }
  return ValidationError("the model has no chat format that is known here", where,
                         "complete text with it instead: pintle complete MODEL --prompt TEXT");
}

Result<std::vector<PromptPart>> RenderChat(ChatFormat format, const std::vector<ChatMessage>& messages, bool thinking,
                                           const std::vector<ChatTool>& tools) {
  std::string system;
  size_t begin = 0;
  for (; begin < messages.size() && IsFrom(messages[begin], "system"); ++begin) {
    system += (begin > 0 ? "\n\n" : "") + messages[begin].text;
  }
  const std::vector<ChatMessage> talk(messages.begin() + static_cast<std::ptrdiff_t>(begin), messages.end());
  for (size_t i = 0; i < talk.size(); ++i) {
    if (IsFrom(talk[i], "user") || IsFrom(talk[i], "assistant") || IsFrom(talk[i], "tool")) continue;
    return UsageError("message " + std::to_string(begin + i + 1) + " has the role '" + talk[i].role + "'", "",
                      "roles are system (at the beginning only), user, assistant and tool");
  }
  switch (format) {
    case ChatFormat::kLlama3:
      return RenderLlama3(system, talk, tools);
    case ChatFormat::kMistral:
      return RenderMistral(system, talk, tools);
    default:
      return RenderChatMl(system, talk, tools, format == ChatFormat::kQwen3, thinking);
  }
}

Result<std::vector<int32_t>> EncodePrompt(const Vocabulary& vocabulary, const std::vector<PromptPart>& parts) {
  std::vector<int32_t> ids;
  std::string text;  // since the last control token
  for (const PromptPart& part : parts) {
    const int32_t id = part.control ? vocabulary.Control(part.text) : -1;
    if (part.control && id < 0 && !part.or_text) {
      return ValidationError("the vocabulary has no control token " + part.text);
    }
    if (id < 0) {
      text += part.text;
      continue;
    }
    vocabulary.Encode(text, ids);
    text.clear();
    ids.push_back(id);
  }
  vocabulary.Encode(text, ids);
  if (vocabulary.adds_bos() && (ids.empty() || ids.front() != vocabulary.bos()))
    ids.insert(ids.begin(), vocabulary.bos());
  return ids;
}

}  // namespace pintle
