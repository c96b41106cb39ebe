// Grammars from schemas and from text: what they accept. The walk over tokens is tested in constraint_test.cc.
#include "generate/grammar.h"

#include <doctest/doctest.h>

#include <string>

#include "generate/constraint.h"
#include "generate/gbnf.h"
#include "generate/json_grammar.h"

namespace pintle {
namespace {

using GrammarResult = Result<std::shared_ptr<const Grammar>>;

// "no" at the first byte that does not fit, "yes", or "unfinished".
std::string Reads(const GrammarResult& grammar, std::string_view text) {
  if (!grammar.ok()) return grammar.error().Message();
  Constraint constraint(*grammar, nullptr);
  if (!constraint.Take(text)) return "no";
  return constraint.complete() ? "yes" : "unfinished";
}

std::string SchemaError(std::string_view schema) {
  const auto grammar = JsonSchemaGrammar(schema);
  return grammar.ok() ? "fine" : grammar.error().Message();
}

}  // namespace

TEST_CASE("any JSON object, and nothing else") {
  const auto object = JsonObjectGrammar();
  for (const char* text :
       {"{}", "{ }", "{\n  \"a\": 1,\n  \"b\": [true, false, null]\n}", R"({"a":{"b":[[],{}]},"":-0.5e+10})",
        R"({"k": "\"\\\/\b\f\n\r\tAé𐀀\ud83d\uDE00 é 漢 😀"})", R"({"n":[0,-1,10.25,1E9]})"}) {
    CAPTURE(text);
    CHECK(Reads(object, text) == "yes");
  }
  for (const char* text : {"[", "1", "{,", "{\"a\" ", "{\"a\":01", "{\"a\":.", "{\"a\":1.e", "{\"a\":\"\t",
                           "{\"a\":1,}", R"({"a":"\x)", R"({"a":"\ude00)", R"({"a":"\ud83dx)", "{\"a\":\"\xff",
                           "{\"a\":\"\xed\xa0", "{\"a\":\"\xc0", "{}x", "{\"a\":tru1", "{}\n", "{  "}) {
    CAPTURE(text);
    CHECK(Reads(object, text) == "no");
  }
  CHECK(Reads(object, "{\"a\": [1, {\"b\"") == "unfinished");
  // Objects and arrays may be nested, but not without end; where they may not, others still fit.
  std::string deep = "{\"a\":";
  size_t levels = 0;
  Constraint constraint(*object, nullptr);
  REQUIRE(constraint.Take(deep));
  while (constraint.Take("[")) ++levels;
  CHECK(levels > 30);
  CHECK(levels < 60);
  CHECK(constraint.Take("1"));
  while (constraint.Take("]")) --levels;
  CHECK(levels == 0);
  CHECK(constraint.Take("}"));
  CHECK(constraint.finished());
}

TEST_CASE("schemas") {
  const struct {
    const char *schema, *text, *reads;
  } rows[] = {
      {R"({"type":"integer"})", "-12", "yes"},
      {R"({"type":"integer"})", "1.", "no"},
      {R"({"type":["number","null"]})", "1.5", "yes"},
      {R"({"type":["number","null"]})", "null", "yes"},
      {R"({"type":["number","null"]})", "true", "no"},
      {R"({"type":"boolean"})", "false", "yes"},
      {R"({"type":"string","minLength":2,"maxLength":3})", R"("a")", "no"},
      {R"({"type":"string","minLength":2,"maxLength":3})", R"("aé\n")", "yes"},
      {R"({"type":"string","minLength":2,"maxLength":3})", R"("abcd)", "no"},
      {R"({"enum":["red",1,null,{"a":[]}]})", R"({"a":[]})", "yes"},
      {R"({"enum":["red",1,null]})", "\"rex", "no"},
      {R"({"const":"a\"b"})", R"("a\"b")", "yes"},
      {"true", R"([{"x":1}])", "yes"},
      {"{}", "\"x\"", "yes"},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2})", "[]", "no"},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2})", "[1, 2]", "yes"},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2})", "[1,2,", "no"},
      {R"({"items":{"type":"null"}})", "[null,null,null]", "yes"},
      {R"({"type":"array","maxItems":0})", "[1", "no"},
      {R"({"type":"object"})", R"({"any":[1]})", "yes"},
      {R"({"type":"object","additionalProperties":false})", R"({"a)", "no"},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})", R"({"a":1,"b":2})", "yes"},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})", R"({"a":"x)", "no"},
      {R"({"properties":{"a":{"type":"integer"},"b":{},"c":{"type":"null"}},"required":["b"]})", R"({"b":1})", "yes"},
      {R"({"properties":{"a":{"type":"integer"},"b":{},"c":{"type":"null"}},"required":["b"]})",
       R"({"a":1,"b":"x","c":null})", "yes"},
      {R"({"properties":{"a":{"type":"integer"},"b":{},"c":{"type":"null"}},"required":["b"]})", R"({"a":1,"c)", "no"},
      {R"({"properties":{"a":{"type":"integer"},"b":{},"c":{"type":"null"}},"required":["b"]})", R"({"a":1})", "no"},
      {R"({"properties":{"a":{"type":"null"}}})", "{}", "yes"},
      {R"({"anyOf":[{"type":"string"},{"type":"array","items":{"$ref":"#"}}]})", R"([["x"],"y",[]])", "yes"},
      {R"({"$ref":"#/$defs/n~1o~0de","$defs":{"n/o~de":{"type":"object","properties":{"next":
          {"anyOf":[{"type":"null"},{"$ref":"#/$defs/n~1o~0de"}]}},"required":["next"],"additionalProperties":false}}})",
       R"({"next":{"next":{"next":null}}})", "yes"},
  };
  for (const auto& [schema, text, reads] : rows) {
    CAPTURE(schema);
    CAPTURE(text);
    CHECK(Reads(JsonSchemaGrammar(schema), text) == reads);
  }
}

