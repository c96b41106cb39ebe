// What each route takes, and what it refuses with which parameter and code.
#include "serve/node/requests.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

constexpr const char* kUser = R"("messages":[{"role":"user","content":"hi"}])";

std::string Chat(const std::string& fields) { return R"({"model":"m",)" + std::string(kUser) + fields + "}"; }

}  // namespace

TEST_CASE("a chat request with everything") {
  GenerationRequest request;
  const auto error = ParseChat(
      R"({"model":"m","messages":[{"role":"developer","content":"be brief"},
          {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],
          "stream":true,"stream_options":{"include_usage":true},"n":2,"stop":["x","y"],"seed":-7,"temperature":0.5,
          "top_p":0,"top_k":40,"min_p":0.1,"typical_p":0.7,"max_completion_tokens":9,"logprobs":true,"top_logprobs":3,
          "logit_bias":{"5":-100,"7":2.5},"presence_penalty":1,"frequency_penalty":-1,
          "chat_template_kwargs":{"enable_thinking":false},"user":"u","max_tokens":null})",
      request);
  REQUIRE_FALSE(error);
  const auto& chat = std::get<ChatInput>(request.input);
  REQUIRE(chat.messages.size() == 2);
  CHECK(chat.messages[0].role == "system");
  CHECK(chat.messages[1].text == "ab");
  CHECK_FALSE(chat.thinking);
  CHECK(request.stream);
  CHECK(request.include_usage);
  CHECK(request.choices == 2);
  CHECK(request.seed == -7);
  const SampleOptions& s = request.sample;
  CHECK(s.stop == std::vector<std::string>{"x", "y"});
  CHECK(s.seed == static_cast<uint64_t>(-7));
  CHECK(s.temperature == 0.5);
  CHECK(s.top_p > 0);
  CHECK(s.top_k == 40);
  CHECK(s.min_p == 0.1);
  CHECK(s.typical_p == 0.7);
  CHECK(s.max_tokens == 9);
  CHECK(s.top_logprobs == 3);
  CHECK(s.logit_bias == std::vector<std::pair<int32_t, double>>{{5, -100}, {7, 2.5}});
  CHECK(request.ignored == std::vector<std::string>{"user"});
}

TEST_CASE("defaults are OpenAI's, and the seed is 0") {
  GenerationRequest chat, text, infill;
  REQUIRE_FALSE(ParseChat(Chat(""), chat));
  CHECK(chat.sample.temperature == 1);
  CHECK(chat.sample.max_tokens == kUnlimitedTokens);
  CHECK(chat.sample.seed == 0);
  REQUIRE_FALSE(ParseCompletion(R"({"model":"m","prompt":"x"})", text));
  CHECK(text.sample.max_tokens == 16);
  REQUIRE_FALSE(ParseInfill("{}", infill));
  CHECK(infill.sample.temperature == 0);
  CHECK(infill.sample.fit_prompt);
}

TEST_CASE("every wrong field is named") {
  const struct {
    const char *fields, *param, *code;
  } rows[] = {
      {R"(,"temperature":"hot")", "temperature", "invalid_type"},
      {R"(,"temperature":2.5)", "temperature", "invalid_value"},
      {R"(,"temperature":1e999)", "temperature", "invalid_value"},
      {R"(,"top_p":-0.1)", "top_p", "invalid_value"},
      {R"(,"typical_p":1.5)", "typical_p", "invalid_value"},
      {R"(,"top_k":1.5)", "top_k", "invalid_type"},
      {R"(,"n":0)", "n", "invalid_value"},
      {R"(,"n":17)", "n", "invalid_value"},
      {R"(,"max_tokens":0)", "max_tokens", "invalid_value"},
      {R"(,"max_tokens":99999999999999999999)", "max_tokens", "invalid_type"},
      {R"(,"stop":["a","b","c","d","e"])", "stop", "invalid_value"},
      {R"(,"stop":[1])", "stop", "invalid_type"},
      {R"(,"stop":"")", "stop", "invalid_value"},
      {R"(,"seed":1.5)", "seed", "invalid_type"},
      {R"(,"stream":"yes")", "stream", "invalid_type"},
      {R"(,"stream_options":{"include_usage":true})", "stream_options", "invalid_value"},
      {R"(,"stream":true,"stream_options":{"include_usage":1})", "stream_options.include_usage", "invalid_type"},
      {R"(,"logit_bias":{"x":1})", "logit_bias", "invalid_value"},
      {R"(,"logit_bias":{"1":101})", "logit_bias", "invalid_value"},
      {R"(,"logit_bias":[1])", "logit_bias", "invalid_type"},
      {R"(,"top_logprobs":3)", "top_logprobs", "invalid_value"},
      {R"(,"logprobs":true,"top_logprobs":21)", "top_logprobs", "invalid_value"},
      {R"(,"response_format":{})", "response_format.type", "missing_required_parameter"},
      {R"(,"response_format":{"type":"xml"})", "response_format.type", "invalid_value"},
      {R"(,"response_format":{"type":"json_schema"})", "response_format.json_schema", "missing_required_parameter"},
      {R"(,"tools":[{}])", "tools", "invalid_value"},
      {R"(,"tools":{})", "tools", "invalid_type"},
      {R"(,"tool_choice":"required")", "tool_choice", "invalid_value"},
      {R"(,"tool_choice":"perhaps")", "tool_choice", "invalid_value"},
      {R"(,"tool_choice":{"function":{}})", "tool_choice.function.name", "missing_required_parameter"},
      {R"(,"chat_template_kwargs":{"enable_thinking":"no"})", "chat_template_kwargs.enable_thinking", "invalid_type"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.fields));
    GenerationRequest request;
    const auto error = ParseChat(Chat(row.fields), request);
    REQUIRE(error);
    CHECK(error->status == 400);
    CHECK(error->param == row.param);
    CHECK(error->code == row.code);
    CHECK_FALSE(error->message.empty());
  }
}

