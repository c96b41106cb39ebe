#include "text/chat_template.h"

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

// An answer without its thoughts.
std::string_view WithoutThoughts(std::string_view text) {
  constexpr std::string_view kEnd = "</think>";
  const size_t end = text.rfind(kEnd);
  if (end == std::string_view::npos) return text;
  text.remove_prefix(end + kEnd.size());
  while (text.starts_with('\n')) text.remove_prefix(1);
  return text;
}

std::vector<PromptPart> RenderChatMl(const std::vector<ChatMessage>& messages, bool qwen3, bool thinking) {
  Builder out;
  for (const ChatMessage& message : messages) {
    const std::string_view text =
        qwen3 && message.role == "assistant" ? WithoutThoughts(message.text) : std::string_view(message.text);
    out.Control("<|im_start|>").Text(message.role).Text("\n").Text(text).Control("<|im_end|>").Text("\n");
  }
  out.Control("<|im_start|>").Text("assistant\n");
  if (qwen3 && !thinking) out.Control("<think>").Text("\n\n").Control("</think>").Text("\n\n");
  return out.Take();
}

std::vector<PromptPart> RenderLlama3(const std::vector<ChatMessage>& messages) {
  Builder out;
  const auto header = [&](std::string_view role) {
    out.Control("<|start_header_id|>").Text(role).Control("<|end_header_id|>").Text("\n\n");
  };
  out.Control("<|begin_of_text|>");
  header("system");
  out.Text("Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n");
  const bool has_system = !messages.empty() && messages[0].role == "system";
  if (has_system) out.Text(Trimmed(messages[0].text));
  out.Control("<|eot_id|>");
  for (size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    header(messages[i].role);
    out.Text(Trimmed(messages[i].text)).Control("<|eot_id|>");
  }
  header("assistant");
  return out.Take();
}

Result<std::vector<PromptPart>> RenderMistral(const std::vector<ChatMessage>& messages) {
  const bool has_system = !messages.empty() && messages[0].role == "system";
  size_t last_user = messages.size();
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role == "user") last_user = i;
  }
  Builder out;
  out.Control("<s>");
  for (size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    const bool user = (i - (has_system ? 1 : 0)) % 2 == 0;
    if (messages[i].role != (user ? "user" : "assistant")) {
      return UsageError("in this format user and assistant take turns, the user first");
    }
    if (user) {
      out.Control("[INST]");
      if (has_system && i == last_user) out.Text(messages[0].text).Text("\n\n");
      out.Text(messages[i].text).Control("[/INST]");
    } else {
      out.Text(messages[i].text).Control("</s>");
    }
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

Result<std::vector<PromptPart>> RenderChat(ChatFormat format, const std::vector<ChatMessage>& messages, bool thinking) {
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role != "user" && role != "assistant" && !(role == "system" && i == 0)) {
      return UsageError("message " + std::to_string(i + 1) + " has the role '" + role + "'", "",
                        "roles are system (first message only), user and assistant");
    }
  }
  switch (format) {
    case ChatFormat::kLlama3:
      return RenderLlama3(messages);
    case ChatFormat::kMistral:
      return RenderMistral(messages);
    default:
      return RenderChatMl(messages, format == ChatFormat::kQwen3, thinking);
  }
}

Result<std::vector<int32_t>> EncodePrompt(const Vocabulary& vocabulary, const std::vector<PromptPart>& parts) {
  std::vector<int32_t> ids;
  for (const PromptPart& part : parts) {
    if (!part.control) {
      vocabulary.Encode(part.text, ids);
      continue;
    }
    const int32_t id = vocabulary.Control(part.text);
    if (id < 0) return ValidationError("the vocabulary has no control token " + part.text);
    ids.push_back(id);
  }
  if (vocabulary.adds_bos() && (ids.empty() || ids.front() != vocabulary.bos()))
    ids.insert(ids.begin(), vocabulary.bos());
  return ids;
}

}  // namespace pintle
