// Random weights as the reference draws them; see Trm::Init.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "models/trm/recursion.h"
#include "nn/parameters.h"

namespace pintle {

/// A standard normal number cut at two deviations and widened to deviation 1 again: element `element` of tensor number
/// `tensor`, a pure function of its arguments.
double TrmTruncatedNormal(uint64_t seed, uint64_t tensor, uint32_t element);

/// Fills everything: parameters in registry order (tensor numbers 0, 1, ...), then H_init and L_init.
void InitTrm(uint64_t seed, TrmWeights& weights, ParameterRegistry& registry, ThreadPool& pool);

}  // namespace pintle
