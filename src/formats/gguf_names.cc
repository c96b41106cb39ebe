#include "formats/gguf_names.h"

namespace pintle {
namespace {

struct Names {
  std::string_view parameter, tensor;
};
constexpr Names kTop[] = {{"model.embed_tokens", "token_embd"}, {"model.norm", "output_norm"}, {"lm_head", "output"}};
constexpr Names kBlock[] = {{"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
                            {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
                            {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
                            {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
                            {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
                            {"mlp.down_proj", "ffn_down"}};
constexpr std::string_view kLayers = "model.layers.";

}  // namespace

std::string GgufNameOf(std::string_view parameter) {
  const size_t dot = parameter.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view kind = parameter.substr(dot);
  if (kind != ".weight" && kind != ".bias") return {};
  std::string_view stem = parameter.substr(0, dot);
  for (const Names& names : kTop) {
    if (stem == names.parameter) return std::string(names.tensor) + std::string(kind);
  }
  if (!stem.starts_with(kLayers)) return {};
  stem.remove_prefix(kLayers.size());
  const size_t end = stem.find('.');
  if (end == 0 || end == std::string_view::npos) return {};
  if (stem.substr(0, end).find_first_not_of("0123456789") != std::string_view::npos) return {};
  for (const Names& names : kBlock) {
    if (stem.substr(end + 1) == names.parameter) {
      return "blk." + std::string(stem.substr(0, end)) + "." + std::string(names.tensor) + std::string(kind);
    }
  }
  return {};
}

}  // namespace pintle
