#include "generate/tool_grammar.h"

#include <boost/json.hpp>

#include "generate/json_grammar.h"

namespace pintle {
namespace {

constexpr int32_t kEnd = GrammarBuilder::kReturn;
constexpr int32_t kDepth = kJsonDepth + 8;  // the arguments stand inside a call

// {"name": "f", "arguments": {...}} of one of the tools, without the last brace.
Result<int32_t> CallRule(GrammarBuilder& builder, JsonRules& json, const std::vector<ChatTool>& tools,
                         const ToolChoice& choice, const std::string& arguments_key) {
  int32_t all = -1;
  for (const ChatTool& tool : tools) {
    if (!choice.name.empty() && tool.name != choice.name) continue;
    int32_t arguments = json.Object();
    if (!tool.parameters.empty()) {
      PINTLE_ASSIGN(const boost::json::value schema, ParseJson(tool.parameters, tool.name));
      auto rule = json.Schema(schema);
      if (!rule.ok() && tool.strict) return rule;
      if (rule.ok()) arguments = *rule;
    }
    const std::string begin = "{\"name\": " + JsonQuote(tool.name) + ", \"" + arguments_key + "\": ";
    const int32_t one = builder.Literal(begin, builder.Call(arguments, kEnd));
    all = all < 0 ? one : builder.Either(one, all);
  }
  if (all < 0) {
    return ValidationError(choice.name.empty() ? "there are no tools" : "there is no tool '" + choice.name + "'");
  }
  const int32_t rule = builder.AddRule("call");
  builder.Define(rule, all);
  return rule;
}

// <tool_call> call </tool_call>, one a line. Before them: text, or nothing but thoughts.
int32_t ChatMlAnswer(GrammarBuilder& builder, int32_t call, const ToolChoice& choice, ToolThoughts thoughts) {
  const int32_t more = builder.Hole();
  const int32_t body = builder.Literal("\n", builder.Call(call, builder.Literal("}\n</tool_call>", more)));
  builder.Fill(more, choice.parallel ? builder.Either(kEnd, builder.Literal("\n<tool_call>", body)) : kEnd);
  if (choice.kind == ToolChoice::Kind::kAuto) return builder.TextUntil("<tool_call>", true, body);
  const int32_t marked = builder.Literal("<tool_call>", body);
  if (thoughts == ToolThoughts::kNone) return marked;
  const int32_t inside = builder.TextUntil("</think>", false, builder.Literal("\n\n", marked));
  return thoughts == ToolThoughts::kOpened ? inside : builder.Either(marked, builder.Literal("<think>", inside));
}

// [TOOL_CALLS] [call, ...]; a call may have an id of nine letters and digits.
int32_t MistralAnswer(GrammarBuilder& builder, int32_t call, const ToolChoice& choice) {
  constexpr std::pair<uint32_t, uint32_t> kLetters[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
  const int32_t letter = builder.AddRule("letter");
  builder.Define(letter, builder.Character(kLetters, kEnd));
  const int32_t more = builder.Hole(), close = builder.Literal("}", more);
  const int32_t id = builder.Literal(", \"id\": \"", builder.Repeat(letter, 9, 9, builder.Literal("\"", close)));
  const int32_t one = builder.Call(call, builder.Either(close, id));
  const int32_t last = builder.Literal("]", kEnd);
  builder.Fill(more, choice.parallel ? builder.Either(last, builder.Literal(", ", one)) : last);
  const int32_t list = builder.Literal("[", one);
  const int32_t body = builder.Either(list, builder.Literal(" ", list));
  return choice.kind == ToolChoice::Kind::kAuto ? builder.TextUntil("[TOOL_CALLS]", true, body)
                                                : builder.Literal("[TOOL_CALLS]", body);
}

}  // namespace

Result<std::shared_ptr<const Grammar>> ToolGrammar(ChatFormat format, const std::vector<ChatTool>& tools,
                                                   const ToolChoice& choice, ToolThoughts thoughts) {
  const bool whole = format == ChatFormat::kLlama3;
  if (choice.kind == ToolChoice::Kind::kNone || (whole && choice.kind == ToolChoice::Kind::kAuto)) {
    return std::shared_ptr<const Grammar>();
  }
  GrammarBuilder builder;
  JsonRules json(builder);
  PINTLE_ASSIGN(const int32_t call, CallRule(builder, json, tools, choice, whole ? "parameters" : "arguments"));
  const int32_t answer = builder.AddRule("answer");
  if (whole) {
    builder.Define(answer, builder.Call(call, builder.Literal("}", kEnd)));
  } else {
    builder.Define(answer, format == ChatFormat::kMistral ? MistralAnswer(builder, call, choice)
                                                          : ChatMlAnswer(builder, call, choice, thoughts));
  }
  return builder.Build(answer, kDepth);
}

}  // namespace pintle
