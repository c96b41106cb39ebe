// JSON in, requests out: what each route accepts, with every type and range. Below this nobody sees JSON of a client.
//
// Where it stands: node.cc (routes) -> this -> prompts.h (token ids) -> engine_thread.h. It deliberately knows no
// model: what depends on one (context, vocabulary, chat format) is checked in prompts.h. Source: OpenAI's API reference
// (chat completions, completions); llama.cpp's server for /infill and /completion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "generate/generate.h"
#include "generate/tool_grammar.h"
#include "serve/http/api_error.h"
#include "text/chat_template.h"

namespace pintle {

/// A conversation.
struct ChatInput {
  std::vector<ChatMessage> messages;
  bool thinking = true;         ///< for models that can
  std::vector<ChatTool> tools;  ///< empty where none may be called
  ToolChoice choice;
  std::string tools_json;  ///< as given
};

/// Texts to go on from, each as text or as ids.
struct TextInput {
  std::vector<std::variant<std::string, std::vector<int32_t>>> prompts;
  bool echo = false;
};

/// A place in the middle of a text: `prompt` is what the answer begins with (the beginning of the line, say).
struct InfillInput {
  std::string prefix, suffix, prompt;
  std::vector<std::pair<std::string, std::string>> extra;  ///< other files, as (name, text)
};

/// Whose JSON the answer is: chat.completion, text_completion, or llama.cpp's own.
enum class AnswerShape { kChat, kCompletion, kNative };

/// Answers as long as the context allows.
inline constexpr int64_t kUnlimitedTokens = int64_t{1} << 31;

/// One request, ready for a model.
struct GenerationRequest {
  AnswerShape shape = AnswerShape::kChat;
  std::string model;  ///< "" = the first one
  std::variant<ChatInput, TextInput, InfillInput> input;
  SampleOptions sample;        ///< choice is set for each answer
  std::string grammar_source;  ///< what sample.grammar was made from
  int64_t seed = 0;            ///< as given
  int64_t choices = 1;
  bool stream = false, include_usage = false;
  bool prompt_only = false;                  ///< nothing is wanted but a warm cache
  int64_t predict_ms = 0;                    ///< after this, an answer ends with its line; 0 = no limit
  std::vector<std::string> response_fields;  ///< only these, "a/b" for b in a; empty = all
  std::vector<std::string> ignored;          ///< fields of the body that mean nothing here
};

/// POST /v1/chat/completions.
MaybeApiError ParseChat(std::string_view body, GenerationRequest& request);
/// POST /v1/completions; with a suffix it fills in the middle.
MaybeApiError ParseCompletion(std::string_view body, GenerationRequest& request);
/// POST /infill, and M31R's /fim (the same with "prefix" and "suffix").
MaybeApiError ParseInfill(std::string_view body, GenerationRequest& request);
/// POST /completion, and M31R's /generate.
MaybeApiError ParseNative(std::string_view body, GenerationRequest& request);

}  // namespace pintle
