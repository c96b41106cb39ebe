// A TextModel for tests: answers from a list instead of a network. Streams a byte at a time and ends a text as the
// engine does: before a stop text, at the token limit (one byte = one token), when the caller says so.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "generate/generate.h"

namespace pintle {

/// A model whose answers a test writes down.
class FakeModel : public TextModel {
 public:
  using Answer =
      std::function<std::string(std::string_view prompt, std::string_view suffix, const SampleOptions& options)>;
  explicit FakeModel(Answer answer, int64_t context = 100000) : answer_(std::move(answer)), context_(context) {}

  [[nodiscard]] ModelInfo Info() const override { return {"fake", "00ff", 1234, context_, 256, origin}; }
  Result<Completion> Complete(std::string_view prompt, const SampleOptions& options, const OnText& on_text) override {
    return Reply(prompt, {}, options, on_text);
  }
  Result<Completion> Infill(std::string_view prefix, std::string_view suffix, const SampleOptions& options,
                            const OnText& on_text) override {
    return Reply(prefix, suffix, options, on_text);
  }
  /// Two bits a byte, three bytes a token.
  Result<TextScore> Score(std::string_view text) override {
    const auto bytes = static_cast<int64_t>(text.size());
    return TextScore{2 * 0.693147180559945309417 * static_cast<double>(bytes), (bytes + 2) / 3, bytes};
  }
  std::string origin = "internal";
  int64_t calls = 0;

 private:
  Result<Completion> Reply(std::string_view prompt, std::string_view suffix, const SampleOptions& options,
                           const OnText& on_text) {
    ++calls;
    const auto needed = static_cast<int64_t>(prompt.size() + suffix.size()) + options.max_tokens;
    if (needed > context_ && !options.fit_prompt) return ValidationError("the prompt is longer than the context");
    std::string full = answer_(prompt, suffix, options);
    Completion completion;
    completion.finish_reason = "stop";
    for (const std::string& stop : options.stop) full = full.substr(0, full.find(stop));
    for (const char c : full) {
      if (static_cast<int64_t>(completion.ids.size()) == options.max_tokens) {
        completion.finish_reason = "length";
        break;
      }
      completion.text += c;
      completion.ids.push_back(static_cast<uint8_t>(c));
      if (on_text && !on_text(std::string_view(&c, 1))) break;
    }
    completion.cut_tokens = std::max<int64_t>(0, needed - context_);
    completion.mean_logprob = -1 - 0.1 * options.choice;
    completion.prompt_tokens = static_cast<int64_t>(prompt.size());
    completion.prompt_seconds = 0.002;
    completion.total_seconds = 0.002 + 0.001 * static_cast<double>(completion.ids.size());
    return completion;
  }

  Answer answer_;
  int64_t context_;
};

}  // namespace pintle
