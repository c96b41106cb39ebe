// Fixed small problems for every kernel beside matmul, as (name, hash) rows: the hash program prints them, and CI
// compares compilers, instruction sets and thread counts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// Runs each kernel on Philox inputs and hashes all its outputs (SHA-256, hex, first 16 digits).
std::vector<std::pair<std::string, std::string>> KernelHashRows(ThreadPool& pool);

}  // namespace pintle::kernels
