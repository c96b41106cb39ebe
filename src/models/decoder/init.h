// Random initial weights, a pure function of (seed, tensor number, element): no thread, order or library shows.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "models/decoder/forward.h"

namespace pintle {

/// One draw of the normal distribution cut at three deviations, by Box and Muller's cosine form on four words of
/// Philox.
double TruncatedNormal(uint64_t seed, uint64_t tensor, uint32_t element);

/// Matrices and tables: 0.02 times a draw; o_proj and down_proj are divided by sqrt(2 L); gains are 1.
void InitDecoder(uint64_t seed, const DecoderWeights& weights, ParameterRegistry& registry, ThreadPool& pool);

}  // namespace pintle