TEST_CASE("messages and bodies that are none") {
  const struct {
    std::string body;
    const char *param, *code;
  } rows[] = {
      {"", "", "invalid_json"},
      {"{", "", "invalid_json"},
      {"[]", "", "invalid_json"},
      {"{}{}", "", "invalid_json"},
      {"{\"model\":\"\xff\"}", "", "invalid_json"},
      {std::string(100, '[') + std::string(100, ']'), "", "invalid_json"},
      {R"({"model":"a","model":"b"})", "model", "duplicate_key"},
      {R"({"model":"a","mod\u0065l":"b"})", "model", "duplicate_key"},
      {R"({"messages":[]})", "model", "missing_required_parameter"},
      {R"({"model":"m"})", "messages", "missing_required_parameter"},
      {R"({"model":"m","messages":[]})", "messages", "invalid_value"},
      {R"({"model":"m","messages":["x"]})", "messages[0]", "invalid_type"},
      {R"({"model":"m","messages":[{"role":"user"}]})", "messages[0].content", "missing_required_parameter"},
      {R"({"model":"m","messages":[{"role":"king","content":"x"}]})", "messages[0].role", "invalid_value"},
      {R"({"model":"m","messages":[{"role":"tool","content":"x"}]})", "messages[0].tool_call_id",
       "missing_required_parameter"},
      {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"a"}}]}]})",
       "messages[0].tool_calls[0].function.arguments", "missing_required_parameter"},
      {R"({"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content", "invalid_type"},
      {R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]})", "messages[0].content[0].type",
       "unsupported_value"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    GenerationRequest request;
    const auto error = ParseChat(row.body, request);
    REQUIRE(error);
    CHECK(error->param == row.param);
    CHECK(error->code == row.code);
  }
}

TEST_CASE("prompts of completions") {
  GenerationRequest ids, lists, fim;
  REQUIRE_FALSE(ParseCompletion(R"({"model":"m","prompt":[1,2,3],"logprobs":0})", ids));
  CHECK(std::get<std::vector<int32_t>>(std::get<TextInput>(ids.input).prompts.at(0)) == std::vector<int32_t>{1, 2, 3});
  CHECK(ids.sample.top_logprobs == 0);
  REQUIRE_FALSE(ParseCompletion(R"({"model":"m","prompt":["a",[4]],"echo":true})", lists));
  CHECK(std::get<TextInput>(lists.input).prompts.size() == 2);
  REQUIRE_FALSE(ParseCompletion(R"({"model":"m","prompt":"a","suffix":"b"})", fim));
  CHECK(std::get<InfillInput>(fim.input).suffix == "b");
  for (const char* wrong :
       {R"({"model":"m","prompt":[]})", R"({"model":"m","prompt":[1,"a"]})", R"({"model":"m","prompt":[-1]})",
        R"({"model":"m","prompt":{}})", R"({"model":"m","prompt":[1.5]})"}) {
    CAPTURE(std::string(wrong));
    GenerationRequest request;
    const auto error = ParseCompletion(wrong, request);
    REQUIRE(error);
    CHECK(error->param == "prompt");
  }
  GenerationRequest request;
  CHECK(ParseCompletion(R"({"model":"m","prompt":["a","b"],"suffix":"c"})", request)->param == "suffix");
}

TEST_CASE("infill as editors send it") {
  GenerationRequest request;
  REQUIRE_FALSE(ParseInfill(
      R"({"id_slot":0,"input_prefix":"fn a() {\n","input_suffix":"}\n","prompt":"    ","n_predict":0,"top_k":40,
          "top_p":0.99,"input_extra":[{"filename":"b.rs","text":"x"}],"stream":false,"t_max_predict_ms":3000,
          "samplers":["top_k","top_p","infill"],"cache_prompt":true,"response_fields":["content","timings/prompt_n"]})",
      request));
  const auto& input = std::get<InfillInput>(request.input);
  CHECK(input.prefix == "fn a() {\n");
  CHECK(input.prompt == "    ");
  CHECK(input.extra.at(0).first == "b.rs");
  CHECK(request.prompt_only);
  CHECK(request.predict_ms == 3000);
  CHECK(request.response_fields.size() == 2);
  CHECK(request.ignored == std::vector<std::string>{"id_slot", "samplers", "cache_prompt"});
}

}  // namespace pintle
