// The routes of a node over real models, without sockets: whole bodies, errors, streams, cancelling, and that nothing
// but the request shows in an answer.
#include "serve/node/node.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "generate/generate.h"
#include "generate/gguf_model.h"
#include "models/decoder/synth.h"
#include "serve/http/fake_response.h"

namespace pintle {
namespace {
namespace json = boost::json;

const std::string kShipped = std::string(PINTLE_SOURCE_DIR) + "/models/m31r-1m";

// A node with the shipped model "m31r-1m" and a random one that chats, "chat".
struct TestNode {
  explicit TestNode(const ShelfOptions& options = {.engine = {}, .context = 128, .threads = 1, .memory_limit = 0}) {
    const std::string path = (folder.path() / "chat.gguf").string();
    REQUIRE(WriteSynthModel("tiny-qwen3", "q8_0", 1, path).ok());
    // Prompts with tools are longer than the 512 bytes that it takes: the key, its type, then the number.
    std::string file = ReadFile(path).value();
    constexpr std::string_view kKey = "qwen3.context_length";
    file.replace(file.find(kKey) + kKey.size() + 4, 4, std::string("\x00\x08\x00\x00", 4));
    REQUIRE(WriteFileAtomic(path, file).ok());
    auto made = LlmNode::Create({{kShipped, ""}, {path, "chat"}}, options);
    if (!made.ok()) FAIL(made.error().Message());
    node = std::move(*made);
  }
  LlmNode* operator->() { return node.get(); }
  LlmNode& operator*() { return *node; }
  TemporaryFolder folder;
  std::unique_ptr<LlmNode> node;
};

// A random model named "chat" whose file brings a template that no format written natively knows.
struct ForeignNode {
  explicit ForeignNode(std::string_view chat_template) {
    REQUIRE(WriteSynthModel("tiny-llama", "q8_0", 1, path, chat_template).ok());
    auto made = LlmNode::Create({{path, "chat"}}, {.engine = {}, .context = 512, .threads = 1, .memory_limit = 0});
    if (!made.ok()) FAIL(made.error().Message());
    node = std::move(*made);
  }
  LlmNode& operator*() { return *node; }
  TemporaryFolder folder;
  std::string path = (folder.path() / "chat.gguf").string();
  std::unique_ptr<LlmNode> node;
};

constexpr std::string_view kForeign = R"({%- if tools %}
    {{- '<|turn|>tools\n' + (tools | map(attribute='function') | list | tojson) + '<|end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'system' and not loop.first %}{{ raise_exception('a system text stands first') }}{% endif %}
    {{- '<|turn|>' + message.role + '\n' + message.content }}
    {%- for call in message.tool_calls %}
        {{- '<tool_call>\n' + (call.function | tojson) + '\n</tool_call>' }}
    {%- endfor %}
    {{- '<|end|>\n' }}
{%- endfor %}
{{- '<|turn|>assistant\n' }})";

json::value Parsed(const std::string& text) {
  auto value = ParseJson(text, "answer");
  if (!value.ok()) FAIL(text);
  return std::move(*value);
}

// The body of an answer with 200.
json::value Whole(FakeResponse& response) {
  response.Wait();
  CAPTURE(response.body());
  REQUIRE(response.status() == 200);
  return Parsed(response.body());
}

// The events of a stream, without [DONE], which must end it if `done`.
std::vector<json::value> Events(FakeResponse& response, bool done = true) {
  std::vector<json::value> events;
  std::string_view rest = response.Wait().body();
  bool ended = false;
  while (!rest.empty()) {
    const size_t end = rest.find("\n\n");
    REQUIRE(end != std::string_view::npos);
    const std::string_view event = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    REQUIRE(event.starts_with("data: "));
    CHECK_FALSE(ended);
    ended = event == "data: [DONE]";
    if (!ended) events.push_back(Parsed(std::string(event.substr(6))));
  }
  CHECK(ended == done);
  return events;
}

std::string Text(const json::value& value) { return {value.as_string().data(), value.as_string().size()}; }

// What must not depend on anything but the request.
std::string Kept(const json::value& body) {
  return DumpJson(json::object{{"choices", body.at("choices")}, {"usage", body.at("usage")}});
}

std::string CompletionBody(const std::string& prompt, const std::string& fields = "") {
  return R"({"model":"m31r-1m","prompt":")" + prompt + "\"" + fields + "}";
}
std::string ChatBody(const std::string& text, const std::string& fields = "") {
  return R"({"model":"chat","messages":[{"role":"user","content":")" + text + "\"}]" + fields + "}";
}

// The body with everything that differs from run to run set to nothing.
std::string Timeless(json::value body) {
  body.as_object()["created"] = 0;
  for (auto& [key, value] : body.at("timings").as_object()) {
    if (std::string_view(key).ends_with("ms") || std::string_view(key).find("per_second") != std::string_view::npos) {
      value = 0;
    }
  }
  return DumpJson(body, 1) + "\n";
}

}  // namespace

