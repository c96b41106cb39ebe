// From what a request says to the token ids that a model reads, with every check that needs the model: length, ids,
// formats. Text of a client never becomes a control token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generate/language_model.h"
#include "serve/http/api_error.h"
#include "serve/node/requests.h"

namespace pintle {

/// One prompt. `cut_tokens`: how much of it did not fit and was left out (SampleOptions::fit_prompt). `in_thoughts`:
/// the chat template has opened the answer's thoughts already.
struct Prompt {
  std::vector<int32_t> ids;
  int64_t cut_tokens = 0;
  bool in_thoughts = false;
};

/// The prompts of a request, in its order. A prompt longer than the context is 400 context_length_exceeded with both
/// numbers, except with fit_prompt: then extra files go first, from the first on, then the far ends of prefix and
/// suffix, as Generator::InfillPrompt cuts them, so that a quarter of the context (or max_tokens, if less) stays free.
/// The layout of fill-in-the-middle: for each extra file <|file_sep|> NAME newline TEXT, after them <|file_sep|>; then
/// <|fim_prefix|> PREFIX <|fim_suffix|> SUFFIX <|fim_middle|> PROMPT.
MaybeApiError BuildPrompts(const LanguageModel& model, const GenerationRequest& request, std::vector<Prompt>& prompts);

/// Where tools may be called: sets the grammar that calls keep to in this model's format. `in_thoughts`: of the prompt.
MaybeApiError ConstrainTools(const LanguageModel& model, bool in_thoughts, GenerationRequest& request);

}  // namespace pintle
