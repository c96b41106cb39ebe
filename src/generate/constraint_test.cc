// Constrained answers of models that would say anything: what they finish parses and keeps to its schema.
#include "generate/constraint.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "generate/engine.h"
#include "generate/gbnf.h"
#include "generate/gguf_model.h"
#include "generate/json_grammar.h"
#include "generate/tool_grammar.h"
#include "models/decoder/synth.h"

namespace pintle {
namespace {

namespace json = boost::json;

Tokenizer SmallTokenizer() {
  const std::vector<std::pair<int32_t, int32_t>> merges = {{'"', ':'}, {'{', '"'}, {'"', ','},  {256, ' '},  {'"', '}'},
                                                           {'a', 'b'}, {260, ','}, {'\\', 'u'}, {0xC3, 0xA9}};
  auto tokenizer = Tokenizer::FromMerges(merges, SpecialTokenNames());
  REQUIRE(tokenizer.ok());
  return std::move(tokenizer).value();
}

// A schema of at most `depth` levels; strings and arrays are short, so that answers end.
json::value RandomSchema(RandomStream& random, int depth) {
  const uint32_t kind = random.NextBelow(depth > 0 ? 9 : 6);
  switch (kind) {
    case 0:
      return {{"type", "string"}, {"maxLength", random.NextBelow(6)}};
    case 1:
      return {{"type", "integer"}};
    case 2:
      return {{"type", "number"}};
    case 3:
      return {{"type", json::array{"boolean", "null"}}};
    case 4:
      return {{"enum", json::array{"red", "gr\"een", 7, nullptr}}};
    case 5:
      return {{"const", "é"}};
    case 6:
      return {{"type", "array"},
              {"items", RandomSchema(random, depth - 1)},
              {"minItems", random.NextBelow(2)},
              {"maxItems", 1 + random.NextBelow(3)}};
    case 7:
      return {{"anyOf", json::array{RandomSchema(random, depth - 1), RandomSchema(random, depth - 1)}}};
    default: {
      json::object properties;
      json::array required;
      for (uint32_t i = 0, count = random.NextBelow(4); i < count; ++i) {
        const std::string key = std::string(1, static_cast<char>('a' + i)) + (i == 1 ? "\"é" : "");
        properties[key] = RandomSchema(random, depth - 1);
        if (random.NextBelow(2) == 0) required.emplace_back(key);
      }
      return {{"type", "object"},
              {"properties", std::move(properties)},
              {"required", std::move(required)},
              {"additionalProperties", false}};
    }
  }
}

bool IsOfType(const json::value& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  return type == "null" && value.is_null();
}

// The plain definition of the keywords that RandomSchema uses.
bool Fits(const json::value& value, const json::object& schema) {
  if (const auto* same = schema.if_contains("const")) return value == *same;
  if (const auto* list = schema.if_contains("enum")) {
    const auto& all = list->get_array();
    return std::find(all.begin(), all.end(), value) != all.end();
  }
  if (const auto* list = schema.if_contains("anyOf")) {
    const auto& all = list->get_array();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return Fits(value, one.as_object()); });
  }
  const json::value& type = schema.at("type");
  if (type.is_array()) {
    const auto& all = type.get_array();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return IsOfType(value, one.as_string()); });
  }
  if (type == "array") {
    if (!value.is_array()) return false;
    const auto& items = value.get_array();
    return static_cast<int64_t>(items.size()) >= schema.at("minItems").to_number<int64_t>() &&
           static_cast<int64_t>(items.size()) <= schema.at("maxItems").to_number<int64_t>() &&
           std::all_of(items.begin(), items.end(),
                       [&](const auto& one) { return Fits(one, schema.at("items").as_object()); });
  }
  if (type == "object") {
    if (!value.is_object()) return false;
    for (const auto& name : schema.at("required").as_array()) {
      if (!value.get_object().contains(std::string_view(name.as_string()))) return false;
    }
    const auto& properties = schema.at("properties").as_object();
    return std::all_of(value.get_object().begin(), value.get_object().end(), [&](const auto& member) {
      const auto* one = properties.if_contains(member.key());
      return one != nullptr && Fits(member.value(), one->as_object());
    });
  }
  return IsOfType(value, std::string_view(type.as_string()));
}

}  // namespace

