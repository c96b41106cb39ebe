// Model folders as the hub has them (config.json, safetensors in one file or many, tokenizer.json), read as if they
// were a GGUF file: the same metadata, the same tensor names, the same order of rows. Whoever loads, shows, quantises
// or serves a GGUF file does it with such a folder too, under the same checks.
//
// Where it stands: GgufFile::Open calls it for a folder. It deliberately knows only what the families of
// models/decoder/family.h need: llama, mistral, qwen2 and qwen3, byte-level BPE and SentencePiece as BPE.
// Source: the configuration fields of these models on the hub; safetensors and its index; tokenizer.json.
#pragma once

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/gguf.h"

namespace pintle {

/// The texts of a folder that say what its model is; those that are not there are empty.
struct HubTexts {
  std::string config;            ///< config.json
  std::string tokenizer;         ///< tokenizer.json
  std::string tokenizer_config;  ///< tokenizer_config.json
  std::string chat_template;     ///< chat_template.jinja
};

/// The metadata of a GGUF file with that model. Refused by name: other architectures, biases that a family does not
/// have, RoPE scaling but Llama 3's, sliding windows of some layers only, quantised checkpoints, tokenizers that our
/// own would not follow exactly. `where` names the folder.
Result<GgufMetadata> HubMetadata(const HubTexts& texts, const std::string& where);

/// The keys tokenizer.ggml.* of a tokenizer.json (part of HubMetadata).
Status AppendHubTokenizer(const HubTexts& texts, const boost::json::value& config, const std::string& where,
                          GgufMetadata& out);

/// Opens a folder. Checked besides: every tensor named, typed F32, F16 or BF16, and in the file that the index says.
Result<GgufFile> OpenHubFolder(const std::filesystem::path& folder);

}  // namespace pintle
