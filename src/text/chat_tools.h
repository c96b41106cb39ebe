// Tools in conversations: their definitions, the calls that an assistant makes, and how calls are read out of an answer
// while it streams. What prompts say about them is in chat_template.cc; what makes a model call one is
// generate/tool_grammar.h. Not here: calling anything.
// Source: the tool formats of Qwen2.5/Qwen3, Llama 3.1 and Mistral v0.3; OpenAI's API for names and shapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace pintle {

enum class ChatFormat : uint8_t;

/// One call. `arguments` is a JSON object as text; `id` may be empty (only Mistral's answers have one).
struct ToolCall {
  std::string id, name, arguments;
  bool operator==(const ToolCall&) const = default;
};

/// One function that may be called.
struct ChatTool {
  std::string name;
  std::string definition;  ///< {"type": "function", "function": {...}} as JSON
  std::string parameters;  ///< the JSON schema of the arguments; "" = any object
  bool strict = false;     ///< arguments must keep to the schema, or the request fails
};

/// A JSON array of tools as OpenAI's API has it. Names have 1 to 64 letters, digits, _ and -, each once; at most 128
/// tools. `where` names the source in errors, which are validation errors.
Result<std::vector<ChatTool>> ParseTools(std::string_view json, const std::string& where);

/// JSON as the templates write it: ", " and ": " between things on one line, or lines with `indent` spaces a level.
/// Text that is no JSON becomes a JSON string.
std::string TemplateJson(std::string_view json, int indent = 0);
std::string TemplateJson(const boost::json::value& value, int indent = 0);

/// What an answer begins a call with: "<tool_call>", "[TOOL_CALLS]"; "" for Llama 3.1, whose calls are whole answers.
std::string_view ToolCallMarker(ChatFormat format);

/// Reads one answer as it streams: text goes through, calls are kept. One owner.
class ToolCallReader {
 public:
  /// Only calls of one of `tools` count; others stay text.
  ToolCallReader(ChatFormat format, const std::vector<ChatTool>& tools);

  /// The text that is certainly none of a call; may be empty.
  std::string Push(std::string_view text);
  /// At the end of the answer: the text that was held back and turned out to be no call.
  std::string Finish();
  /// The calls so far, in order; complete after Finish.
  [[nodiscard]] const std::vector<ToolCall>& calls() const { return calls_; }

 private:
  bool TakeCall(const boost::json::value& value, std::string_view arguments_key);
  bool TakeCalls(std::string_view text);
  bool BeginCall(std::string& out);
  bool EndCall(std::string& out);

  ChatFormat format_;
  std::string_view marker_;
  std::vector<std::string> names_;
  std::string held_;  // what may be the beginning of a marker or of a call, or is behind a marker
  bool in_call_ = false, after_call_ = false;
  bool passing_ = false;  // without a marker: the answer is no call
  std::vector<ToolCall> calls_;
};

}  // namespace pintle