TEST_CASE("the mask says of each token whether its bytes fit") {
  const Tokenizer tokenizer = SmallTokenizer();
  const auto trie = std::make_shared<const TokenTrie>(tokenizer);
  const auto grammar = JsonObjectGrammar();
  REQUIRE(grammar.ok());
  for (const char* text : {"", "{", "{\"a", "{\"\\", "{\"\\u00", "{\"a\"", "{\"a\":1", "{\"a\":[1", "{\"é\xC3", "{}"}) {
    CAPTURE(text);
    Constraint constraint(*grammar, trie);
    REQUIRE(constraint.Take(text));
    const std::span<const uint64_t> mask = constraint.Allowed();
    for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
      CAPTURE(id);
      Constraint copy(*grammar, nullptr);
      REQUIRE(copy.Take(text));
      const bool fits = tokenizer.IsSpecial(id) ? copy.complete() : copy.Take(tokenizer.TokenBytes(id));
      CHECK((mask[static_cast<size_t>(id) / 64] >> (id % 64) & 1) == (fits ? 1 : 0));
    }
  }
}

TEST_CASE("a mask costs little even where a text has many readings, and is never empty") {
  const Tokenizer tokenizer = SmallTokenizer();
  const auto trie = std::make_shared<const TokenTrie>(tokenizer);
  std::string text = "root ::= r0 \".\"\n";
  for (int i = 0; i < 60; ++i) {
    const std::string next = "r" + std::to_string(i + 1);
    text += "r" + std::to_string(i) + " ::= " + next + " \"a\" | " + next + " \"b\" | \"ab\"+ " + next + "\n";
  }
  text += "r60 ::= [ab]";
  const auto grammar = ParseGbnf(text);
  if (!grammar.ok()) FAIL(grammar.error().Message());
  Constraint constraint(*grammar, trie);
  for (int step = 0; step < 30; ++step) {
    const std::span<const uint64_t> mask = constraint.Allowed();
    REQUIRE(std::any_of(mask.begin(), mask.end(), [](uint64_t word) { return word != 0; }));
    REQUIRE(constraint.Take(step % 2 == 0 ? "a" : "b"));
  }
}

TEST_CASE("what a random model finishes keeps to its schema") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string();
  REQUIRE(WriteSynthModel("tiny-llama", "q8_0", 3, path).ok());
  const auto model = GgufModel::Load(path, 0, 1);
  REQUIRE(model.ok());
  int finished = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    RandomStream random(i, Purpose::kTest, 5);
    const json::value schema = RandomSchema(random, 3);
    CAPTURE(DumpJson(schema));
    const auto grammar = JsonSchemaGrammar(DumpJson(schema));
    if (!grammar.ok()) FAIL(grammar.error().Message());
    SampleOptions options;
    options.grammar = *grammar;
    options.temperature = i % 4 == 0 ? 0 : 1;
    options.seed = i;
    options.max_tokens = 150;
    const auto answer = (*model)->Run({1, 2, static_cast<int32_t>(i)}, options);
    if (!answer.ok()) FAIL(answer.error().Message());
    CAPTURE(answer->text);
    Constraint check(*grammar, nullptr);
    CHECK(check.Take(answer->text));
    CHECK(check.complete() == (answer->finish_reason == "stop"));
    if (answer->finish_reason != "stop") continue;
    ++finished;
    const auto value = ParseJson(answer->text, "answer");
    if (!value.ok()) FAIL(value.error().Message());
    CHECK(Fits(*value, schema.as_object()));
  }
  CHECK(finished > 30);
}

