#include "generate/language_model.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "formats/gguf_metadata.h"
#include "formats/gguf_names.h"
#include "models/decoder/gguf_loader.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

int64_t ModifiedSeconds(const fs::path& path) {
  std::error_code failed;
  const auto time = fs::last_write_time(path, failed);
  if (failed) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(fs::file_time_type::clock::to_sys(time).time_since_epoch())
      .count();
}

// Memory comes in pages of 2 MiB (tensor/arena.h).
int64_t WholePages(int64_t bytes) {
  constexpr int64_t kPage = int64_t{2} << 20;
  return (bytes + kPage - 1) / kPage * kPage;
}

FimTokens FimOf(const Vocabulary& vocabulary, bool suffix_first) {
  return {vocabulary.Control(special::kFimPrefix), vocabulary.Control(special::kFimSuffix),
          vocabulary.Control(special::kFimMiddle), vocabulary.Control(special::kFileSep), suffix_first};
}

LanguageModelInfo InfoOf(const DecoderConfig& config, std::string name, int64_t weight_bytes, const fs::path& weights) {
  LanguageModelInfo info;
  info.name = std::move(name);
  info.origin = config.origin;
  info.profile = config.profile == kernels::Profile::kFma ? "fma" : "muladd";
  info.kv = config.kv;
  info.parameters = ParameterCount(config);
  info.context = config.context;
  info.weight_bytes = weight_bytes;
  info.kv_bytes = KvCache::Bytes(config);
  info.modified = ModifiedSeconds(weights);
  return info;
}

}  // namespace

Result<LanguageModelInfo> LanguageModel::Describe(const std::string& path, int64_t context, kernels::KvType kv) {
  if (!IsOwnModelFolder(path)) {
    PINTLE_ASSIGN(const GgufDescription description, DescribeGguf(path, context, kv));
    LanguageModelInfo info = InfoOf(description.plan.config, description.name, description.plan.weight_bytes, path);
    info.chats = description.chats();
    info.infills = FimOf(*description.vocabulary, false).complete();
    return info;
  }
  PINTLE_ASSIGN(DecoderConfig config, ReadModelConfig(path));
  config.kv = kv;
  const std::string name =
      config.name.empty() ? fs::absolute(path).lexically_normal().filename().string() : config.name;
  // Floats, for bf16 models their rounded copies beside them, and the angles of the positions.
  const int64_t parameters = ParameterCount(config);
  const int64_t bytes = WholePages(parameters * 4) + (config.dtype == DType::kBF16 ? WholePages(parameters * 2) : 0) +
                        WholePages(config.context * config.head_dim * 4);
  LanguageModelInfo info = InfoOf(config, name, bytes, fs::path(path) / "model.safetensors");
  info.infills = true;  // our tokenizers all have the tokens
  return info;
}

Status LanguageModel::LoadFolder(const std::string& path, kernels::KvType kv) {
  PINTLE_ASSIGN(LoadedModel model, LoadModelFolder(path, pool_, kv));
  decoder_ = std::move(model.decoder);
  tokenizer_ = std::move(model.tokenizer);
  info_ = InfoOf(decoder_->config(), model.name, static_cast<int64_t>(decoder_->memory().weights),
                 fs::path(path) / "model.safetensors");
  info_.weights_sha256 = model.weights_sha256;
  info_.tokenizer = tokenizer_->hash();
  begin_ = tokenizer_->end_of_text();
  fim_ = {tokenizer_->SpecialId(special::kFimPrefix), tokenizer_->SpecialId(special::kFimSuffix),
          tokenizer_->SpecialId(special::kFimMiddle), tokenizer_->SpecialId(special::kFileSep), true};
  return {};
}

Status LanguageModel::LoadFile(const std::string& path, int64_t context, kernels::KvType kv) {
  // Hashing takes about as long as loading, and neither waits for the other.
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
  auto hash = std::async(std::launch::async, [&] { return file.Sha256(); });
  PINTLE_ASSIGN(gguf_, DescribeGguf(path, context, kv));
  PINTLE_ASSIGN(decoder_, LoadGguf(file, gguf_.plan, pool_));
  info_ = InfoOf(gguf_.plan.config, gguf_.name, gguf_.plan.weight_bytes, path);
  PINTLE_ASSIGN(info_.licence, GgufKeys(file.header(), path).Text("general.license", ""));
  PINTLE_ASSIGN(info_.weights_sha256, hash.get());
  const Vocabulary& vocabulary = *gguf_.vocabulary;
  info_.tokenizer = vocabulary.kind();
  if (vocabulary.adds_bos()) begin_ = vocabulary.bos();
  PINTLE_ASSIGN(const bool suffix_first, GgufKeys(file.header(), path).Bool(kGgufSuffixFirst, false));
  fim_ = FimOf(vocabulary, suffix_first);
  return {};
}

Result<std::unique_ptr<LanguageModel>> LanguageModel::Load(const std::string& path, int64_t context, int threads,
                                                           kernels::KvType kv) {
  auto model = std::unique_ptr<LanguageModel>(new LanguageModel(threads));
  PINTLE_RETURN_IF_ERROR(IsOwnModelFolder(path) ? model->LoadFolder(path, kv) : model->LoadFile(path, context, kv));
  model->info_.chats = model->gguf_.chats();
  model->info_.infills = model->fim_.complete();
  const TokenTable tokens = model->tokens();
  for (int32_t id = 0; id < tokens.size(); ++id) {
    model->longest_token_ = std::max(model->longest_token_, tokens.Bytes(id).size());
  }
  return model;
}

TokenTable LanguageModel::tokens() const {
  if (tokenizer_ != nullptr) return *tokenizer_;
  return *gguf_.vocabulary;
}

void LanguageModel::Encode(std::string_view text, std::vector<int32_t>& ids) const {
  if (tokenizer_ != nullptr) {
    tokenizer_->Encode(text, ids);
  } else {
    gguf_.vocabulary->Encode(text, ids);
  }
}

}  // namespace pintle
