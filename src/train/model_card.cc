#include "train/model_card.h"

#include <fmt/format.h>

#include "formats/manifest.h"

namespace pintle {

std::string TrainingCard(const CardFacts& facts) {
  const DecoderConfig& c = facts.decoder;
  const std::string name = c.name.empty() ? "M31R model" : c.name;
  std::string card = fmt::format(
      "# {}\n\nA language model for Rust source code, trained from random initialisation by {}. It completes code and "
      "fills in\n"
      "the middle; it does not chat, and what it writes must be read and compiled before it is trusted.\n\n",
      name, kToolVersion);
  card += fmt::format(
      "| | |\n|---|---|\n| parameters | {} |\n| shape | width {}, {} layers, {} heads, {} kv heads of {}, ffn {}, {} "
      "head |\n"
      "| vocabulary | {} (byte-level BPE) |\n| context | {} tokens |\n| numbers | {} weights, {} profile |\n"
      "| trained on | {} targets in {} steps, seed {} |\n",
      ParameterCount(c), c.width, c.layers, c.heads, c.kv_heads, c.head_dim, c.ffn, c.tied ? "tied" : "untied", c.vocab,
      c.context, DTypeName(c.dtype), c.profile == kernels::Profile::kFma ? "fma" : "muladd", facts.targets, facts.steps,
      facts.seed);
  if (facts.bits_per_byte > 0) card += fmt::format("| validation | {:.4f} bits per byte |\n", facts.bits_per_byte);
  card += fmt::format("| origin | {} |\n| shards | `{}` |\n| tokenizer | `{}` |\n| settings | `{}` |\n", c.origin,
                      facts.shards_id, facts.tokenizer_id, facts.config_hash);
  card +=
      "\nFill in the middle: `<|fim_prefix|><|fim_suffix|>` after `<|fim_middle|>` before, and the answer goes on from "
      "there;\n"
      "the order `<|fim_prefix|>` before `<|fim_suffix|>` after `<|fim_middle|>` was trained as often and serves "
      "worse.\n"
      "A document begins and ends with `<|endoftext|>`. Architecture: Qwen3's (RMSNorm, RoPE, QK-norm, grouped\n"
      "queries, SwiGLU).\n\n## "
      "Settings\n\n```toml\n";
  return card + facts.config_toml + "```\n";
}

}  // namespace pintle
