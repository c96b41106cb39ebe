#include "cli/gguf_verbs.h"

#include <fmt/format.h>

#include "base/time.h"

namespace pintle {

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
