// Parts of answers as JSON: log-probabilities, usage, timings, reproducibility. Pure functions; reply.h puts them
// together. Source: OpenAI's API reference; llama.cpp's server for the names in its timings.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "generate/language_model.h"
#include "serve/node/engine_thread.h"
#include "serve/node/prompts.h"

namespace pintle {

/// {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}
boost::json::object ChatLogprobs(const std::vector<TokenChoice>& tokens);
/// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; `offset` is the number of characters before the first
/// token, and afterwards that behind the last.
boost::json::object CompletionLogprobs(const std::vector<TokenChoice>& tokens, int64_t& offset);

/// Sums over the answers of one request.
struct ReplyTotals {
  int64_t prompt_tokens = 0;  ///< each prompt once
  int64_t completion_tokens = 0, cached_tokens = 0, cut_tokens = 0;
  double queue_seconds = 0, load_seconds = 0, prompt_seconds = 0, decode_seconds = 0;  ///< the longest of each
  void Add(const JobResult& result);
};
boost::json::object UsageJson(const ReplyTotals& totals);
/// queue_ms, load_ms, prefill_ms, decode_ms, tokens_per_second, cached_tokens, truncated, and llama.cpp's names.
boost::json::object TimingsJson(const ReplyTotals& totals);

/// SHA-256 over everything that the choices depend on: weights, tokenizer, arithmetic profile, prompt ids, sampling,
/// seed, number of choices. Two requests with the same hash get the same choices.
std::string ReproducibilityHash(const LanguageModelInfo& model, const std::vector<Prompt>& prompts,
                                const GenerationRequest& request);

}  // namespace pintle
