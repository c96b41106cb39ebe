#include "serve/node/requests.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <limits>

#include "base/json.h"
#include "generate/gbnf.h"
#include "generate/json_grammar.h"
#include "serve/http/field_reader.h"
#include "serve/http/json_body.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr int64_t kMaxChoices = 16;
constexpr size_t kMaxPrompts = 64, kMaxBiases = 1024, kMaxStopBytes = 1024, kMaxExtraFiles = 1024;

void ReadStop(FieldReader& in, size_t limit, SampleOptions& sample) {
  if (!in.Texts("stop", sample.stop, 0, limit)) return;
  for (const std::string& text : sample.stop) {
    if (text.empty() || text.size() > kMaxStopBytes) in.Fail("stop", "holds a text that is empty or too long");
  }
}

void ReadLogitBias(FieldReader& in, SampleOptions& sample) {
  const json::object* biases = in.Object("logit_bias");
  if (biases == nullptr) return;
  if (biases->size() > kMaxBiases) in.Fail("logit_bias", "has more than 1024 tokens");
  for (const auto& [key, value] : *biases) {
    int32_t id = -1;
    const auto [end, wrong] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (wrong != std::errc() || end != key.data() + key.size() || id < 0) {
      in.Fail("logit_bias", "has the key '" + std::string(key.data(), key.size()) + "', which is no token id");
      return;
    }
    const double bias = value.is_number() ? value.to_number<double>() : 1e9;
    if (!(bias >= -100 && bias <= 100)) {
      in.Fail("logit_bias", "has a value that is no number between -100 and 100");
      return;
    }
    sample.logit_bias.emplace_back(id, bias);
  }
}

// What every route has.
void ReadCommon(FieldReader& in, GenerationRequest& request) {
  SampleOptions& sample = request.sample;
  in.Text("model", request.model);
  in.Flag("stream", request.stream);
  in.Number("temperature", sample.temperature, 0, 2);
  // 0 means what the smallest share means: one token alone.
  if (in.Number("top_p", sample.top_p, 0, 1)) sample.top_p = std::max(sample.top_p, 1e-300);
  if (in.Integer("top_k", sample.top_k, -1, INT32_MAX)) sample.top_k = std::max<int64_t>(sample.top_k, 0);
  in.Number("min_p", sample.min_p, 0, 1);
  if (in.Number("typical_p", sample.typical_p, 0, 1)) sample.typical_p = std::max(sample.typical_p, 1e-300);
  in.Number("presence_penalty", sample.presence_penalty, -2, 2);
  in.Number("frequency_penalty", sample.frequency_penalty, -2, 2);
  in.Number("repetition_penalty", sample.repetition_penalty, 0.01, 100);
  ReadLogitBias(in, sample);
  in.Integer("seed", request.seed, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  sample.seed = static_cast<uint64_t>(request.seed);
}

// What the two routes of OpenAI have.
void ReadOpenAi(FieldReader& in, GenerationRequest& request) {
  if (request.model.empty()) in.Missing("model");
  in.Integer("n", request.choices, 1, kMaxChoices);
  ReadStop(in, 4, request.sample);
  in.Integer("max_tokens", request.sample.max_tokens, 1, kUnlimitedTokens);
  if (const json::object* options = in.Object("stream_options")) {
    FieldReader inner(*options, "stream_options.");
    inner.Flag("include_usage", request.include_usage);
    if (inner.error()) in.Fail(*inner.error());
    if (!request.stream) in.Fail("stream_options", "wants 'stream' to be true");
  }
}

// What llama.cpp calls otherwise.
void ReadNative(FieldReader& in, GenerationRequest& request) {
  request.shape = AnswerShape::kNative;
  ReadStop(in, 16, request.sample);
  in.Number("repeat_penalty", request.sample.repetition_penalty, 0.01, 100);
  int64_t tokens = request.sample.max_tokens;
  if (!in.Integer("n_predict", tokens, -1, kUnlimitedTokens)) in.Integer("max_tokens", tokens, 0, kUnlimitedTokens);
  request.prompt_only = tokens == 0;
  request.sample.max_tokens = tokens < 0 ? kUnlimitedTokens : std::max<int64_t>(tokens, 1);
  int64_t alternatives = 0;
  if (in.Integer("n_probs", alternatives, 0, 20) && alternatives > 0) request.sample.top_logprobs = alternatives;
  in.Integer("t_max_predict_ms", request.predict_ms, 0, 1 << 30);
  in.Texts("response_fields", request.response_fields, 0, 64);
}

MaybeApiError Finish(const FieldReader& in, GenerationRequest& request) {
  request.ignored = in.Ignored();
  return in.error();
}

// The calls that an assistant made.
void ReadToolCalls(FieldReader& in, std::vector<ToolCall>& calls) {
  const json::array* list = in.Array("tool_calls");
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    const std::string name = "tool_calls[" + std::to_string(calls.size()) + "]";
    if (!item.is_object()) return in.Fail(name, "must be an object", "invalid_type");
    FieldReader outer(item.get_object(), in.Path(name) + ".");
    ToolCall& call = calls.emplace_back();
    outer.Text("id", call.id);
    const json::object* function = outer.Object("function");
    if (function == nullptr) outer.Missing("function");
    if (outer.ok()) {
      FieldReader inner(*function, in.Path(name) + ".function.");
      if (!inner.Text("name", call.name)) inner.Missing("name");
      if (!inner.Text("arguments", call.arguments)) inner.Missing("arguments");
      if (inner.error()) outer.Fail(*inner.error());
    }
    if (outer.error()) return in.Fail(*outer.error());
  }
}

