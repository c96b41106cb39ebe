// What an instruction set provides to the matmul driver (matmul.cc): packing and a micro-kernel. Internal to this
// folder.
//
// Packed operands are panels of 32-bit words. An A panel holds `mr` rows, a B panel `nr` columns; word (step, line)
// stands at step * width + line, and lines that do not exist are 0. A step is what one instruction consumes:
//   fp32            one k               a float
//   bf16 native     two k, k even       the pair as stored, k low, k+1 high (vdpbf16ps takes the high one first)
//   bf16 emulated   one k of a pair     a float, subnormals flushed; k+1 first, then k
#pragma once

#include <cstdint>

#include "kernels/matmul.h"
#include "kernels/target.h"

namespace pintle::kernels {

/// C_out[rows, nr] = chain continued over `steps` from C_in (null: +0), then + bias, + residual where given.
struct MicroTile {
  int64_t steps;
  const uint32_t* a;  ///< packed, stride mr
  const uint32_t* b;  ///< packed, stride nr
  const float* c_in;
  int64_t ld_in;
  float* c_out;
  int64_t ld_out;
  const float* next_c;  ///< where the next tile of C stands, to be fetched meanwhile (a hint)
  int64_t ld_next;
  const float* bias;      ///< [nr]
  const float* residual;  ///< [rows, nr], stride ld_residual
  int64_t ld_residual;
};
using MicroFunction = void (*)(const MicroTile&);

/// Packs `k` values of `lines` lines (<= width) into one panel. `from` is the first element; `ld` counts elements.
/// `along` functions may write up to kPackSlack words beyond the panel (so panels are packed in rising order), `across`
/// functions write nothing else.
using PackFunction = void (*)(const void* from, int64_t ld, int64_t lines, int64_t k, uint32_t* to);

/// Rows of an operand that lies across memory, packed together by all panels before the next rows; even.
constexpr int64_t kAcrossRows = 8;

constexpr int kMaxMicroRows = 14;
constexpr int kMaxMicroColumns = 32;
constexpr int kPackSlack = 16;

/// The micro-kernel and packing of one target, as a table of functions.
struct MatMulKernel {
  int mr;
  int nr;
  int element_bytes;           ///< of A and B as stored: 4 or 2
  bool pairs_per_step;         ///< bf16 native: a step is two k
  bool fused_epilogue;         ///< else bias and residual of MicroTile are null and the driver adds them
  PackFunction pack_a_along;   ///< element (line, k) at line * ld + k
  PackFunction pack_a_across;  ///< element (line, k) at k * ld + line
  PackFunction pack_b_along;
  PackFunction pack_b_across;
  MicroFunction micro[kMaxMicroRows + 1];  ///< by rows, 1 .. mr
};

/// The kernels for `target` (which this machine must have). Static, never null.
const MatMulKernel& KernelF32(Target target, Profile profile);
const MatMulKernel& KernelBF16(Target target);

// One file an instruction set; only those of the compiled architecture exist.
extern const MatMulKernel kMatMulAvx512Fma, kMatMulAvx512Muladd, kMatMulAvx512Bf16;
extern const MatMulKernel kMatMulAvx2Fma, kMatMulAvx2Muladd, kMatMulAvx2Bf16;
extern const MatMulKernel kMatMulNeonFma, kMatMulNeonMuladd, kMatMulNeonBf16;
extern const MatMulKernel kMatMulPortableFma, kMatMulPortableMuladd, kMatMulPortableBf16;

}  // namespace pintle::kernels
