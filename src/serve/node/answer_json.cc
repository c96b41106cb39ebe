#include "serve/node/answer_json.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "generate/text_stream.h"

namespace pintle {
namespace json = boost::json;
namespace {

json::object TokenJson(const TokenLogprob& token) {
  json::array bytes;
  for (const char c : token.bytes) bytes.emplace_back(static_cast<int64_t>(static_cast<uint8_t>(c)));
  return {{"token", token.bytes}, {"logprob", token.logprob}, {"bytes", std::move(bytes)}};
}

// A token that is no text of its own is spelled bytes:\xNN, so that no two have the same name.
std::string Spelled(const std::string& bytes) {
  std::string rest = bytes, whole;
  TakeWholeUtf8(rest, whole);
  if (rest.empty() && whole == bytes) return bytes;
  std::string out = "bytes:";
  for (const char c : bytes) out += "\\x" + ToHex(reinterpret_cast<const uint8_t*>(&c), 1);
  return out;
}

int64_t Characters(const std::string& bytes) {
  return std::count_if(bytes.begin(), bytes.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

double Rate(double count, double seconds) { return seconds > 0 ? count / seconds : 0; }

}  // namespace

json::object ChatLogprobs(const std::vector<TokenChoice>& tokens) {
  json::array content;
  for (const TokenChoice& token : tokens) {
    json::object item = TokenJson(token.chosen);
    json::array top;
    for (const TokenLogprob& other : token.top) top.emplace_back(TokenJson(other));
    item["top_logprobs"] = std::move(top);
    content.emplace_back(std::move(item));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object CompletionLogprobs(const std::vector<TokenChoice>& tokens, int64_t& offset) {
  json::array names, values, tops, offsets;
  for (const TokenChoice& token : tokens) {
    names.emplace_back(Spelled(token.chosen.bytes));
    values.emplace_back(token.chosen.logprob);
    json::object top;
    for (const TokenLogprob& other : token.top) top[Spelled(other.bytes)] = other.logprob;
    tops.emplace_back(std::move(top));
    offsets.emplace_back(offset);
    offset += Characters(token.chosen.bytes);
  }
  return {{"tokens", std::move(names)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

void ReplyTotals::Add(const JobResult& result) {
  const Completion& completion = result.completion;
  completion_tokens += static_cast<int64_t>(completion.ids.size());
  cached_tokens += completion.cached_tokens;
  queue_seconds = std::max(queue_seconds, result.queue_seconds);
  prompt_seconds = std::max(prompt_seconds, completion.prompt_seconds);
  decode_seconds = std::max(decode_seconds, completion.total_seconds - completion.prompt_seconds);
}

json::object UsageJson(const ReplyTotals& totals) {
  return {{"prompt_tokens", totals.prompt_tokens},
          {"completion_tokens", totals.completion_tokens},
          {"total_tokens", totals.prompt_tokens + totals.completion_tokens}};
}

json::object TimingsJson(const ReplyTotals& totals) {
  const auto generated = static_cast<double>(totals.completion_tokens);
  const auto prompt = static_cast<double>(totals.prompt_tokens);
  const double prompt_ms = 1000 * totals.prompt_seconds, decode_ms = 1000 * totals.decode_seconds;
  return {{"queue_ms", 1000 * totals.queue_seconds},
          {"load_ms", 1000 * totals.load_seconds},
          {"prefill_ms", prompt_ms},
          {"decode_ms", decode_ms},
          {"tokens_per_second", Rate(generated, totals.decode_seconds)},
          {"cached_tokens", totals.cached_tokens},
          {"truncated", totals.cut_tokens},
          {"cache_n", totals.cached_tokens},
          {"prompt_n", totals.prompt_tokens},
          {"prompt_ms", prompt_ms},
          {"prompt_per_token_ms", Rate(prompt_ms, prompt)},
          {"prompt_per_second", Rate(prompt, totals.prompt_seconds)},
          {"predicted_n", totals.completion_tokens},
          {"predicted_ms", decode_ms},
          {"predicted_per_token_ms", Rate(decode_ms, generated)},
          {"predicted_per_second", Rate(generated, totals.decode_seconds)}};
}

std::string ReproducibilityHash(const LanguageModelInfo& model, const std::vector<Prompt>& prompts,
                                const GenerationRequest& request) {
  const SampleOptions& s = request.sample;
  json::array ids, biases, stop(s.stop.begin(), s.stop.end());
  for (const Prompt& prompt : prompts) ids.emplace_back(json::array(prompt.ids.begin(), prompt.ids.end()));
  for (const auto& [id, bias] : s.logit_bias) biases.emplace_back(json::array{id, bias});
  json::object all{{"weights", model.weights_sha256},
                   {"tokenizer", model.tokenizer},
                   {"profile", model.profile},
                   {"context", model.context},
                   {"prompts", std::move(ids)},
                   {"temperature", s.temperature},
                   {"top_k", s.top_k},
                   {"top_p", s.top_p},
                   {"min_p", s.min_p},
                   {"repetition_penalty", s.repetition_penalty},
                   {"presence_penalty", s.presence_penalty},
                   {"frequency_penalty", s.frequency_penalty},
                   {"logit_bias", std::move(biases)},
                   {"max_tokens", s.max_tokens},
                   {"stop", std::move(stop)},
                   {"grammar", request.grammar_source},
                   {"seed", request.seed},
                   {"choices", request.choices}};
  // What came later counts where it is not as it was before: equal requests keep their hash.
  if (s.typical_p != 1) all["typical_p"] = s.typical_p;
  if (model.kv != kernels::KvType::kF32) all["kv"] = KvTypeName(model.kv);
  return Sha256Hex(DumpJson(all));
}

}  // namespace pintle
