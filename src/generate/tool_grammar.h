// What an answer may be when tools may, or must, be called: text with calls in the form of the model's chat format,
// with arguments that keep to their schemas. Reading the calls: text/chat_tools.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "generate/grammar.h"
#include "text/chat_template.h"
#include "text/chat_tools.h"

namespace pintle {

/// OpenAI's tool_choice. With kNone a request is made without tools at all.
struct ToolChoice {
  enum class Kind : uint8_t { kNone, kAuto, kRequired };
  Kind kind = Kind::kAuto;
  std::string name;      ///< kRequired: of this function; "" = of any
  bool parallel = true;  ///< several calls in one answer, where the format has that
};

/// Thoughts before a call that must come: none, a block of them if the model likes, or the rest of one that the prompt
/// has opened.
enum class ToolThoughts : uint8_t { kNone, kAllowed, kOpened };

/// The grammar of an answer; null where anything goes (kNone; kAuto with Llama 3.1, whose calls begin like text). A
/// schema that is not understood (json_grammar.h) means any object, but fails where the tool is strict. No tools, or a
/// name that is none of theirs: a validation error.
Result<std::shared_ptr<const Grammar>> ToolGrammar(ChatFormat format, const std::vector<ChatTool>& tools,
                                                   const ToolChoice& choice,
                                                   ToolThoughts thoughts = ToolThoughts::kNone);

}  // namespace pintle