TEST_CASE("schemas that cannot be kept are refused by name") {
  CHECK(SchemaError(R"({"type":"string","pattern":"a+"})") == "#: the keyword 'pattern' is not supported here");
  CHECK(SchemaError(R"({"properties":{"a/b":{"type":"string","format":"date"}}})") ==
        "#/properties/a~1b: the keyword 'format' is not supported here");
  CHECK(SchemaError(R"({"anyOf":[{"type":"integer"}],"properties":{}})") ==
        "#: the keyword 'properties' is not supported here");
  CHECK(SchemaError(R"({"items":{"oneOf":[{}]}})") == "#/items: the keyword 'oneOf' is not supported here");
  CHECK(SchemaError(R"({"type":"text"})") == "#: there is no type 'text'");
  CHECK(SchemaError(R"({"type":7})") == "#: type is no name of a type, and no list of names");
  CHECK(SchemaError("7") == "#: a schema is an object or true");
  CHECK(SchemaError("false") == "#: a schema is an object or true");
  CHECK(SchemaError(R"({"enum":[]})") == "#: enum is no list of values");
  CHECK(SchemaError(R"({"$ref":"#/$defs/x"})") == "#: $ref '#/$defs/x' leads nowhere in this schema");
  CHECK(SchemaError(R"({"$ref":"other.json"})") == "#: $ref 'other.json' leads nowhere in this schema");
  CHECK(SchemaError(R"({"$ref":"#"})").find("can begin with itself") != std::string::npos);
  CHECK(SchemaError(R"({"required":["a"],"properties":{"a":{"$ref":"#"}}})").find("no finite text fits") == 0);
  CHECK(SchemaError(R"({"required":["b"],"properties":{"a":{}}})") ==
        "#: required names what properties does not describe");
  CHECK(SchemaError(R"({"type":"array","minItems":3,"maxItems":2})") == "#: maxItems is less than minItems");
  CHECK(SchemaError(R"({"type":"array","minItems":-1})") == "#: minItems must lie between 0 and 262144");
  CHECK(SchemaError(R"({"type":"array","minItems":1e99})") == "#: minItems must lie between 0 and 262144");
  CHECK(SchemaError(R"({"type":"array","minItems":262144})").find("too large") != std::string::npos);
  CHECK(SchemaError("{\"type\":") != "fine");
}

TEST_CASE("grammars as text") {
  const auto list = ParseGbnf(R"(# a list
root ::= "[" ws (item ("," ws
  item)*)? "]" |
  "none"   # or nothing
item ::= [a-c]+ | [^a-z\]\x2c"0-9 ]{2,3} | .{0} "\"é\u00e9\\" | num
num ::= "-"? [0-9]{1,4}
ws ::= [ \t\n]*
)");
  for (const char* text : {"[]", "none", "[abc]", "[ab,  -12]", "[\n\"éé\\]", "[ÄÖ]", "[ÄÖÜ,7]"}) {
    CAPTURE(text);
    CHECK(Reads(list, text) == "yes");
  }
  for (const char* text : {"[d", "x", "[ab,]", "[12345", "[ÄÖÜß", "[\"e", "[Äb"}) {
    CAPTURE(text);
    CHECK(Reads(list, text) == "no");
  }
  CHECK(Reads(ParseGbnf("root ::= \"a\" root | \"b\""), std::string(5000, 'a') + "b") == "yes");
  CHECK(Reads(ParseGbnf("root ::= \"(\" root \")\" | \"x\""), "((((x))))") == "yes");
  CHECK(Reads(ParseGbnf("root ::= (\"a\"? \"b\"?)* \"c\""), "babaabbc") == "yes");
  // Each round of b doubles the readings.
  CHECK(Reads(ParseGbnf("root ::= a a a a a a a a a a a a a a a a a a a a \".\"\na ::= b b\nb ::= \"x\"*"),
              std::string(300, 'x') + ".") == "yes");
}

TEST_CASE("grammars that are none are refused with their line") {
  const auto error = [](const std::string& text) {
    const auto grammar = ParseGbnf(text);
    return grammar.ok() ? "fine" : grammar.error().Message();
  };
  CHECK(error("") == "grammar:1: there is no rule 'root'");
  CHECK(error("root ::= \"a\"\n\nroot ::= \"b\"").find("grammar:3: there are two rules 'root'") == 0);
  CHECK(error("root ::= x").find("there is no rule 'x'") != std::string::npos);
  CHECK(error("root ::= root \"a\" | \"b\"") == "grammar: 'root' can begin with itself, or with something that does");
  CHECK(error("root ::= e? a\ne ::= \"\"\na ::= e root").find("can begin with itself") != std::string::npos);
  CHECK(error("root ::= \"a\" root").find("no finite text") != std::string::npos);
  CHECK(error("root ::= []").find("no finite text") != std::string::npos);
  CHECK(error("root ::= " + std::string(60000, '(') + "\"a\"" + std::string(5000, ')')).find("64 groups") !=
        std::string::npos);
  CHECK(error(std::string(1 << 17, 'a')).find("at most 65536 bytes") != std::string::npos);
  CHECK(error("root ::= \"a\"{20000}").find("more than 10000 repetitions") != std::string::npos);
  CHECK(error("root ::= \"abcdefghijklmnopqrstuvwxyz\"{3,2}").find("ends before it begins") != std::string::npos);
  for (const char* bad : {"root", "root ::= \"a", "root ::= [a", "root ::= (\"a\"", "root ::= \"a\")", "root ::= *",
                          "root ::= \"\\", "root ::= \"\\q\"", "root ::= \"\\ud800\"", "root ::= \"\xff\"",
                          "root ::= [b-a]", "root ::= \"a\"{", "root ::= \"a\"{1", "::= \"a\"", "root ::= &"}) {
    CAPTURE(bad);
    CHECK(error(bad).find("grammar:1: ") == 0);
  }
}

TEST_CASE("text up to a word") {
  GrammarBuilder builder;
  const int32_t rule = builder.AddRule("root");
  builder.Define(rule, builder.TextUntil("<ab<ac>", true, builder.Literal("!", GrammarBuilder::kReturn)));
  const auto grammar = builder.Build(rule, 10);
  CHECK(Reads(grammar, "") == "yes");
  CHECK(Reads(grammar, "some <ab<ab<a text \xff") == "yes");
  CHECK(Reads(grammar, "<ab<ab<ac>") == "unfinished");
  CHECK(Reads(grammar, "x<ab<ac>!") == "yes");
  CHECK(Reads(grammar, "x<ab<ac>?") == "no");
  CHECK(Reads(grammar, "x<ab<ac>!x") == "no");
}

}  // namespace pintle