TEST_CASE("a model that must call a tool does") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "tiny.gguf").string();
  REQUIRE(WriteSynthModel("tiny-qwen3", "q8_0", 4, path).ok());
  const auto model = GgufModel::Load(path, 0, 1);
  REQUIRE(model.ok());
  const auto tools = ParseTools(R"([{"function":{"name":"add","parameters":{"type":"object","properties":{"a":
      {"type":"boolean"}},"required":["a"]}}},{"function":{"name":"odd","parameters":{"type":"object","properties":
      {"when":{"type":"string","format":"date"}}}}}])",
                                "tools");
  REQUIRE(tools.ok());
  for (const ChatFormat format : {ChatFormat::kQwen3, ChatFormat::kLlama3, ChatFormat::kMistral}) {
    SampleOptions options;
    const auto grammar = ToolGrammar(format, *tools, {ToolChoice::Kind::kRequired, "add", false});
    if (!grammar.ok()) FAIL(grammar.error().Message());
    options.grammar = *grammar;
    options.max_tokens = 200;
    const auto answer = (*model)->Run({1, 2, 3}, options);
    REQUIRE(answer.ok());
    CAPTURE(answer->text);
    CHECK(answer->finish_reason == "stop");
    ToolCallReader reader(format, *tools);
    std::string text = reader.Push(answer->text);
    text += reader.Finish();
    REQUIRE(reader.calls().size() == 1);
    CHECK(reader.calls()[0].name == "add");
    CHECK(reader.calls()[0].arguments.starts_with("{\"a\":"));
  }
  const ToolChoice any = {ToolChoice::Kind::kRequired, "", true};
  CHECK(ToolGrammar(ChatFormat::kQwen3, *tools, any).ok());  // the schema of odd is not understood: any object
  auto strict = *tools;
  strict[1].strict = true;
  CHECK_FALSE(ToolGrammar(ChatFormat::kQwen3, strict, any).ok());
  CHECK_FALSE(ToolGrammar(ChatFormat::kQwen3, *tools, {ToolChoice::Kind::kRequired, "mul", true}).ok());
  CHECK_FALSE(ToolGrammar(ChatFormat::kQwen3, {}, any).ok());
  CHECK(*ToolGrammar(ChatFormat::kLlama3, *tools, {}) == nullptr);
  // Thoughts before the call, as far as the prompt wants them.
  const auto starts = [&](ToolThoughts thoughts, const char* answer) {
    return Constraint(*ToolGrammar(ChatFormat::kQwen3, *tools, any, thoughts), nullptr).Take(answer);
  };
  const char *at_once = "<tool_call>\n{\"name", *opening = "<think>so</think>\n\n<tool_call>\n{";
  CHECK(starts(ToolThoughts::kNone, at_once));
  CHECK_FALSE(starts(ToolThoughts::kNone, opening));
  CHECK(starts(ToolThoughts::kAllowed, at_once));
  CHECK(starts(ToolThoughts::kAllowed, opening));
  CHECK(starts(ToolThoughts::kOpened, "so</think>\n\n<tool_call>\n{\"name"));
  CHECK_FALSE(starts(ToolThoughts::kOpened, "so</think>\n\nWell"));
  // Text may hold a call, in the form that the prompt describes and no other.
  const auto automatic = ToolGrammar(ChatFormat::kQwen3, *tools, {});
  REQUIRE(automatic.ok());
  const auto fits = [&](const char* answer) { return Constraint(*automatic, nullptr).Take(answer); };
  CHECK(fits("Sure.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": true}}\n</tool_call>"));
  CHECK(fits("<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": true}}\n</tool_call>\n<tool_call>\n"));
  CHECK_FALSE(fits("<tool_call>\n{\"name\": \"mul"));
  CHECK_FALSE(fits("<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1"));
}

}  // namespace pintle
