// Prompts by the template that a model file brings along (tokenizer.chat_template), for formats that are not written
// natively. Whatever the template does, only what it wrote itself becomes control tokens: the texts of a conversation
// are carried through it apart. Not here: the language (jinja/parser.h, jinja/interpreter.h).
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/chat_template.h"
#include "text/chat_tools.h"
#include "text/vocabulary.h"

namespace pintle {

namespace jinja {
struct Tree;
}

/// Immutable; safe from any number of threads.
class ChatTemplate {
 public:
  /// Texts that are too long, too deep or not understood are a validation error with the line.
  static Result<std::shared_ptr<const ChatTemplate>> Parse(std::string_view text);

  /// The form in which the model calls tools, as the template writes calls of earlier answers; none where it says
  /// nothing of tools, or writes calls in a form that is not known here.
  [[nodiscard]] std::optional<ChatFormat> tool_format() const { return tool_format_; }
  /// An answer may begin with thoughts.
  [[nodiscard]] bool thinks() const { return thinks_; }

  /// The prompt for the next answer. The template sees messages, tools, add_generation_prompt (true), enable_thinking,
  /// bos_token and eos_token, as with Hugging Face's tokenizers. It may refuse a conversation (a usage error).
  [[nodiscard]] Result<std::vector<PromptPart>> Render(const Vocabulary& vocabulary,
                                                       const std::vector<ChatMessage>& messages, bool thinking,
                                                       const std::vector<ChatTool>& tools) const;

 private:
  ChatTemplate(std::shared_ptr<const jinja::Tree> tree, std::string_view text);
  std::shared_ptr<const jinja::Tree> tree_;
  std::optional<ChatFormat> tool_format_;
  bool thinks_;
};

}  // namespace pintle