TEST_CASE("whole bodies are as they were") {
  TestNode node;
  const struct {
    const char *name, *path;
    std::string body;
  } rows[] = {
      {"completion", "/v1/completions", CompletionBody("pub fn ", R"(,"temperature":0,"max_tokens":8,"logprobs":1)")},
      {"chat", "/v1/chat/completions", ChatBody("hi", R"(,"max_tokens":6,"n":2,"logprobs":true,"top_logprobs":1)")},
      {"fim", "/v1/completions", CompletionBody("fn one() -> u32 {", R"(,"suffix":"}","temperature":0,"stop":"\n")")},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    const std::string got = Timeless(Whole(*Post(*node, row.path, row.body)));
    const std::string path = std::string(PINTLE_SOURCE_DIR) + "/src/serve/node/testdata/" + row.name + ".json";
    if (std::getenv("PINTLE_WRITE_GOLDENS") != nullptr) REQUIRE(WriteFileAtomic(path, got).ok());
    const auto expected = ReadFile(path);
    REQUIRE(expected.ok());
    CHECK(got == *expected);
  }
}

TEST_CASE("the text is that of the command line") {
  TestNode node;
  const auto model = TextModel::Load(kShipped, 1);
  REQUIRE(model.ok());
  SampleOptions sample;
  sample.max_tokens = 24;
  const auto plain = (*model)->Complete("pub fn ", sample);
  const auto middle = (*model)->Infill("fn a() {", "}", sample);
  REQUIRE(plain.ok());
  REQUIRE(middle.ok());
  const auto body =
      Whole(*Post(*node, "/v1/completions", CompletionBody("pub fn ", R"(,"max_tokens":24,"temperature":0)")));
  CHECK(Text(body.at("choices").at(0).at("text")) == plain->text);
  const auto native =
      Whole(*Post(*node, "/infill", R"({"input_prefix":"fn a() {","input_suffix":"}","n_predict":24})"));
  CHECK(Text(native.at("content")) == middle->text);
}

