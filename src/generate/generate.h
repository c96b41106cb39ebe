// The engine's use side: load a model folder, complete text, fill in the middle, score text. What `m31r generate`, the
// evaluation and later the servers call. Deterministic: the same request gives the same bytes for any thread count.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// How the next token is chosen. temperature 0 = greedy. Choice `choice` of a request draws from (seed, choice,
/// position).
struct SampleOptions {
  double temperature = 0;
  int64_t top_k = 0;  ///< 0 = all
  double top_p = 1;   ///< nucleus; 1 = all
  uint64_t seed = 0;
  uint32_t choice = 0;
  int64_t max_tokens = 128;
  std::vector<std::string> stop;  ///< the text ends before the first of these
  /// A prompt too long for the context: false = a validation error; true = its far end is cut (a prompt and a prefix
  /// lose their beginning, a suffix its end) and Completion::cut_tokens says by how much.
  bool fit_prompt = false;
};

/// What was generated, and how long it took.
struct Completion {
  std::string text;  ///< without the stop text and special tokens; always whole UTF-8 characters
  std::vector<int32_t> ids;
  double mean_logprob = 0;    ///< mean natural log-probability of the ids at temperature 1
  std::string finish_reason;  ///< "stop" (stop text or end token) or "length"
  int64_t prompt_tokens = 0;
  int64_t cut_tokens = 0;     ///< of the prompt, with fit_prompt
  int64_t cached_tokens = 0;  ///< of the prompt, taken from the prompt before (same bytes, less time)
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
  /// A prompt longer than the context is a validation error with both numbers.
  virtual Result<Completion> Complete(std::string_view prompt, const SampleOptions& options,
                                      const OnText& on_text = {}) = 0;
  /// Fill in the middle (prefix-suffix-middle order).
  virtual Result<Completion> Infill(std::string_view prefix, std::string_view suffix, const SampleOptions& options,
                                    const OnText& on_text = {}) = 0;
  /// Scores a document in windows of the context length, each half overlapping the one before; the first token is
  /// scored from the document-end token.
  virtual Result<TextScore> Score(std::string_view text) = 0;
};

}  // namespace pintle
