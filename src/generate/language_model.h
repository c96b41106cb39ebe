// One way in for all kinds of language models: M31R's model folders, GGUF files, and folders as the hub has them.
// Weights, tokens, prompts; what the servers stand on. Not here: decoding (engine.h), the conversation of one caller
// (generate.h, gguf_model.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/gguf_model.h"
#include "generate/infill.h"
#include "generate/model_folder.h"
#include "generate/token_table.h"
#include "models/decoder/decoder.h"
#include "text/chat_template.h"

namespace pintle {

/// What a model is; the hashes are SHA-256 in hexadecimal.
struct LanguageModelInfo {
  std::string name;
  std::string weights_sha256;  ///< of the file with the weights
  std::string tokenizer;       ///< hash of tokenizer.json; of a GGUF file its kind (the file's hash covers the rest)
  std::string origin;          ///< "internal" or "external"
  std::string licence;         ///< as the file names it, or ""
  std::string profile;         ///< of the arithmetic: "fma", "muladd"
  kernels::KvType kv = kernels::KvType::kF32;  ///< of cached keys and values
  int64_t parameters = 0;
  int64_t context = 0;       ///< positions that one sequence can take
  int64_t weight_bytes = 0;  ///< memory of the weights
  int64_t kv_bytes = 0;      ///< memory of the keys and values of one sequence at most
  int64_t modified = 0;      ///< seconds since 1970, of the file with the weights
  bool chats = false;        ///< it answers conversations
  bool infills = false;      ///< it fills in the middle
};

/// One model in memory. The const methods are safe from any number of threads; decoder and pool have one user.
class LanguageModel {
 public:
  /// `path` is a .gguf file, a model folder of ours, or one as the hub has them. `context`: positions at most, 0 = what
  /// the model was made for (folders always use that).
  static Result<std::unique_ptr<LanguageModel>> Load(const std::string& path, int64_t context, int threads,
                                                     kernels::KvType kv = kernels::KvType::kF32);
  /// What Load would take up, from the headers alone: hashes stay empty.
  static Result<LanguageModelInfo> Describe(const std::string& path, int64_t context,
                                            kernels::KvType kv = kernels::KvType::kF32);

  [[nodiscard]] const LanguageModelInfo& info() const { return info_; }
  [[nodiscard]] Decoder& decoder() { return *decoder_; }
  [[nodiscard]] ThreadPool& pool() { return pool_; }
  [[nodiscard]] TokenTable tokens() const;
  /// Appends the ids of `text`; never a control token.
  void Encode(std::string_view text, std::vector<int32_t>& ids) const;
  /// The token that plain prompts begin with, or -1.
  [[nodiscard]] int32_t begin() const { return begin_; }
  [[nodiscard]] const FimTokens& fim() const { return fim_; }
  /// The length in bytes of the longest token: a text has at least its length divided by this many tokens.
  [[nodiscard]] size_t longest_token() const { return longest_token_; }
  /// What its file says about conversations; of folders, which only complete, nothing.
  [[nodiscard]] const GgufDescription& description() const { return gguf_; }

 private:
  explicit LanguageModel(int threads) : pool_(threads) {}
  Status LoadFolder(const std::string& path, kernels::KvType kv);
  Status LoadFile(const std::string& path, int64_t context, kernels::KvType kv);

  ThreadPool pool_;
  LanguageModelInfo info_;
  std::unique_ptr<Decoder> decoder_;
  std::shared_ptr<const Tokenizer> tokenizer_;  // of folders
  GgufDescription gguf_;                        // of files
  FimTokens fim_;
  int32_t begin_ = -1;
  size_t longest_token_ = 1;
};

}  // namespace pintle
