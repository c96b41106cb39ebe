// The engine's use side: load a model folder, complete text, fill in the middle, score text. What `m31r generate`, the
// evaluation and later the servers call. Deterministic: the same request gives the same bytes for any thread count.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pintle {

class Grammar;

/// How the next token is chosen; sampler.h says in which order. temperature 0 = greedy. Choice `choice` of a request
/// draws from (seed, choice, position).
struct SampleOptions {
  double temperature = 0;
  int64_t top_k = 0;              ///< 0 = all
  double typical_p = 1;           ///< share of the tokens whose surprise is nearest to the mean; 1 = all
  double top_p = 1;               ///< nucleus; 1 = all
  double min_p = 0;               ///< least share of the likeliest token's probability; 0 = all
  double repetition_penalty = 1;  ///< of tokens in prompt and answer: logits are divided by it, if negative multiplied
  double presence_penalty = 0;    ///< taken off the logits of tokens that the answer has
  double frequency_penalty = 0;   ///< the same, for each time that the answer has them
  std::vector<std::pair<int32_t, double>> logit_bias;  ///< (id, what is added to its logit)
  int64_t top_logprobs = -1;  ///< -1: Completion::logprobs stays empty; else that many alternatives to each token
  uint64_t seed = 0;
  uint32_t choice = 0;
  int64_t max_tokens = 128;
  int64_t guess_tokens = 7;       ///< tokens guessed ahead at most (prompt_lookup.h); changes the time alone; 0 = none
  std::vector<std::string> stop;  ///< the text ends before the first of these
  /// What the text may be (json_grammar.h, gbnf.h); null = anything. Every prefix of the text can be finished, and
  /// finish_reason "stop" means that it was, unless a stop text or the caller ended it. Log-probabilities stay those of
  /// the model without it.
  std::shared_ptr<const Grammar> grammar;
  /// A prompt too long for the context: false = a validation error; true = its far end is cut (a prompt and a prefix
  /// lose their beginning, a suffix its end) and Completion::cut_tokens says by how much.
  bool fit_prompt = false;
};

/// A token, what it stands for, and its natural log-probability: the model's own, at temperature 1, before anything
/// that the options do to it.
struct TokenLogprob {
  int32_t id = 0;
  double logprob = 0;
  std::string bytes;  ///< may be part of a character
  bool operator==(const TokenLogprob&) const = default;
};

/// The token that was chosen at one position, and the likeliest ones there (likeliest first, equals by id), which may
/// or may not have it among them.
struct TokenChoice {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;
  bool operator==(const TokenChoice&) const = default;
};

/// What was generated, and how long it took.
struct Completion {
  std::string text;  ///< without the stop text and special tokens; always whole UTF-8 characters
  std::vector<int32_t> ids;
  std::vector<TokenChoice> logprobs;  ///< one for each id, if they were asked for
  double mean_logprob = 0;            ///< mean natural log-probability of the ids at temperature 1
  std::string finish_reason;          ///< "stop" (stop text or end token) or "length"
  int64_t prompt_tokens = 0;
  int64_t cut_tokens = 0;     ///< of the prompt, with fit_prompt
  int64_t cached_tokens = 0;  ///< of the prompt, taken from the prompt before (same bytes, less time)
  int64_t guessed_tokens = 0, right_guesses = 0;  ///< by prompt_lookup.h, and how many of them came true
  double prompt_seconds = 0, total_seconds = 0;
};

/// What a model is.
struct ModelInfo {
  std::string name;  ///< preset or folder name
  std::string weights_sha256;
  int64_t parameters = 0, context = 0, vocabulary = 0;
  std::string origin;  ///< "internal" or "external"
};

/// Sums over a text: negative log-likelihood in nats, tokens scored, bytes. Bits per byte = nats / ln 2 / bytes.
struct TextScore {
  double nats = 0;
  int64_t tokens = 0, bytes = 0;
};

/// One model in memory. One caller at a time.
class TextModel {
 public:
  /// Loads a model folder (config.json, model.safetensors, tokenizer.json), checking every size before it allocates.
  static Result<std::unique_ptr<TextModel>> Load(const std::string& folder, int threads);
  virtual ~TextModel() = default;
  [[nodiscard]] virtual ModelInfo Info() const = 0;
  /// Called with each new piece of text; returns false to stop.
  using OnText = std::function<bool(std::string_view)>;
  /// Called with each token, before the text that it makes certain; only with top_logprobs >= 0.
  using OnToken = std::function<void(const TokenChoice&)>;
  /// A prompt longer than the context is a validation error with both numbers.
  virtual Result<Completion> Complete(std::string_view prompt, const SampleOptions& options,
                                      const OnText& on_text = {}) = 0;
  /// Fill in the middle, in the order of infill.h.
  virtual Result<Completion> Infill(std::string_view prefix, std::string_view suffix, const SampleOptions& options,
                                    const OnText& on_text = {}) = 0;
  /// Scores a document in windows of the context length, each half overlapping the one before; the first token is
  /// scored from the document-end token.
  virtual Result<TextScore> Score(std::string_view text) = 0;
};

}  // namespace pintle
