// Hashes of matmul results on fixed inputs: the matmul part of pintle_kernel_hashes and of the tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/matmul.h"

namespace pintle::kernels {

/// Fills `values` with floats of [-1, 1) with 24 bits, drawn from (seed, index): the same on every machine.
void FillUniform(uint64_t seed, int64_t count, float* values);

/// FNV-1a of the bytes of C after op(A, B) of random inputs; `threads` and the active target must not show in it.
uint64_t MatMulHash(const char* dtype, Profile profile, const MatMulShape& shape, int threads);

/// One row per operation, type and profile, over odd and even extents and 1 to 3 threads: (name, hash).
std::vector<std::pair<std::string, uint64_t>> MatMulHashes();

}  // namespace pintle::kernels
