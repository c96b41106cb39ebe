// Hashes of products with quantised weights on fixed inputs: their part of pintle_kernel_hashes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pintle::kernels {

/// One row per weight type: (name, FNV-1a of the results for one and for several tokens).
std::vector<std::pair<std::string, uint64_t>> QuantHashes();

}  // namespace pintle::kernels
