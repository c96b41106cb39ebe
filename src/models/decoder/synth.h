// GGUF files with random weights in the shapes of real models, so that speed and memory can be measured, and loaders
// tested, without a download. What such a model says is noise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// qwen3-0.6b, qwen3-8b, llama-1b, llama-8b, mistral-7b, tiny-llama, tiny-qwen2, tiny-qwen3.
std::vector<std::string> SynthNames();

/// Writes a model; the same (name, type, seed) gives the same bytes. Weights have about the spread of trained ones; the
/// vocabulary is the 256 bytes, ChatML's two control tokens and unused ids. `type` as in quant_mix.h. With a
/// `chat_template` of its own the two control tokens are <|turn|> and <|end|>, which no format written natively has.
/// `context` is the number of positions that it says it knows; 0 = that of the shape.
Status WriteSynthModel(std::string_view name, std::string_view type, uint64_t seed, const std::filesystem::path& path,
                       std::string_view chat_template = {}, int64_t context = 0);

/// Requantises the matrices of `in` to `type` and writes `out`; metadata and vectors are kept.
Status QuantizeGguf(const std::filesystem::path& in, std::string_view type, const std::filesystem::path& out,
                    int threads);

}  // namespace pintle
