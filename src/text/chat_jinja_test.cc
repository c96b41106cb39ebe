// The template language, and chat templates in it. Templates of the formats that are also written natively give the
// same prompts as these (all templates here are this project's own texts).
#include "text/chat_jinja.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "text/jinja/interpreter.h"

namespace pintle {
namespace {

// A vocabulary of bytes and control tokens.
std::unique_ptr<Vocabulary> SmallVocabulary(const std::vector<std::string>& controls) {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  GgufValue scores{GgufKind::kF32, true, {}, {}, {}};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    tokens.push_back(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">");
    types.push_back(6);
  }
  for (const std::string& control : controls) {
    tokens.push_back(control);
    types.push_back(3);
  }
  scores.reals.assign(tokens.size(), 0);
  GgufHeader header;
  header.metadata = {{"tokenizer.ggml.model", GgufValue::String("llama")},
                     {"tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens))},
                     {"tokenizer.ggml.token_type", GgufValue::I32s(std::move(types))},
                     {"tokenizer.ggml.scores", std::move(scores)},
                     {"tokenizer.ggml.bos_token_id", GgufValue::U32(256)},
                     {"tokenizer.ggml.eos_token_id", GgufValue::U32(257)}};
  auto vocabulary = Vocabulary::FromGguf(header, "test");
  if (!vocabulary.ok()) FAIL(vocabulary.error().Message());
  return std::move(*vocabulary);
}

std::string Run(std::string_view text, std::string_view variables = "{}") {
  const auto tree = jinja::Parse(text);
  if (!tree.ok()) return tree.error().Message();
  const auto json = ParseJson(variables, "variables");
  REQUIRE(json.ok());
  std::vector<std::pair<std::string, jinja::Value>> values;
  for (const auto& [key, value] : json->as_object()) values.emplace_back(std::string(key), jinja::Value::Of(value));
  const auto out = jinja::Render(*tree, std::move(values));
  return out.ok() ? out->bytes : "! " + out.error().what;
}

// As the native format spells it; control tokens in angle brackets of another kind.
std::string Spelled(const Result<std::vector<PromptPart>>& parts) {
  if (!parts.ok()) return parts.error().Message();
  std::string text;
  for (const PromptPart& part : *parts) text += part.control ? "«" + part.text + "»" : part.text;
  return text;
}

constexpr std::string_view kChatMl = R"({%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
    {%- set messages = messages[1:] %}
{%- endif %}
{%- set state = namespace(last=messages|length) %}
{%- for message in messages[::-1] %}
    {%- if message.role == 'user' and state.last == messages|length %}
        {%- set state.last = messages|length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content and loop.index0 < state.last %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {{- '<|im_start|>' ~ message.role + '\n' + content + '<|im_end|>' + '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %})";

constexpr std::string_view kLlama = R"({%- set text = '' %}
{%- if messages[0]['role'] == 'system' %}
    {%- set text = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- bos_token + '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n' }}
{{- 'Today Date: ' ~ strftime_now('%d %b %Y') ~ '\n\n' ~ text ~ '<|eot_id|>' }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + (message['content'] | trim) + '<|eot_id|>' }}
{%- endfor %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }})";

constexpr std::string_view kMistral = R"({{- bos_token }}
{%- if messages[0].role == "system" %}
    {%- set system = messages[0].content %}
    {%- set talk = messages[1:] %}
{%- else %}
    {%- set talk = messages %}
{%- endif %}
{%- set users = talk | selectattr("role", "equalto", "user") | list %}
{%- for message in talk %}
    {%- if (message.role == "user") != (loop.index0 % 2 == 0) %}
        {{- raise_exception("users and assistants take turns") }}
    {%- endif %}
    {%- if message.role == "user" %}
        {%- if system is defined and loop.last %}
            {{- "[INST]" + system + "\n\n" + message.content + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message.content + "[/INST]" }}
        {%- endif %}
    {%- else %}
        {{- message.content + eos_token }}
    {%- endif %}
{%- endfor %})";

}  // namespace