// "text", or [{"type":"text","text":"..."}, ...].
void ReadContent(FieldReader& in, ChatMessage& message) {
  const json::value* content = in.Value("content");
  if (content == nullptr && !message.calls.empty()) return;
  if (content == nullptr) return in.Missing("content");
  if (!content->is_array()) {
    in.Text("content", message.text);
    return;
  }
  size_t number = 0;
  for (const json::value& part : content->get_array()) {
    const std::string name = "content[" + std::to_string(number++) + "]";
    if (!part.is_object()) return in.Fail(name, "must be an object", "invalid_type");
    FieldReader inner(part.get_object(), in.Path(name) + ".");
    std::string type, text;
    if (!inner.Text("type", type)) inner.Missing("type");
    if (inner.ok() && type != "text") {
      inner.Fail("type", "is '" + type + "'; these models read text only", "unsupported_value");
    }
    if (!inner.Text("text", text)) inner.Missing("text");
    if (inner.error()) return in.Fail(*inner.error());
    message.text += text;
  }
}

void ReadMessages(FieldReader& in, std::vector<ChatMessage>& messages) {
  const json::array* list = in.Array("messages");
  if (list == nullptr) return in.Missing("messages");
  if (list->empty()) in.Fail("messages", "is empty");
  for (const json::value& item : *list) {
    const std::string name = "messages[" + std::to_string(messages.size()) + "]";
    if (!item.is_object()) return in.Fail(name, "must be an object", "invalid_type");
    FieldReader inner(item.get_object(), name + ".");
    ChatMessage& message = messages.emplace_back();
    if (!inner.Text("role", message.role)) inner.Missing("role");
    if (message.role == "developer") message.role = "system";
    if (inner.ok() && message.role != "system" && message.role != "user" && message.role != "assistant" &&
        message.role != "tool") {
      inner.Fail("role", "is '" + message.role + "'; roles are system, developer, user, assistant and tool");
    }
    if (message.role == "assistant") ReadToolCalls(inner, message.calls);
    if (message.role == "tool" && !inner.Text("tool_call_id", message.call_id)) inner.Missing("tool_call_id");
    ReadContent(inner, message);
    if (inner.error()) return in.Fail(*inner.error());
  }
}

// Thoughts: vLLM's and llama.cpp's switch, or OpenAI's effort.
void ReadThinking(FieldReader& in, bool& thinking) {
  if (const json::object* options = in.Object("chat_template_kwargs")) {
    FieldReader inner(*options, "chat_template_kwargs.");
    inner.Flag("enable_thinking", thinking);
    if (inner.error()) in.Fail(*inner.error());
  }
  std::string effort;
  if (in.Text("reasoning_effort", effort)) thinking = effort != "none";
}

// What the answer must look like. `source` says it for the reproducibility hash.
void Constrain(FieldReader& in, std::string_view name, Result<std::shared_ptr<const Grammar>> grammar,
               std::string source, GenerationRequest& request) {
  if (!grammar.ok()) return in.Fail(name, "cannot be kept to: " + grammar.error().Message());
  request.sample.grammar = std::move(*grammar);
  request.grammar_source = std::move(source);
}