TEST_CASE("streamed or whole, alone or among 8, with one thread or three: the same") {
  const std::vector<std::pair<std::string, std::string>> asked = {
      {"/v1/completions", CompletionBody("pub fn ", R"(,"max_tokens":20,"temperature":0)")},
      {"/v1/completions", CompletionBody("impl ", R"(,"max_tokens":20,"temperature":0.8,"seed":3,"n":3,"logprobs":2)")},
      {"/v1/completions", CompletionBody("use std", R"(,"max_tokens":16,"suffix":";","stop":["::"],"echo":false)")},
      {"/v1/chat/completions", ChatBody("hello", R"(,"max_tokens":20,"logprobs":true,"top_logprobs":2)")},
      {"/v1/chat/completions", ChatBody("hello there", R"(,"max_tokens":12,"temperature":0,"presence_penalty":1)")},
      {"/v1/chat/completions", ChatBody("x", R"(,"max_tokens":9,"n":2,"seed":9,"logit_bias":{"65":3})")},
      {"/v1/completions", CompletionBody("struct ", R"(,"max_tokens":5,"echo":true)")},
      {"/v1/chat/completions", ChatBody("y", R"(,"max_tokens":7,"min_p":0.2,"reasoning_effort":"none")")},
  };
  TestNode alone;
  std::vector<std::string> expected;
  expected.reserve(asked.size());
  for (const auto& [path, body] : asked) expected.push_back(Kept(Whole(*Post(*alone, path, body))));

  ShelfOptions options;
  options.threads = 3;
  options.context = 128;
  TestNode node(options);
  for (int round = 0; round < 2; ++round) {  // the second finds its prompts in the cache
    std::vector<std::shared_ptr<FakeResponse>> whole, streamed;
    for (const auto& [path, body] : asked) {
      whole.push_back(Post(*node, path, body));
      std::string stream = body;
      stream.insert(1, R"("stream":true,"stream_options":{"include_usage":true},)");
      streamed.push_back(Post(*node, path, stream));
    }
    for (size_t i = 0; i < asked.size(); ++i) {
      CAPTURE(asked[i].second);
      CHECK(Kept(Whole(*whole[i])) == expected[i]);
      // The deltas put together are the whole answer.
      json::value together = Parsed(expected[i]);
      const bool chat = asked[i].first == "/v1/chat/completions";
      json::array& choices = together.at("choices").as_array();
      std::vector<std::string> texts(choices.size()), thoughts(choices.size());
      std::vector<json::array> tokens(choices.size());
      std::vector<std::string> reasons(choices.size());
      std::string usage;
      for (const json::value& event : Events(*streamed[i])) {
        if (event.at("choices").as_array().empty()) {
          usage = DumpJson(event.at("usage"));
          continue;
        }
        const json::value& choice = event.at("choices").at(0);
        const auto index = static_cast<size_t>(choice.at("index").to_number<int64_t>());
        if (chat) {
          const json::object& delta = choice.at("delta").as_object();
          if (const auto* content = delta.if_contains("content")) texts[index] += Text(*content);
          if (const auto* content = delta.if_contains("reasoning_content")) thoughts[index] += Text(*content);
        } else {
          texts[index] += Text(choice.at("text"));
        }
        if (choice.at("logprobs").is_object()) {
          for (const auto& token : choice.at("logprobs").at(chat ? "content" : "tokens").as_array()) {
            tokens[index].push_back(token);
          }
        }
        if (choice.at("finish_reason").is_string()) reasons[index] = Text(choice.at("finish_reason"));
      }
      CHECK(usage == DumpJson(together.at("usage")));
      for (size_t k = 0; k < choices.size(); ++k) {
        const json::value& choice = choices[k];
        CHECK(texts[k] == Text(chat ? choice.at("message").at("content") : choice.at("text")));
        CHECK(reasons[k] == Text(choice.at("finish_reason")));
        if (choice.at("logprobs").is_object()) {
          CHECK(DumpJson(tokens[k]) == DumpJson(choice.at("logprobs").at(chat ? "content" : "tokens")));
        }
      }
    }
  }
}

TEST_CASE("what the client does wrong is never the server's fault") {
  TestNode node;
  std::string ids = "[1";
  for (int i = 0; i < 600; ++i) ids += ",1";
  ids += "]";
  const struct {
    const char* path;
    std::string body;
    int status;
    const char *param, *code;
  } rows[] = {
      {"/v1/chat/completions", "nonsense", 400, "", "invalid_json"},
      {"/v1/chat/completions", R"({"model":"m31r-1m","messages":[{"role":"user","content":"x"}]})", 400, "model",
       "model_not_chat"},
      {"/v1/chat/completions", R"({"model":"none","messages":[{"role":"user","content":"x"}]})", 404, "model",
       "model_not_found"},
      {"/v1/chat/completions", ChatBody("x", R"(,"logit_bias":{"100000":1})"), 400, "logit_bias", "invalid_value"},
      {"/v1/chat/completions",
       R"({"model":"chat","messages":[{"role":"user","content":"x"},{"role":"system","content":"x"}]})", 400,
       "messages", "invalid_value"},
      {"/v1/chat/completions", ChatBody(std::string(300, 'a')), 400, "", "context_length_exceeded"},
      {"/v1/completions", CompletionBody(std::string(100000, 'a')), 400, "", "context_length_exceeded"},
      {"/v1/completions", R"({"model":"m31r-1m","prompt":)" + ids + "}", 400, "", "context_length_exceeded"},
      {"/v1/completions", R"({"model":"m31r-1m","prompt":[999999]})", 400, "prompt", "invalid_value"},
      {"/v1/completions", R"({"model":"chat","prompt":"a","suffix":"b"})", 400, "model", "model_not_fim"},
      {"/infill", R"({"model":"chat"})", 400, "model", "model_not_fim"},
      {"/v1/embeddings", "{}", 404, "", "not_served"},
      {"/v1/responses", "{}", 404, "", "not_served"},
      {"/v1/messages", "{}", 404, "", "not_served"},
      {"/nothing", "{}", 404, "", "not_found"},
      {"/health", "{}", 405, "", "method_not_allowed"},
      {"/v1/models/load", R"({"model":"../../etc/passwd"})", 404, "model", "model_not_found"},
      {"/v1/models/load", R"({"model":""})", 400, "model", "missing_required_parameter"},
      {"/v1/models/unload", "{}", 400, "model", "missing_required_parameter"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.path));
    CAPTURE(row.body.substr(0, 80));
    const auto response = Post(*node, row.path, row.body);
    CHECK(response->Wait().status() == row.status);
    const json::value error = Parsed(response->body()).at("error");
    const auto text = [&](const char* key) { return error.at(key).is_null() ? "" : Text(error.at(key)); };
    CHECK(text("param") == row.param);
    CHECK(text("code") == row.code);
    CHECK(text("type") == "invalid_request_error");
    CHECK(error.as_object().size() == 4);
  }
  const auto long_ids = Post(*node, "/v1/completions", R"({"model":"m31r-1m","prompt":)" + ids + "}");
  CHECK(long_ids->Wait().body().find("601 tokens, which exceeds the available context size of 512") !=
        std::string::npos);
  CHECK(Post(*node, "/v1/completions", CompletionBody("x", R"(,"usr":1,"x\r\ny":2)"))
            ->Wait()
            .Header("x-pintle-ignored") == "usr, x??y");
}