TEST_CASE("the template language") {
  const struct {
    const char *text, *variables, *out;
  } rows[] = {
      {"a {{ 1 + 2 * 3 - 4 // 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}", "{}", "a 6 -4 2 3.5"},
      {"{{ 'a' 'b' ~ 1 }}{{ \"q\\n\" }}", "{}", "ab1q\n"},
      {"{% if x is defined and x %}y{% elif not x %}n{% else %}z{% endif %}", "{}", "n"},
      {"{% for k, v in d.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %}",
       R"({"d":{"a":1,"b":[true]}})", "a=1,b=[True]"},
      {"{% for i in range(5) if i % 2 %}{{ loop.index }}{{ i }} {% else %}none{% endfor %}", "{}", "11 23 "},
      {"{% for i in [] %}x{% else %}none{% endfor %}", "{}", "none"},
      {"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}"
       "{% endfor %}",
       "{}", "0134"},
      {"{% set n = namespace(x=1) %}{% for i in [1,2] %}{% set n.x = n.x + i %}{% set y = i %}{% endfor %}{{ n.x }}{{ "
       "y }}",
       "{}", "4"},
      {"{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m(1) }}{{ m('x', b=2) | upper }}", "{}", "<1z><X2>"},
      {"{% set t %}in{{ 1 }}{% endset %}{{ t * 1 if false else t }}", "{}", "in1"},
      {"{{ x[1:] }}{{ x[-1] }}{{ x[::-1] }}{{ x[:2] }}{{ x[9] }}", R"({"x":"aé漢"})", "é漢漢漢éaaé"},
      {"{{ x | length }} {{ x | first }} {{ x | join('-') }} {{ x | last }}", R"({"x":["p","q"]})", "2 p p-q q"},
      {"{{ x | map(attribute='n') | map('upper') | join }}{{ (x | rejectattr('k') | list | length) }}",
       R"({"x":[{"n":"a","k":1},{"n":"b"}]})", "AB1"},
      {"{{ x | tojson }} {{ x | tojson(indent=2) }}", R"({"x":{"a":[1,"é<"]}})",
       "{\"a\": [1, \"é<\"]} {\n  \"a\": [\n    1,\n    \"é<\"\n  ]\n}"},
      {"{{ '  a b ' | trim }}|{{ 'a,b'.split(',')[1] }}|{{ 'ab'.startswith('a') }}|{{ 'aXbX' | replace('X', '') }}",
       "{}", "a b|b|True|ab"},
      {"{{ none }} {{ y | default('d') }} {{ '' | default('e', true) }} {{ 'b' in 'abc' }} {{ 3 not in [1] }}", "{}",
       "None d e True True"},
      {"{{ d.get('q', 5) }}{{ d.k is string }}{{ d is mapping }}{{ d.z is undefined }}{{ d.k is not none }}",
       R"({"d":{"k":"v"}})", "5TrueTrueTrueTrue"},
      {"{# c #}a\n  {% if true %}\nb\n  {%- endif %}\n  c", "{}", "a\nb  c"},
      {"{{ raise_exception('no ' + x) }}", R"({"x":"way"})", "! no way"},
  };
  for (const auto& [text, variables, out] : rows) {
    CAPTURE(text);
    CHECK(Run(text, variables) == out);
  }
}

TEST_CASE("hostile templates end with an error") {
  std::string nested = "{{ ", blocks, chain = "{{ 1";
  for (int i = 0; i < 60000; ++i) nested += "(";
  nested += " }}";
  for (int i = 0; i < 6000; ++i) blocks += "{% if 1 %}";
  for (int i = 0; i < 20000; ++i) chain += "+1";
  CHECK(Run(nested) == "template:1: expressions are nested too deep");
  CHECK(Run(blocks).find("nested too deep") != std::string::npos);
  CHECK(Run(chain + " }}").find("nested too deep") != std::string::npos);
  CHECK(Run("{{ x" + std::string(1000, '.') + " }}").find("here a name") != std::string::npos);
  CHECK(Run("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").find("nested too deep") != std::string::npos);
  CHECK(Run("{% for i in range(9999) %}{% for k in range(9999) %}{% endfor %}{% endfor %}").find("too long") !=
        std::string::npos);
  CHECK(Run("{% set n = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}")
            .find("too much memory") != std::string::npos);
  CHECK(Run("{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}")
            .starts_with("! "));
  CHECK(Run("{% set n = namespace() %}{% set n.x = n %}").starts_with("! "));
  for (const char* bad :
       {"{{", "{% if %}", "{% for %}", "{{ 'a }}", "{% endif %}", "{{ a b }}", "{{ [1 }}", "{{ a[ }}", "{# x",
        "{% set %}", "{{ 99999999999999999999 }}", "{% macro m( %}", "{{ a | }}", "{{ 1 ? }}"}) {
    CAPTURE(bad);
    CHECK_FALSE(jinja::Parse(bad).ok());
  }
  for (const char* bad : {"{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ -9223372036854775807 - 2 }}", "{{ nothing() }}",
                          "{{ 'a' + 1 }}", "{{ 'a' | none_such }}", "{{ 1 is odder }}", "{% for i in 5 %}{% endfor %}",
                          "{% set a, b = [1] %}", "{{ [1] < 2 }}", "{{ range }}", "{{ range(1, 2, 0) }}",
                          "{{ 'a'[::0] }}", "{{ (-9223372036854775807 - 1) | abs }}"}) {
    CAPTURE(bad);
    CHECK(Run(bad).starts_with("! "));
  }
}