void ReadResponseFormat(FieldReader& in, GenerationRequest& request) {
  const json::object* format = in.Object("response_format");
  if (format == nullptr) return;
  FieldReader inner(*format, "response_format.");
  std::string type;
  if (!inner.Text("type", type)) inner.Missing("type");
  if (type == "json_object") {
    Constrain(inner, "type", JsonObjectGrammar(), "json", request);
  } else if (type == "json_schema") {
    const json::object* wrapper = inner.Object("json_schema");
    if (wrapper == nullptr) inner.Missing("json_schema");
    FieldReader schema_reader(wrapper == nullptr ? *format : *wrapper, "response_format.json_schema.");
    const json::object* schema = schema_reader.Object("schema");
    if (schema == nullptr) schema_reader.Missing("schema");
    if (inner.ok() && schema_reader.ok()) {
      const std::string text = DumpJson(*schema);
      Constrain(schema_reader, "schema", JsonSchemaGrammar(text), "schema " + text, request);
    }
    if (schema_reader.error()) inner.Fail(*schema_reader.error());
  } else if (inner.ok() && type != "text") {
    inner.Fail("type", "is '" + type + "'; it may be text, json_object or json_schema");
  }
  if (inner.error()) in.Fail(*inner.error());
}

// "none", "auto", "required", or the function that must be called.
void ReadToolChoice(FieldReader& in, ToolChoice& choice) {
  using Kind = ToolChoice::Kind;
  const json::value* value = in.Value("tool_choice");
  if (value == nullptr) return;
  if (!value->is_object()) {
    std::string kind;
    in.Text("tool_choice", kind);
    choice.kind = kind == "none" ? Kind::kNone : kind == "required" ? Kind::kRequired : Kind::kAuto;
    if (kind != "none" && kind != "auto" && kind != "required") {
      in.Fail("tool_choice", "is '" + kind + "'; it may be none, auto, required or a function");
    }
    return;
  }
  FieldReader outer(value->get_object(), "tool_choice.");
  const json::object* function = outer.Object("function");
  if (function == nullptr) outer.Missing("function");
  if (outer.ok()) {
    FieldReader inner(*function, "tool_choice.function.");
    if (!inner.Text("name", choice.name)) inner.Missing("name");
    if (inner.error()) outer.Fail(*inner.error());
  }
  choice.kind = Kind::kRequired;
  if (outer.error()) in.Fail(*outer.error());
}

void ReadTools(FieldReader& in, GenerationRequest& request, ChatInput& input) {
  if (const json::array* tools = in.Array("tools"); tools != nullptr && !tools->empty()) {
    input.tools_json = DumpJson(*tools);
    auto parsed = ParseTools(input.tools_json, "");
    if (!parsed.ok()) return in.Fail("tools", "cannot be used: " + parsed.error().Message());
    input.tools = std::move(*parsed);
  }
  ReadToolChoice(in, input.choice);
  in.Flag("parallel_tool_calls", input.choice.parallel);
  if (input.choice.kind == ToolChoice::Kind::kNone) input.tools.clear();
  if (input.tools.empty() && input.choice.kind == ToolChoice::Kind::kRequired) {
    in.Fail("tool_choice", "wants a call, but there are no tools");
  }
  if (!input.tools.empty() && request.sample.grammar != nullptr) {
    in.Fail("response_format", "and 'tools' exclude each other", "unsupported_value");
  }
}

bool ReadIds(const json::array& list, std::vector<int32_t>& ids) {
  for (const json::value& item : list) {
    if (!item.is_int64() || item.get_int64() < 0 || item.get_int64() > INT32_MAX) return false;
    ids.push_back(static_cast<int32_t>(item.get_int64()));
  }
  return !ids.empty();
}

// A string, ids, or a list of strings or of lists of ids.
void ReadPrompts(FieldReader& in, TextInput& input) {
  const json::value* prompt = in.Value("prompt");
  if (prompt == nullptr) return in.Missing("prompt");
  const auto add = [&](const json::value& item) {
    if (item.is_string()) {
      input.prompts.emplace_back(std::string(item.get_string().data(), item.get_string().size()));
      return true;
    }
    std::vector<int32_t> ids;
    if (!item.is_array() || !ReadIds(item.get_array(), ids)) return false;
    input.prompts.emplace_back(std::move(ids));
    return true;
  };
  bool right = true;
  if (!prompt->is_array() || (!prompt->get_array().empty() && prompt->get_array()[0].is_number())) {
    right = add(*prompt);
  } else {
    const json::array& list = prompt->get_array();
    if (list.empty() || list.size() > kMaxPrompts) return in.Fail("prompt", "must hold 1 to 64 prompts");
    right = std::all_of(list.begin(), list.end(), add);
  }
  if (!right) in.Fail("prompt", "must be a string, token ids, or a list of one of them", "invalid_type");
}

void ReadExtra(FieldReader& in, InfillInput& input) {
  const json::array* list = in.Array("input_extra");
  if (list == nullptr) return;
  if (list->size() > kMaxExtraFiles) return in.Fail("input_extra", "holds more than 1024 files");
  for (const json::value& item : *list) {
    const std::string name = "input_extra[" + std::to_string(input.extra.size()) + "]";
    if (!item.is_object()) return in.Fail(name, "must be an object", "invalid_type");
    FieldReader inner(item.get_object(), name + ".");
    auto& [file, text] = input.extra.emplace_back();
    inner.Text("filename", file);
    if (!inner.Text("text", text)) inner.Missing("text");
    if (inner.error()) return in.Fail(*inner.error());
  }
}

