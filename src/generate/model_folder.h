// The model folder on disk: config.json, model.safetensors, tokenizer.json, README.md (the card), manifest.json.
// Training and export write it, everything that uses a model reads it. Not here: what is done with the model.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "formats/manifest.h"
#include "models/decoder/decoder.h"
#include "text/tokenizer.h"

namespace pintle {

/// A model in memory.
struct LoadedModel {
  std::unique_ptr<Decoder> decoder;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string name;            ///< preset, else the folder's name
  std::string weights_sha256;  ///< of model.safetensors
};

/// True for a folder that is ours; false for files, and for a folder whose config.json is somebody else's.
bool IsOwnModelFolder(const std::filesystem::path& path);

/// Loads a folder for use (no gradients). Where it has a manifest.json every file is hashed and compared first. The
/// tensors of the file are checked against the configuration by name and shape before the weights' memory is reserved.
Result<LoadedModel> LoadModelFolder(const std::filesystem::path& folder, ThreadPool& pool,
                                    kernels::KvType kv = kernels::KvType::kF32);

/// Reads weights by name into the model's registry (F32, F16, BF16 files) and refreshes the bf16 copies. A missing,
/// further or differently shaped tensor is a validation error.
Status LoadWeights(const std::filesystem::path& file, Decoder& decoder);

/// The shape of the weights in a folder without loading them: config.json checked.
Result<DecoderConfig> ReadModelConfig(const std::filesystem::path& folder);

/// Writes config.json, model.safetensors and tokenizer.json into `folder` (a StageOutput's). bf16 models store matrices
/// as BF16 and vectors as F32, which loses nothing that inference sees; fp32 models store F32.
Status WriteModelFiles(const std::filesystem::path& folder, const Decoder& decoder, const Tokenizer& tokenizer);

}  // namespace pintle
