// Weights of a GGUF file into a decoder for use: one region of memory, quantised matrices repacked on the way
// (kernels/quant.h), read by all threads through small buffers. The file is not mapped: no second copy stays, and a
// file that shrinks meanwhile is an error, not a crash. Tokenizers are text/vocabulary.h.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "formats/gguf.h"
#include "models/decoder/decoder.h"

namespace pintle {

/// What a load is going to do; made from the header alone.
struct GgufPlan {
  DecoderConfig config;
  std::string types;         ///< of the matrices with their number: "Q4_K 169, Q6_K 29"
  int64_t weight_bytes = 0;  ///< memory of the weights
  int64_t kv_bytes = 0;      ///< memory of the keys and values of a whole context
};

/// Checks all that can be checked without reading weights: configuration, names, exact shapes, types, no tensor left
/// over, sizes. `context` as in GgufDecoderConfig; keys and values are going to be kept as `kv`.
Result<GgufPlan> PlanGguf(const GgufFile& file, int64_t context, kernels::KvType kv = kernels::KvType::kF32);

/// Loads. Weights that are not finite are a validation error; so is a machine whose memory is smaller than the plan.
/// Files with bf16 matrices only compute in bf16, all others in fp32 with the types of the file; f16 matrices (and bf16
/// ones beside other types) are widened to fp32, which is exact.
Result<std::unique_ptr<Decoder>> LoadGguf(const GgufFile& file, const GgufPlan& plan, ThreadPool& pool);

/// Reads every weight and checks it as a load would, but keeps nothing.
Status VerifyGguf(const GgufFile& file, const GgufPlan& plan, ThreadPool& pool);

}  // namespace pintle
