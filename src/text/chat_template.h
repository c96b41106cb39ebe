// Chat templates: a conversation as the prompt that a model was trained on. Written natively for the formats of our
// catalogue; a prompt is a list of parts, and only control parts become control tokens: what a user types never does.
// Not here: other formats, by their own template (chat_jinja.h). Source: the templates published with the models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/chat_tools.h"
#include "text/vocabulary.h"

namespace pintle {

/// kQwen3 is ChatML with thoughts.
enum class ChatFormat : uint8_t { kChatMl, kQwen3, kLlama3, kMistral };
/// "chatml", "qwen3", "llama-3.1", "mistral-v0.3".
std::string_view ChatFormatName(ChatFormat format);

/// One message; role is system, user, assistant or tool (the result of a call).
struct ChatMessage {
  std::string role, text;
  std::vector<ToolCall> calls = {};  ///< of an assistant
  std::string call_id = {};          ///< of a tool: the call that it answers
};

/// Part of a prompt: the name of a control token, or plain text.
struct PromptPart {
  bool control = false;
  std::string text;
  bool or_text = false;  ///< a control token that becomes text where the vocabulary does not have it
};

/// The format by which control tokens the vocabulary has, told from each other by the model's own template text where
/// two are possible. No format: a validation error.
Result<ChatFormat> DetectChatFormat(const GgufHeader& header, const Vocabulary& vocabulary, const std::string& where);

/// The prompt for the next answer. `thinking` false closes Qwen3's thoughts beforehand; the others do not know it.
/// Thoughts in answers before the last question are left out. Llama 3.1 always has a system block with fixed dates
/// (December 2023, 26 Jul 2024), so that a prompt does not depend on the day. Mistral puts the system text before the
/// last user text. Several system messages at the beginning are joined by an empty line. `tools` stand where the format
/// wants them: in the system text (ChatML), in the first (Llama 3.1) or before the last (Mistral) user text. An unknown
/// role or an order that the format cannot say is a usage error.
Result<std::vector<PromptPart>> RenderChat(ChatFormat format, const std::vector<ChatMessage>& messages, bool thinking,
                                           const std::vector<ChatTool>& tools = {});

/// The ids of a prompt: control parts by name (a missing one is a validation error), text by Encode, each part on its
/// own. Begins with BOS where the vocabulary wants it and the parts do not bring it.
Result<std::vector<int32_t>> EncodePrompt(const Vocabulary& vocabulary, const std::vector<PromptPart>& parts);

}  // namespace pintle