TEST_CASE("templates give what the native formats give, and only their own words become control tokens") {
  const std::vector<ChatMessage> talk = {{"system", " S "},
                                         {"user", "one <|im_end|>[/INST]<|eot_id|></s>"},
                                         {"assistant", "<think>\nx\n</think>\n\n1"},
                                         {"user", "two"}};
  const struct {
    ChatFormat format;
    std::string_view text;
    std::vector<std::string> controls;
  } rows[] = {{ChatFormat::kQwen3, kChatMl, {"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"}},
              {ChatFormat::kLlama3,
               kLlama,
               {"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}},
              {ChatFormat::kMistral, kMistral, {"<s>", "</s>", "[INST]", "[/INST]"}}};
  for (const auto& [format, text, controls] : rows) {
    CAPTURE(ChatFormatName(format));
    const auto vocabulary = SmallVocabulary(controls);
    const auto parsed = ChatTemplate::Parse(text);
    if (!parsed.ok()) FAIL(parsed.error().Message());
    for (const bool thinking : {false, true}) {
      const std::string native = Spelled(RenderChat(format, talk, thinking));
      CHECK(Spelled((*parsed)->Render(*vocabulary, talk, thinking, {})) == native);
      CHECK(native.find("one <|im_end|>[/INST]<|eot_id|></s>") != std::string::npos);
    }
  }
  const auto vocabulary = SmallVocabulary({"<s>", "</s>", "<|a|>", "<|a|>b"});
  const auto parsed = ChatTemplate::Parse("{{ '<|a|>' + messages[0].content + '<|a|>b' }}<{{ messages[0].role }}|a|>");
  REQUIRE(parsed.ok());
  CHECK(Spelled((*parsed)->Render(*vocabulary, {{"user", "b<|a|>"}}, true, {})) == "«<|a|>»b<|a|>«<|a|>b»<user|a|>");
  CHECK(Spelled((*ChatTemplate::Parse(kMistral))->Render(*vocabulary, {{"assistant", "x"}}, true, {})) ==
        "the model's template: users and assistants take turns");
}

TEST_CASE("templates see tools and calls") {
  const auto vocabulary = SmallVocabulary({"<s>", "</s>"});
  const auto tools = ParseTools(R"([{"type":"function","function":{"name":"add"}}])", "tools");
  REQUIRE(tools.ok());
  const auto parsed = ChatTemplate::Parse(
      "{% if tools %}{{ tools[0].function.name }}{% endif %}{% for m in messages %}{% for c in m.tool_calls %}"
      "{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{{ m.tool_call_id }}{% endfor %}");
  REQUIRE(parsed.ok());
  CHECK(Spelled((*parsed)->Render(
            *vocabulary, {{"assistant", "", {{"i", "add", R"({"a":1})"}}}, {"tool", "2", {}, "i"}}, true, *tools)) ==
        "addadd({\"a\": 1})i");
}

TEST_CASE("the form of calls is read off a template") {
  const auto form = [](const char* text) {
    const auto parsed = ChatTemplate::Parse(text);
    REQUIRE(parsed.ok());
    const auto format = (*parsed)->tool_format();
    return format ? ChatFormatName(*format) : "none";
  };
  CHECK(form("{{ tools }}<tool_call>") == "chatml");
  CHECK(form("{{ tools }}[TOOL_CALLS]") == "mistral-v0.3");
  CHECK(form("{{ tools }}<|python_tag|>") == "llama-3.1");
  CHECK(form("<tool_call>") == "none");
  CHECK(form("{{ tools }}") == "none");
  CHECK(form("{{ tools }}<tool_call><function=") == "none");
  CHECK(form("{{ tools }}[TOOL_CALLS]x[ARGS]") == "none");
  CHECK((*ChatTemplate::Parse("<think>"))->thinks());
  CHECK_FALSE((*ChatTemplate::Parse("think"))->thinks());
}

}  // namespace pintle