TEST_CASE("what must be JSON is JSON") {
  TestNode node;
  const std::string schema = R"({"type":"object","properties":{"a":{"enum":["x","yy"]},"b":{"type":"boolean"}},)"
                             R"("required":["a","b"],"additionalProperties":false})";
  const auto format = [](const std::string& text) {
    return R"(,"temperature":1.5,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":)" + text +
           "}}";
  };
  for (int seed = 0; seed < 4; ++seed) {
    const auto fields = format(schema) + ",\"seed\":" + std::to_string(seed);
    const auto body = Whole(*Post(*node, "/v1/chat/completions", ChatBody("x", fields)));
    const auto& choice = body.at("choices").at(0);
    CHECK(Text(choice.at("finish_reason")) == "stop");
    const auto value = Parsed(Text(choice.at("message").at("content")));
    CHECK(value.at("b").is_bool());
    CHECK(value.as_object().size() == 2);
  }
  const auto native = Whole(*Post(*node, "/completion", R"({"prompt":"a","grammar":"root ::= \"fn \" [a-z]{2}"})"));
  CHECK(Text(native.at("content")).starts_with("fn "));
  const auto refused = Post(*node, "/v1/chat/completions", ChatBody("x", format(R"({"type":"string","pattern":"a"})")));
  CHECK(refused->Wait().status() == 400);
  CHECK(Text(Parsed(refused->body()).at("error").at("param")) == "response_format.json_schema.schema");
}

TEST_CASE("a tool that must be called is called") {
  TestNode node({.engine = {}, .context = 1024, .threads = 1, .memory_limit = 0});
  const std::string tools = R"(,"temperature":1,"tools":[{"type":"function","function":{"name":"paint","strict":true,)"
                            R"("parameters":{"type":"object","properties":{"color":{"enum":["red","blue"]}},)"
                            R"("required":["color"],"additionalProperties":false}}}])";
  const std::string asked = ChatBody(
      "x", tools + R"(,"tool_choice":{"type":"function","function":{"name":"paint"}},"parallel_tool_calls":false)"
                   R"(,"reasoning_effort":"none")");
  const auto body = Whole(*Post(*node, "/v1/chat/completions", asked));
  const auto& choice = body.at("choices").at(0);
  CHECK(Text(choice.at("finish_reason")) == "tool_calls");
  CHECK(choice.at("message").at("content").is_null());
  const auto& calls = choice.at("message").at("tool_calls").as_array();
  REQUIRE(calls.size() == 1);
  CHECK(Text(calls[0].at("function").at("name")) == "paint");
  const auto arguments = Parsed(Text(calls[0].at("function").at("arguments")));
  CHECK((Text(arguments.at("color")) == "red" || Text(arguments.at("color")) == "blue"));
  // Streamed: the same call in one delta. Its result goes back as a message.
  std::string stream = asked;
  stream.insert(1, R"("stream":true,)");
  std::string streamed;
  for (const json::value& event : Events(*Post(*node, "/v1/chat/completions", stream))) {
    const auto& delta = event.at("choices").at(0).at("delta").as_object();
    if (const auto* list = delta.if_contains("tool_calls"))
      streamed += Text(list->at(0).at("function").at("arguments"));
  }
  CHECK(streamed == Text(calls[0].at("function").at("arguments")));
  json::array messages = {json::object{{"role", "user"}, {"content", "x"}}, choice.at("message"),
                          json::object{{"role", "tool"}, {"tool_call_id", "1"}, {"content", "done"}}};
  messages[1].as_object().erase("refusal");
  (void)Whole(*Post(*node, "/v1/chat/completions",
                    DumpJson(json::object{{"model", "chat"}, {"max_tokens", 2}, {"messages", std::move(messages)}})));
}

