#include "cli/gguf_verbs.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/time.h"
#include "generate/gbnf.h"
#include "generate/json_grammar.h"

namespace pintle {

void AddFormOptions(Command& verb, AnswerForm& form) {
  verb.Option("--json-schema", form.schema, "the answer is JSON that fits the schema in this file");
  verb.Option("--grammar", form.grammar, "the answer fits the grammar (GBNF) in this file");
}

Status ReadForm(const AnswerForm& form, SampleOptions& sample) {
  constexpr int64_t kMaxFile = 1 << 20;
  if (!form.schema.empty() && !form.grammar.empty()) {
    return UsageError("an answer cannot keep to two things at once", "--json-schema and --grammar");
  }
  if (!form.schema.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(form.schema, kMaxFile));
    PINTLE_ASSIGN(sample.grammar, JsonSchemaGrammar(text));
  } else if (!form.grammar.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(form.grammar, kMaxFile));
    PINTLE_ASSIGN(sample.grammar, ParseGbnf(text));
  }
  return {};
}

std::string PlanLine(const GgufDescription& description) {
  const GgufPlan& plan = description.plan;
  return fmt::format("{}: {:.0f} M weights ({}) in {} of memory, keys and values up to {} for {} positions, on the CPU",
                     description.name, static_cast<double>(ParameterCount(plan.config)) * 1e-6, plan.types,
                     HumanBytes(static_cast<double>(plan.weight_bytes)), HumanBytes(static_cast<double>(plan.kv_bytes)),
                     plan.config.context);
}

std::string SpeedLine(const GgufModel& model, const Completion& answer) {
  const double decode = answer.total_seconds - answer.prompt_seconds;
  return fmt::format(
      "load {:.2f} s, first token {:.0f} ms for {} prompt tokens ({} from the prompt before), {} tokens at {:.1f} a "
      "second",
      model.load_seconds(), 1000 * answer.prompt_seconds, answer.prompt_tokens, answer.cached_tokens, answer.ids.size(),
      decode > 0 ? static_cast<double>(answer.ids.size()) / decode : 0.0);
}

}  // namespace pintle
