// A foreign model from one GGUF file, ready for use: plan, weights, vocabulary, chat format, generator. What the verbs
// chat, complete, show, tokenize and perplexity stand on. M31R's own model folders are generate.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/generate.h"
#include "generate/generator.h"
#include "models/decoder/gguf_loader.h"
#include "text/chat_jinja.h"
#include "text/chat_template.h"
#include "text/vocabulary.h"

namespace pintle {

/// What a file says, checked as far as it can be without reading weights.
struct GgufDescription {
  GgufPlan plan;
  std::unique_ptr<const Vocabulary> vocabulary;
  std::optional<ChatFormat> chat;
  std::shared_ptr<const ChatTemplate> chat_template;  ///< where the format is none of those: the file's own, if usable
  std::string chat_problem;                           ///< why there is neither; else empty
  uint64_t file_bytes = 0;
  std::string name;  ///< general.name, else the file's name

  /// It answers conversations: ChatParts has a form for them.
  [[nodiscard]] bool chats() const { return chat || chat_template != nullptr; }
  /// The form in which it calls tools; none where its template shows none that is known here.
  [[nodiscard]] std::optional<ChatFormat> tool_format() const;
  /// An answer of it may begin with thoughts.
  [[nodiscard]] bool thinks() const;
};

/// Reads headers and vocabulary. A vocabulary larger than the model's table is a validation error. `context` 0: as the
/// file says.
Result<GgufDescription> DescribeGguf(const std::string& path, int64_t context,
                                     kernels::KvType kv = kernels::KvType::kF32);

/// The prompt of a conversation in the model's own format; without one a validation error.
Result<std::vector<PromptPart>> ChatParts(const GgufDescription& description, const std::vector<ChatMessage>& messages,
                                          bool thinking, const std::vector<ChatTool>& tools = {});

/// Positions that chat and complete reserve when they are not told otherwise.
inline constexpr int64_t kDefaultContext = 4096;

/// One model in memory, one caller at a time.
class GgufModel {
 public:
  static Result<std::unique_ptr<GgufModel>> Load(const std::string& path, int64_t context, int threads,
                                                 kernels::KvType kv = kernels::KvType::kF32);

  [[nodiscard]] const GgufDescription& description() const { return description_; }
  [[nodiscard]] const Vocabulary& vocabulary() const { return *description_.vocabulary; }
  [[nodiscard]] Decoder& decoder() { return *decoder_; }
  [[nodiscard]] double load_seconds() const { return load_seconds_; }

  /// The ids of plain text: BOS where the model wants it, then the text.
  [[nodiscard]] std::vector<int32_t> PlainPrompt(std::string_view text) const;
  /// The ids of a conversation; without a known chat format a validation error.
  [[nodiscard]] Result<std::vector<int32_t>> ChatPrompt(const std::vector<ChatMessage>& messages, bool thinking) const;
  Result<Completion> Run(const std::vector<int32_t>& prompt, const SampleOptions& options,
                         const TextModel::OnText& on_text = {}) {
    return generator_->Run(prompt, options, on_text);
  }
  /// Logits [ids, vocabulary] of every position.
  Result<std::vector<float>> Logits(const std::vector<int32_t>& ids);
  /// Negative log-likelihood of `ids` in separate windows of `window` tokens; in each the second half is scored, as
  /// perplexities are usually taken.
  Result<TextScore> Score(const std::vector<int32_t>& ids, int64_t window);

 private:
  explicit GgufModel(int threads) : pool_(threads) {}
  ThreadPool pool_;
  GgufDescription description_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Generator> generator_;
  double load_seconds_ = 0;
};

}  // namespace pintle