TEST_CASE("a model with a template of its own answers as on the command line") {
  ForeignNode node(kForeign);
  const auto body =
      Whole(*Post(*node, "/v1/chat/completions", ChatBody("a<|end|>b", R"(,"max_tokens":9,"temperature":0)")));
  const auto model = GgufModel::Load(node.path, 512, 1);
  REQUIRE(model.ok());
  const auto prompt = (*model)->ChatPrompt({{"user", "a<|end|>b"}}, true);
  REQUIRE(prompt.ok());
  SampleOptions sample;
  sample.max_tokens = 9;
  const auto answer = (*model)->Run(*prompt, sample);
  REQUIRE(answer.ok());
  CHECK(Text(body.at("choices").at(0).at("message").at("content")) == answer->text);
  CHECK(body.at("usage").at("prompt_tokens").to_number<size_t>() == prompt->size());
  // "user", its line end, nine bytes that are no control token, and the template's own words.
  CHECK(prompt->size() == 1 + 5 + 9 + 1 + 1 + 1 + 10);
  CHECK(Text(Whole(*Get(*node, "/v1/models/chat")).at("capabilities").at(1)) == "chat");
  const auto refused =
      Post(*node, "/v1/chat/completions",
           R"({"model":"chat","messages":[{"role":"user","content":"x"},{"role":"system","content":"x"}]})");
  CHECK(refused->Wait().status() == 400);
  CHECK(refused->body().find("the model's template: a system text stands first") != std::string::npos);
}

TEST_CASE("tools and thoughts by a model's own template") {
  const std::string tools = R"(,"max_tokens":250,"tool_choice":"required","parallel_tool_calls":false,"tools":[)"
                            R"({"type":"function","function":{"name":"paint","strict":true,"parameters":{"type":)"
                            R"("object","properties":{"color":{"enum":["red","blue"]}},"required":["color"],)"
                            R"("additionalProperties":false}}}],"logit_bias":{"104":-100})";  // no <think>
  {
    ForeignNode node(kForeign);
    const auto body = Whole(*Post(*node, "/v1/chat/completions", ChatBody("x", tools)));
    const auto& call = body.at("choices").at(0).at("message").at("tool_calls").at(0).at("function");
    CHECK(Text(call.at("name")) == "paint");
  }
  {
    // It knows no tools; and its answers begin inside thoughts.
    ForeignNode node("{% for m in messages %}<|turn|>{{ m.content }}<|end|>{% endfor %}<|turn|><think>\n");
    const auto refused = Post(*node, "/v1/chat/completions", ChatBody("x", tools));
    CHECK(refused->Wait().status() == 400);
    CHECK(Text(Parsed(refused->body()).at("error").at("param")) == "tools");
    const auto body = Whole(*Post(*node, "/v1/chat/completions", ChatBody("x", R"(,"max_tokens":9)")));
    const auto& message = body.at("choices").at(0).at("message");
    CHECK(Text(message.at("content")).empty());
    CHECK_FALSE(Text(message.at("reasoning_content")).empty());
  }
}

