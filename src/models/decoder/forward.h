// The one forward pass of the decoder, read from top to bottom. Training, scoring and generation record the same list;
// only where attention finds its keys differs. Foreign models (family.h) switch parts of it by their configuration.
// Source: the Qwen3 model as published in Hugging Face checkpoints.
#pragma once

#include <vector>

#include "models/decoder/config.h"
#include "nn/ops.h"
#include "nn/parameters.h"
#include "nn/tape.h"

namespace pintle {

/// One block's parameters; fields are named as in the checkpoint.
struct DecoderBlock {
  Parameter *input_layernorm, *post_attention_layernorm;
  std::vector<Parameter*> qkv_proj;  ///< q_proj, k_proj, v_proj, stacked
  std::vector<Parameter*> qkv_bias;  ///< empty, or the biases of the three
  Parameter *q_norm, *k_norm;        ///< null in models without
  Parameter* o_proj;
  std::vector<Parameter*> gate_up_proj;  ///< gate_proj, up_proj, stacked
  Parameter* down_proj;
};

/// All parameters of a decoder; they belong to its registry.
struct DecoderWeights {
  Parameter* embed_tokens;
  std::vector<DecoderBlock> layers;
  Parameter* norm;
  Parameter* lm_head;  ///< embed_tokens if tied
};

/// Declares all parameters of `config` in checkpoint order; `registry` is allocated afterwards by the caller.
DecoderWeights DeclareDecoder(const DecoderConfig& config, ParameterRegistry& registry);

/// Where attention finds its keys: the rows' own batch with a document number each, or the cache bound to the tape.
struct AttentionSource {
  Var documents;  ///< valid: the batch form; not valid: the cache
};

/// tokens, positions [rows] -> the normed hidden state [rows, C] that the head takes.
Var DecoderForward(Tape& tape, const DecoderConfig& config, const DecoderWeights& weights, const float* rope_cos,
                   const float* rope_sin, Var tokens, Var positions, const AttentionSource& source);

}  // namespace pintle