// llama.cpp's fields; an empty one means none.
void ReadGrammar(FieldReader& in, GenerationRequest& request) {
  if (std::string text; in.Text("grammar", text) && !text.empty()) {
    Constrain(in, "grammar", ParseGbnf(text), "gbnf " + text, request);
  }
  if (const json::object* schema = in.Object("json_schema"); schema != nullptr && !schema->empty()) {
    const std::string text = DumpJson(*schema);
    if (request.sample.grammar != nullptr) in.Fail("json_schema", "and 'grammar' exclude each other");
    Constrain(in, "json_schema", JsonSchemaGrammar(text), "schema " + text, request);
  }
}

}  // namespace

MaybeApiError ParseChat(std::string_view body, GenerationRequest& request) {
  json::object object;
  if (auto error = ParseBody(body, object)) return error;
  FieldReader in(object);
  request.shape = AnswerShape::kChat;
  request.sample.temperature = 1;
  request.sample.max_tokens = kUnlimitedTokens;
  ChatInput input;
  ReadCommon(in, request);
  ReadOpenAi(in, request);
  in.Integer("max_completion_tokens", request.sample.max_tokens, 1, kUnlimitedTokens);
  ReadMessages(in, input.messages);
  ReadThinking(in, input.thinking);
  ReadResponseFormat(in, request);
  if (request.sample.grammar != nullptr) input.thinking = false;  // the answer begins with the value
  ReadTools(in, request, input);
  bool logprobs = false;
  if (in.Flag("logprobs", logprobs) && logprobs) request.sample.top_logprobs = 0;
  if (int64_t top = 0; in.Integer("top_logprobs", top, 0, 20)) {
    if (!logprobs && top > 0) in.Fail("top_logprobs", "wants 'logprobs' to be true");
    if (logprobs) request.sample.top_logprobs = top;
  }
  request.input = std::move(input);
  return Finish(in, request);
}

MaybeApiError ParseCompletion(std::string_view body, GenerationRequest& request) {
  json::object object;
  if (auto error = ParseBody(body, object)) return error;
  FieldReader in(object);
  request.shape = AnswerShape::kCompletion;
  request.sample.temperature = 1;
  request.sample.max_tokens = 16;
  TextInput input;
  ReadCommon(in, request);
  ReadOpenAi(in, request);
  ReadPrompts(in, input);
  in.Integer("logprobs", request.sample.top_logprobs, 0, 20);
  if (in.Flag("echo", input.echo) && input.echo && request.sample.top_logprobs >= 0) {
    in.Fail("echo", "with 'logprobs' is not supported: the log-probabilities of a prompt are not kept",
            "unsupported_value");
  }
  if (std::string suffix; in.Text("suffix", suffix) && !suffix.empty()) {
    const auto* prefix = input.prompts.size() == 1 ? std::get_if<std::string>(input.prompts.data()) : nullptr;
    if (prefix == nullptr) in.Fail("suffix", "wants one prompt that is a string");
    if (input.echo) in.Fail("echo", "and 'suffix' exclude each other");
    if (in.ok()) request.input = InfillInput{*prefix, std::move(suffix), {}, {}};
  } else {
    request.input = std::move(input);
  }
  return Finish(in, request);
}

MaybeApiError ParseInfill(std::string_view body, GenerationRequest& request) {
  json::object object;
  if (auto error = ParseBody(body, object)) return error;
  FieldReader in(object);
  request.sample.fit_prompt = true;
  InfillInput input;
  ReadCommon(in, request);
  ReadNative(in, request);
  if (!in.Text("input_prefix", input.prefix)) in.Text("prefix", input.prefix);
  if (!in.Text("input_suffix", input.suffix)) in.Text("suffix", input.suffix);
  in.Text("prompt", input.prompt);
  ReadExtra(in, input);
  ReadGrammar(in, request);
  request.input = std::move(input);
  return Finish(in, request);
}

MaybeApiError ParseNative(std::string_view body, GenerationRequest& request) {
  json::object object;
  if (auto error = ParseBody(body, object)) return error;
  FieldReader in(object);
  TextInput input;
  ReadCommon(in, request);
  ReadNative(in, request);
  ReadPrompts(in, input);
  if (input.prompts.size() > 1) in.Fail("prompt", "must be one prompt");
  ReadGrammar(in, request);
  request.input = std::move(input);
  return Finish(in, request);
}

}  // namespace pintle