TEST_CASE("infill fits what is too long, and says so") {
  TestNode node;
  std::string prefix, extra(2000, 'z');
  for (int i = 0; i < 400; ++i) prefix += "let a" + std::to_string(i) + " = 1; ";
  const auto response = Post(*node, "/infill",
                             R"({"input_prefix":")" + prefix + R"(","input_suffix":"}","n_predict":4,"input_extra":[)" +
                                 R"({"filename":"a.rs","text":")" + extra + "\"}]}");
  const json::value body = Whole(*response);
  CHECK(body.at("truncated").as_bool());
  CHECK(body.at("timings").at("truncated").to_number<int64_t>() > 0);
  CHECK(response->Header("x-pintle-truncated") ==
        std::to_string(body.at("timings").at("truncated").to_number<int64_t>()));
  CHECK(body.at("tokens_evaluated").to_number<int64_t>() == 508);
  // A warm-up, and only what was asked for.
  const auto fields = Whole(*Post(
      *node, "/infill",
      R"({"input_prefix":"","input_suffix":"","n_predict":1,"response_fields":["content","timings/prompt_n","nothing"]})"));
  CHECK(fields.as_object().size() == 2);
  CHECK(fields.at("timings/prompt_n").to_number<int64_t>() == 3);
  CHECK(Text(Whole(*Post(*node, "/infill", R"({"input_prefix":"fn ","n_predict":0})")).at("content")).empty());
}

TEST_CASE("a client that leaves frees its slot") {
  ShelfOptions options;
  options.engine = {.slots = 1, .queue = 1};
  options.threads = 1;
  options.context = 0;
  TestNode node(options);
  const std::string endless = ChatBody("x", R"(,"stream":true,"temperature":0,"logit_bias":{"65":100})");
  const auto first = Post(*node, "/v1/chat/completions", endless);
  first->WaitForWrites(3);
  const auto second = Post(*node, "/v1/chat/completions", endless);
  second->WaitForWrites(1);
  const auto third = Post(*node, "/v1/chat/completions", endless);
  CHECK(third->Wait().status() == 429);
  CHECK(third->Header("retry-after") == "1");
  CHECK(Text(Parsed(third->body()).at("error").at("code")) == "queue_full");
  first->Leave();
  second->WaitForWrites(3);
  second->Leave();
  first->Wait();
  second->Wait();
  CHECK(Whole(*Post(*node, "/v1/chat/completions", ChatBody("x", R"(,"max_tokens":2)")))
            .at("usage")
            .at("completion_tokens")
            .to_number<int64_t>() <= 2);
}

TEST_CASE("what is put into the folder is served, what is taken away no more") {
  const TemporaryFolder folder;
  const auto path = [&](const char* file) { return (folder.path() / file).string(); };
  REQUIRE(WriteSynthModel("tiny-qwen3", "q8_0", 1, path("early.gguf")).ok());
  REQUIRE(WriteFileAtomic(path("torn.gguf"), ReadFile(path("early.gguf")).value().substr(0, 5000)).ok());
  REQUIRE(WriteFileAtomic(path("shipped.gguf"), ReadFile(path("early.gguf")).value()).ok());
  ShelfOptions options;
  options.threads = 1;
  options.folder = folder.path().string();
  options.taken = {"shipped"};
  auto made = LlmNode::Create({}, options);
  REQUIRE(made.ok());
  LlmNode& node = **made;
  // The names that it lists, once those are what is wanted; each listing looks again.
  const auto lists = [&](const std::string& wanted) {
    std::string names;
    for (int i = 0; i < 500; ++i) {
      names.clear();
      const json::value list = Whole(*Get(node, "/v1/models"));
      for (const json::value& model : list.at("data").as_array()) names += Text(model.at("id")) + " ";
      if (names == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    MESSAGE(names);
    return false;
  };
  REQUIRE(lists("early "));
  const json::value early = Whole(*Get(node, "/v1/models/early"));
  CHECK(Text(early.at("state")) == "unloaded");
  CHECK(Text(early.at("state_reason")) == "not asked for yet");
  CHECK(DumpJson(early.at("capabilities")) == R"(["completion","chat"])");
  const std::string talk = R"("messages":[{"role":"user","content":"x"}],"max_tokens":2})";
  CHECK(Post(node, "/v1/chat/completions", R"({"model":"late",)" + talk)->Wait().status() == 404);
  REQUIRE(WriteFileAtomic(path("late.gguf"), ReadFile(path("early.gguf")).value()).ok());
  REQUIRE(lists("early late "));
  CHECK(Whole(*Post(node, "/v1/chat/completions", R"({"model":"late",)" + talk))
            .at("timings")
            .at("load_ms")
            .to_number<double>() > 0);
  REQUIRE(WriteFileAtomic(path("torn.gguf"), ReadFile(path("early.gguf")).value()).ok());
  REQUIRE(lists("early late torn "));
  // One in memory stays until it leaves that.
  for (const char* file : {"early.gguf", "late.gguf"}) std::filesystem::remove(path(file));
  REQUIRE(lists("late torn "));
  (void)Whole(*Post(node, "/v1/models/unload", R"({"model":"late"})"));
  CHECK(lists("torn "));
}

TEST_CASE("a model gets fewer slots where memory is short") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "one.gguf").string();
  REQUIRE(WriteSynthModel("tiny-qwen3", "q8_0", 1, path).ok());
  const auto info = LanguageModel::Describe(path, 128);
  REQUIRE(info.ok());
  ShelfOptions options;
  options.threads = 1;
  options.context = 128;
  options.memory_limit = info->weight_bytes + 5 * info->kv_bytes / 2;
  auto made = LlmNode::Create({{path, "one"}}, options);
  REQUIRE(made.ok());
  const json::value one = Whole(*Post(**made, "/v1/models/load", R"({"model":"one"})"));
  CHECK(one.at("memory_bytes").to_number<int64_t>() <= options.memory_limit);
  CHECK(one.at("memory_bytes").to_number<int64_t>() > info->weight_bytes + info->kv_bytes);
}

