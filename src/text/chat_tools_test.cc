#include "text/chat_tools.h"

#include <doctest/doctest.h>

#include "text/chat_template.h"

namespace pintle {
namespace {

constexpr const char* kTools = R"([{"type":"function","function":{"name":"add","description":"Adds","parameters":
{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}}}])";

std::vector<ChatTool> Tools() {
  auto tools = ParseTools(kTools, "tools");
  REQUIRE(tools.ok());
  return std::move(tools).value();
}

std::string Rendered(ChatFormat format, const std::vector<ChatMessage>& talk, const std::vector<ChatTool>& tools) {
  const auto parts = RenderChat(format, talk, true, tools);
  if (!parts.ok()) return parts.error().what;
  std::string text;
  for (const PromptPart& part : *parts) text += part.text;
  return text;
}

// "text|name(arguments)...", the same for any cut of the answer.
std::string Read(ChatFormat format, std::string_view answer) {
  std::string first;
  for (size_t step = answer.size(); step > 0; step = step > 3 ? 3 : step - 1) {
    ToolCallReader reader(format, Tools());
    std::string all;
    for (size_t at = 0; at < answer.size(); at += step) all += reader.Push(answer.substr(at, step));
    all += reader.Finish();
    for (const ToolCall& call : reader.calls()) all += "|" + call.id + call.name + call.arguments;
    if (first.empty()) first = all;
    CHECK(all == first);
  }
  return first;
}

}  // namespace

TEST_CASE("definitions of tools are checked") {
  const auto error = [](std::string_view text) {
    const auto tools = ParseTools(text, "tools");
    return tools.ok() ? "fine" : tools.error().Message();
  };
  CHECK(error("[]") == "fine");
  CHECK(error("{}") == "tools: tools are a JSON array of at most 128");
  CHECK(error("[{}]") == R"(tools[0]: a tool is {"type": "function", "function": {...}})");
  CHECK(error(R"([{"function":{"name":"a b"}}])") == "tools[0].name: a name has 1 to 64 letters, digits, _ and -");
  CHECK(error(R"([{"function":{"name":"a","parameters":[]}}])") == "tools[0].parameters: parameters is a JSON schema");
  CHECK(error(R"([{"function":{"name":"a"}},{"function":{"name":"a"}}])") == "tools: there are two tools 'a'");
  CHECK(Tools()[0].parameters == R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})");
}

TEST_CASE("JSON as templates write it") {
  CHECK(TemplateJson(R"({"a":[1,{"b":"é\""}],"c":{},"d":[]})") == R"({"a": [1, {"b": "é\""}], "c": {}, "d": []})");
  CHECK(TemplateJson(R"({"a":[1,{"b":2}],"c":{}})", 2) ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {}\n}");
  CHECK(TemplateJson("22") == "22");
  CHECK(TemplateJson("not \"json\"") == R"("not \"json\"")");
}

TEST_CASE("prompts with tools, calls and results") {
  const std::vector<ChatMessage> talk = {{"system", "S"},
                                         {"user", "U"},
                                         {"assistant", "<think>\nT\n</think>\n\n", {{"x", "add", R"({"a":1})"}}},
                                         {"tool", "3", {}, "x"},
                                         {"tool", "ok", {}, "y"}};
  CHECK(Rendered(ChatFormat::kQwen3, talk, Tools()) ==
        "<|im_start|>system\nS\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou "
        "are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{\"type\": \"function\", "
        "\"function\": {\"name\": \"add\", \"description\": \"Adds\", \"parameters\": {\"type\": \"object\", "
        "\"properties\": {\"a\": {\"type\": \"integer\"}}, \"required\": [\"a\"]}}}\n</tools>\n\nFor each function "
        "call, return a json object with function name and arguments within <tool_call></tool_call> XML "
        "tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": "
        "<args-json-object>}\n</tool_call><|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n<think>\nT"
        "\n</think>\n\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n3\n</tool_response>\n<tool_response>\nok\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n");
  const std::string llama = Rendered(
      ChatFormat::kLlama3, {{"user", "U"}, {"assistant", "", {{"x", "add", R"({"a":1})"}}}, {"tool", "3"}}, Tools());
  CHECK(
      llama.starts_with("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\n"
                        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
                        "<|start_header_id|>user<|end_header_id|>\n\nGiven the following functions, "));
  CHECK(llama.find("Do not use variables.\n\n{\n    \"type\": \"function\",\n    \"function\": {\n        \"name\": "
                   "\"add\",") != std::string::npos);
  CHECK(
      llama.ends_with("}\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{\"name\": \"add\", "
                      "\"parameters\": {\"a\": 1}}<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n\"3\""
                      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"));
  CHECK(Rendered(ChatFormat::kLlama3, {{"user", "U"}, {"assistant", "", {{}, {}}}}, Tools()) ==
        "in this format an answer makes one call at most");
  CHECK(Rendered(ChatFormat::kMistral, {{"user", "U"}, {"tool", "3"}}, {}) ==
        "in this format the result of a tool follows its call");
}

TEST_CASE("calls are read out of answers, however they are cut") {
  const ChatFormat qwen = ChatFormat::kQwen3, llama = ChatFormat::kLlama3, mistral = ChatFormat::kMistral;
  CHECK(Read(qwen, "no call, 1 < 2 <tool") == "no call, 1 < 2 <tool");
  CHECK(Read(qwen,
             "Let me add. <tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>\n"
             "<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>\n") == R"(Let me add. |add{"a":1}|add{})");
  CHECK(Read(qwen, "<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call> done") == "done|add{}");
  CHECK(Read(qwen, "<tool_call>{\"name\":\"other\",\"arguments\":{}}</tool_call>") ==
        "<tool_call>{\"name\":\"other\",\"arguments\":{}}</tool_call>");
  CHECK(Read(qwen, "<tool_call>{\"name\":\"add\",") == "<tool_call>{\"name\":\"add\",");
  CHECK(Read(qwen, "<tool_call>{\"name\":\"add\",\"arguments\":{}}") == "|add{}");
  CHECK(Read(llama, "{\"name\": \"add\", \"parameters\": {\"a\": 2}}") == R"(|add{"a":2})");
  CHECK(Read(llama, "<|python_tag|>{\"name\": \"add\", \"parameters\": {}}") == "|add{}");
  CHECK(Read(llama, "{\"name\": \"add\"}") == "{\"name\": \"add\"}");
  CHECK(Read(llama, " <|pyramid {") == " <|pyramid {");
  CHECK(Read(mistral, "[TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {\"a\": 3}, \"id\": \"123456789\"}]") ==
        R"(|123456789add{"a":3})");
  CHECK(Read(mistral, "see [TOOL_CALLS] [{\"name\": \"add\"}]") == "see [TOOL_CALLS] [{\"name\": \"add\"}]");
}

}  // namespace pintle
