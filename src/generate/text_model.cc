// TextModel over our own decoder.
#include "generate/generate.h"
#include "generate/generator.h"
#include "generate/model_folder.h"
#include "generate/score.h"

namespace pintle {
namespace {

class DecoderTextModel : public TextModel {
 public:
  explicit DecoderTextModel(int threads) : pool_(threads) {}

  Status Open(const std::string& folder) {
    PINTLE_ASSIGN(model_, LoadModelFolder(folder, pool_));
    PINTLE_ASSIGN(Generator generator, Generator::Create(*model_.decoder, *model_.tokenizer, pool_));
    generator_ = std::make_unique<Generator>(std::move(generator));
    return {};
  }

  [[nodiscard]] ModelInfo Info() const override {
    const DecoderConfig& config = model_.decoder->config();
    return {model_.name, model_.weights_sha256, ParameterCount(config), config.context, config.vocab, config.origin};
  }

  Result<Completion> Complete(std::string_view prompt, const SampleOptions& options, const OnText& on_text) override {
    int64_t cut = 0;
    PINTLE_ASSIGN(const std::vector<int32_t> ids, generator_->PlainPrompt(prompt, options, cut));
    return Run(ids, options, on_text, cut);
  }

  Result<Completion> Infill(std::string_view prefix, std::string_view suffix, const SampleOptions& options,
                            const OnText& on_text) override {
    int64_t cut = 0;
    PINTLE_ASSIGN(const std::vector<int32_t> ids, generator_->InfillPrompt(prefix, suffix, options, cut));
    return Run(ids, options, on_text, cut);
  }

  Result<TextScore> Score(std::string_view text) override {
    return ScoreText(*model_.decoder, *model_.tokenizer, text);
  }

 private:
  Result<Completion> Run(const std::vector<int32_t>& ids, const SampleOptions& options, const OnText& on_text,
                         int64_t cut) {
    PINTLE_ASSIGN(Completion completion, generator_->Run(ids, options, on_text));
    completion.cut_tokens = cut;
    return completion;
  }

  ThreadPool pool_;
  LoadedModel model_;
  std::unique_ptr<Generator> generator_;
};

}  // namespace

Result<std::unique_ptr<TextModel>> TextModel::Load(const std::string& folder, int threads) {
  auto model = std::make_unique<DecoderTextModel>(threads);
  PINTLE_RETURN_IF_ERROR(model->Open(folder));
  return std::unique_ptr<TextModel>(std::move(model));
}

}  // namespace pintle
