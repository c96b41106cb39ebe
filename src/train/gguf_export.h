// A decoder of ours as GGUF, so that llama.cpp runs it unchanged as architecture qwen3.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "formats/gguf.h"
#include "formats/safetensors.h"
#include "models/decoder/config.h"
#include "text/tokenizer.h"

namespace pintle {

/// The metadata: general.*, qwen3.*, tokenizer.ggml.* (gpt2 byte-level BPE, pre-tokenizer qwen2). Our documents begin
/// with <|endoftext|>, hence add_bos_token.
GgufMetadata GgufMetadataOf(const DecoderConfig& config, const Tokenizer& tokenizer, const std::string& name,
                            GgufType type);

/// Writes the file. `weights` holds the tensors of `config`.
Status WriteGgufModel(const std::filesystem::path& path, const DecoderConfig& config, const Tokenizer& tokenizer,
                      const SafetensorsFile& weights, const std::string& name, GgufType type);

}  // namespace pintle
