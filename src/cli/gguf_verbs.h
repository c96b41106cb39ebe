// What the verbs on GGUF files share: options that all of them take.
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "generate/gguf_model.h"

namespace pintle {

/// How an answer is to be chosen; the flags of chat and complete.
inline void AddSampleOptions(Command& verb, SampleOptions& sample) {
  verb.Option("--max-tokens", sample.max_tokens, "longest answer");
  verb.Option("--temperature", sample.temperature, "0 = always the likeliest token");
  verb.Option("--top-k", sample.top_k, "only the k likeliest tokens; 0 = all");
  verb.Option("--typical-p", sample.typical_p, "only the tokens nearest to the mean surprise that make up this share");
  verb.Option("--top-p", sample.top_p, "only the likeliest tokens that make up this share");
  verb.Option("--min-p", sample.min_p, "only tokens with at least this share of the likeliest one's probability");
  verb.Option("--repetition-penalty", sample.repetition_penalty, "above 1: fewer tokens that stood there before");
  verb.Option("--presence-penalty", sample.presence_penalty, "above 0: fewer tokens that the answer has");
  verb.Option("--frequency-penalty", sample.frequency_penalty, "above 0: fewer tokens that the answer has often");
  verb.Option("--guess", sample.guess_tokens, "tokens guessed ahead at most; changes the time alone; 0 = none");
  verb.Option("--stop", sample.stop, "end before this text; may be given several times");
}

/// Of the flag --kv, which chat, complete, perplexity, bench llm and llm-node have.
inline constexpr const char* kKvHelp = "keep keys and values as f32, f16 or q8: less memory, a little less exact";

/// What an answer must be; the flags of chat and complete.
struct AnswerForm {
  std::string schema, grammar;  ///< files
};
void AddFormOptions(Command& verb, AnswerForm& form);
/// Reads the file that was given, at most one, into `sample`.
Status ReadForm(const AnswerForm& form, SampleOptions& sample);

/// One line that says what was loaded, what it takes, and how long that took.
std::string PlanLine(const GgufDescription& description);
std::string SpeedLine(const GgufModel& model, const Completion& answer);

}  // namespace pintle
