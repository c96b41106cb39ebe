// What this machine can do at most, measured: multiply-add in fp32 and bf16, and reading memory. Every speed that
// Pintle prints stands beside these, taken in the same run, because machines, clocks and neighbours differ.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// 10^9 floating-point operations a second (a multiply-add counts as two) of the active target's fp32 multiply-add, all
/// threads of the pool at once, operands in registers. The best of `samples` short samples (about a millisecond each):
/// other load only ever lowers a sample.
double PeakF32Gflops(ThreadPool& pool, int samples);

/// The same for bf16 products: vdpbf16ps where the active target has it, else the fp32 rate of the target that emulates
/// it.
double PeakBF16Gflops(ThreadPool& pool, int samples);

/// 10^9 bytes a second read from `bytes` of `memory` (larger than the caches, resident, 64-byte aligned), split over
/// the pool.
double PeakReadGbPerSecond(ThreadPool& pool, const void* memory, int64_t bytes, int samples);

}  // namespace pintle::kernels
