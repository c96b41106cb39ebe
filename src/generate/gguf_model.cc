#include "generate/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/time.h"
#include "formats/gguf_metadata.h"
#include "kernels/math.h"

namespace pintle {
namespace {

constexpr int64_t kRows = 256;  // logits at once

Result<GgufDescription> Describe(const GgufFile& file, int64_t context, kernels::KvType kv) {
  GgufDescription result;
  PINTLE_ASSIGN(result.plan, PlanGguf(file, context, kv));
  PINTLE_ASSIGN(result.vocabulary, Vocabulary::FromGguf(file.header(), file.where()));
  if (result.vocabulary->size() > result.plan.config.vocab) {
    return ValidationError("the vocabulary has " + std::to_string(result.vocabulary->size()) + " tokens, the model " +
                               std::to_string(result.plan.config.vocab),
                           file.where());
  }
  auto chat = DetectChatFormat(file.header(), *result.vocabulary, file.where());
  if (chat.ok()) {
    result.chat = *chat;
  } else {
    PINTLE_ASSIGN(const std::string text, GgufKeys(file.header(), file.where()).Text("tokenizer.chat_template", ""));
    auto parsed = ChatTemplate::Parse(text);
    if (!text.empty() && parsed.ok()) {
      result.chat_template = *parsed;
    } else {
      result.chat_problem = text.empty() ? "it brings no template" : parsed.error().Message();
    }
  }
  result.file_bytes = file.size();
  result.name = result.plan.config.name;
  if (result.name.empty()) result.name = std::filesystem::path(file.where()).stem().string();
  return result;
}

}  // namespace

Result<GgufDescription> DescribeGguf(const std::string& path, int64_t context, kernels::KvType kv) {
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
  return Describe(file, context, kv);
}

std::optional<ChatFormat> GgufDescription::tool_format() const {
  return chat_template != nullptr ? chat_template->tool_format() : chat;
}

bool GgufDescription::thinks() const {
  return chat_template != nullptr ? chat_template->thinks() : chat == ChatFormat::kQwen3;
}

Result<std::vector<PromptPart>> ChatParts(const GgufDescription& description, const std::vector<ChatMessage>& messages,
                                          bool thinking, const std::vector<ChatTool>& tools) {
  if (description.chat) return RenderChat(*description.chat, messages, thinking, tools);
  if (description.chat_template != nullptr) {
    return description.chat_template->Render(*description.vocabulary, messages, thinking, tools);
  }
  return ValidationError("the model has no chat format that is known here: " + description.chat_problem,
                         description.name, "complete text with it instead: pintle complete MODEL --prompt TEXT");
}

Result<std::unique_ptr<GgufModel>> GgufModel::Load(const std::string& path, int64_t context, int threads,
                                                   kernels::KvType kv) {
  const double start = MonotonicSeconds();
  auto model = std::unique_ptr<GgufModel>(new GgufModel(threads));
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
  PINTLE_ASSIGN(model->description_, Describe(file, context, kv));
  PINTLE_ASSIGN(model->decoder_, LoadGguf(file, model->description_.plan, model->pool_));
  PINTLE_ASSIGN(Generator generator, Generator::Create(*model->decoder_, model->vocabulary(), model->pool_));
  model->generator_ = std::make_unique<Generator>(std::move(generator));
  model->load_seconds_ = MonotonicSeconds() - start;
  return model;
}

std::vector<int32_t> GgufModel::PlainPrompt(std::string_view text) const {
  std::vector<int32_t> ids;
  if (vocabulary().adds_bos()) ids.push_back(vocabulary().bos());
  vocabulary().Encode(text, ids);
  return ids;
}

Result<std::vector<int32_t>> GgufModel::ChatPrompt(const std::vector<ChatMessage>& messages, bool thinking) const {
  PINTLE_ASSIGN(const std::vector<PromptPart> parts, ChatParts(description_, messages, thinking));
  return EncodePrompt(vocabulary(), parts);
}

Result<std::vector<float>> GgufModel::Logits(const std::vector<int32_t>& ids) {
  PINTLE_ASSIGN(KvCache cache, KvCache::Create(decoder_->config()));
  std::vector<float> all;
  for (size_t first = 0; first < ids.size(); first += kRows) {
    const std::span<const int32_t> rows(ids.data() + first, std::min<size_t>(kRows, ids.size() - first));
    PINTLE_ASSIGN(const std::span<const float> logits,
                  decoder_->Extend(rows, cache, static_cast<int64_t>(rows.size())));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

Result<TextScore> GgufModel::Score(const std::vector<int32_t>& ids, int64_t window) {
  const auto vocab = static_cast<size_t>(decoder_->config().vocab);
  const auto size = static_cast<size_t>(window);
  TextScore score;
  std::vector<float> weights(vocab);
  for (size_t begin = 0; begin + size <= ids.size(); begin += size) {
    const std::vector<int32_t> part(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                    ids.begin() + static_cast<std::ptrdiff_t>(begin + size));
    PINTLE_ASSIGN(const std::vector<float> logits, Logits(part));
    for (size_t i = size / 2; i + 1 < size; ++i) {
      const float* row = logits.data() + i * vocab;
      const float largest = *std::max_element(row, row + vocab);
      for (size_t v = 0; v < vocab; ++v) weights[v] = row[v] - largest;
      kernels::ExpArray(weights.data(), weights.data(), static_cast<int64_t>(vocab), pool_);
      double sum = 0;
      for (const float weight : weights) sum += static_cast<double>(weight);
      const auto target = static_cast<size_t>(part[i + 1]);
      score.nats += kernels::Log(sum) - static_cast<double>(row[target] - largest);
      ++score.tokens;
      score.bytes += static_cast<int64_t>(vocabulary().Bytes(part[i + 1]).size());
    }
  }
  return score;
}

}  // namespace pintle
