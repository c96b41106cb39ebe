// Names of a decoder's tensors: as the hub's checkpoints and our own parameters have them, and as GGUF files have them.
// The one place where the two are paired. And the keys that our own files add.
#pragma once

#include <string>
#include <string_view>

namespace pintle {

/// "model.layers.3.mlp.up_proj.weight" is "blk.3.ffn_up.weight"; weights and biases. "" where GGUF has no such tensor.
std::string GgufNameOf(std::string_view parameter);

/// Keys of our own exports; other programs pass over them. Whose weights they are: "internal", "external".
inline constexpr char kGgufOrigin[] = "pintle.origin";
/// True: fill-in-the-middle prompts give the suffix first (generate/infill.h).
inline constexpr char kGgufSuffixFirst[] = "pintle.fim_suffix_first";

}  // namespace pintle
