#include "models/decoder/forward.h"

#include "kernels/math.h"
#include "nn/stored_ops.h"

namespace pintle {

DecoderWeights DeclareDecoder(const DecoderConfig& c, ParameterRegistry& registry) {
  const bool bf16 = c.dtype == DType::kBF16;
  const auto matrix = [&](const std::string& name, int64_t rows, int64_t columns) -> ParameterRegistry::Declaration {
    return {name + ".weight", {rows, columns}, ParameterGroup::kMatrix, true, bf16, false};
  };
  const auto vector = [&](const std::string& name, int64_t size) {
    return &registry.Declare({name, {size}, ParameterGroup::kOther, false, false, false});
  };
  const auto gain = [&](const std::string& name, int64_t size) { return vector(name + ".weight", size); };
  const auto table = [&](const std::string& name, bool head, bool both) {
    return &registry.Declare({name, {c.vocab, c.width}, ParameterGroup::kOther, true, bf16 && head, both});
  };

  DecoderWeights weights;
  weights.embed_tokens = table("model.embed_tokens.weight", c.tied, c.tied);
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string block = "model.layers." + std::to_string(l) + ".";
    DecoderBlock& layer = weights.layers.emplace_back();
    layer.input_layernorm = gain(block + "input_layernorm", c.width);
    layer.qkv_proj = registry.DeclareStacked({matrix(block + "self_attn.q_proj", c.heads * c.head_dim, c.width),
                                              matrix(block + "self_attn.k_proj", c.kv_heads * c.head_dim, c.width),
                                              matrix(block + "self_attn.v_proj", c.kv_heads * c.head_dim, c.width)});
    if (c.qkv_bias) {
      layer.qkv_bias = {vector(block + "self_attn.q_proj.bias", c.heads * c.head_dim),
                        vector(block + "self_attn.k_proj.bias", c.kv_heads * c.head_dim),
                        vector(block + "self_attn.v_proj.bias", c.kv_heads * c.head_dim)};
    }
    layer.q_norm = c.qk_norm ? gain(block + "self_attn.q_norm", c.head_dim) : nullptr;
    layer.k_norm = c.qk_norm ? gain(block + "self_attn.k_norm", c.head_dim) : nullptr;
    layer.o_proj = &registry.Declare(matrix(block + "self_attn.o_proj", c.width, c.heads * c.head_dim));
    layer.post_attention_layernorm = gain(block + "post_attention_layernorm", c.width);
    layer.gate_up_proj = registry.DeclareStacked(
        {matrix(block + "mlp.gate_proj", c.ffn, c.width), matrix(block + "mlp.up_proj", c.ffn, c.width)});
    layer.down_proj = &registry.Declare(matrix(block + "mlp.down_proj", c.width, c.ffn));
  }
  weights.norm = gain("model.norm", c.width);
  weights.lm_head = c.tied ? weights.embed_tokens : table("lm_head.weight", true, false);
  return weights;
}

Var DecoderForward(Tape& tape, const DecoderConfig& c, const DecoderWeights& weights, const float* rope_cos,
                   const float* rope_sin, Var tokens, Var positions, const AttentionSource& source) {
  const int64_t head_dim = PaddedHeadDim(c.head_dim);
  const bool padded = head_dim != c.head_dim;
  const AttentionConfig attention = {
      c.heads, c.kv_heads, head_dim, c.norm_epsilon, rope_cos, rope_sin, kernels::Rsqrt(static_cast<float>(c.head_dim)),
      c.window};
  Var x = Embedding(tape, tokens, *weights.embed_tokens);
  int64_t l = 0;
  for (const DecoderBlock& layer : weights.layers) {
    tape.BeginBlock();
    const Var h = RmsNorm(tape, x, *layer.input_layernorm, c.norm_epsilon);
    Var qkv = Linear(tape, h, layer.qkv_proj, {}, layer.qkv_bias);
    if (padded) qkv = SpreadHeads(tape, qkv, c.heads + 2 * c.kv_heads, c.head_dim);
    Var o = source.documents.valid()
                ? Attention(tape, qkv, attention, layer.q_norm, layer.k_norm, positions, source.documents)
                : AttentionWithCache(tape, qkv, attention, layer.q_norm, layer.k_norm, positions, l);
    if (padded) o = GatherHeads(tape, o, c.heads, c.head_dim);
    x = Linear(tape, o, {&layer.o_proj, 1}, x);

    const Var h2 = RmsNorm(tape, x, *layer.post_attention_layernorm, c.norm_epsilon);
    const Var gate_up = Linear(tape, h2, layer.gate_up_proj);
    x = Linear(tape, SwiGlu(tape, gate_up), {&layer.down_proj, 1}, x);
    tape.EndBlock();
    ++l;
  }
  return RmsNorm(tape, x, *weights.norm, c.norm_epsilon);
}

}  // namespace pintle