TEST_CASE("models are listed, loaded, unloaded, and make room for each other") {
  int64_t largest = 0;
  {
    TestNode node;
    const json::value list = Whole(*Get(*node, "/v1/models"));
    REQUIRE(list.at("data").as_array().size() == 2);
    for (const json::value& model : list.at("data").as_array()) {
      largest = std::max(largest, model.at("memory_bytes").to_number<int64_t>());
    }
    (void)Whole(*Post(*node, "/v1/models/load", R"({"model":"m31r-1m"})"));
    const json::value one = Whole(*Get(*node, "/v1/models/m31r-1m"));
    CHECK(Text(one.at("origin")) == "internal");
    CHECK(one.at("context_window").to_number<int64_t>() == 512);
    CHECK(Text(one.at("state")) == "loaded");
    CHECK(Get(*node, "/v1/models/none")->Wait().status() == 404);
    const json::value gone = Whole(*Post(*node, "/v1/models/unload", R"({"model":"m31r-1m"})"));
    CHECK(Text(gone.at("state")) == "unloaded");
    CHECK(Text(gone.at("state_reason")) == "unloaded by a request");
    // A request brings it back, and says what that took.
    const json::value again = Whole(*Post(*node, "/v1/completions", CompletionBody("fn ", R"(,"max_tokens":1)")));
    CHECK(again.at("timings").at("load_ms").to_number<double>() > 0);
    const std::string metrics = Get(*node, "/metrics")->Wait().body();
    CHECK(metrics.find("pintle_unloads_total{model=\"m31r-1m\",reason=\"request\"} 1") != std::string::npos);
    CHECK(metrics.find("pintle_completion_tokens_total{model=\"m31r-1m\"} 1") != std::string::npos);
  }
  ShelfOptions options;
  options.threads = 1;
  options.context = 128;
  options.memory_limit = largest;
  TestNode node(options);
  (void)Whole(*Post(*node, "/v1/models/load", R"({"model":"m31r-1m"})"));
  (void)Whole(*Post(*node, "/v1/models/load", R"({"model":"chat","pinned":true})"));
  const json::value evicted = Whole(*Get(*node, "/v1/models/m31r-1m"));
  CHECK(Text(evicted.at("state")) == "unloaded");
  CHECK(Text(evicted.at("state_reason")).find("made room for 'chat'") == 0);
  const auto refused = Post(*node, "/v1/completions", CompletionBody("fn "));
  CHECK(refused->Wait().status() == 503);
  CHECK(Text(Parsed(refused->body()).at("error").at("code")) == "no_memory");
}

}  // namespace pintle
