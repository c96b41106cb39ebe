// Hashes of every kernel beside matmul on fixed inputs: the second part of pintle_kernel_hashes. CI compares the lines
// between compilers, instruction sets and machines.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pintle::kernels {

/// One row per kernel: (name, FNV-1a of all its outputs with 1, 2 and 3 threads). Inputs are Philox draws.
std::vector<std::pair<std::string, uint64_t>> KernelHashes();

}  // namespace pintle::kernels
