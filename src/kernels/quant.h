// Matrix products with quantised weights: the block formats of GGUF files, repacked into one layout for every
// instruction set, times activations that are quantised to 8 bits on the way in.
//
// Activations, in blocks of 32 along k, the same for every weight type: dx = amax / 127, q = x * (127 / amax) rounded
// to nearest even; a block whose amax is below 2^-100 counts as 0, a block that is not finite makes its row NaN.
// Weights, in blocks of 32 along k:   w = s * (q - offset) + m     (m: types with a minimum only)
//   s = d, or for K types d * (6-bit scale), rounded once; Q6_K and IQ4_XS
//       instead have an integer scale for each half of the block
//       that the sum of the half is multiplied by
//   m as stored, or for Q4_K, Q5_K -(dmin * (6-bit minimum)), rounded once
//   q as stored, or for IQ4 types what kIq4Values makes of it
// One output element is ONE fp32 chain over the blocks in order, each step multiplied, then added (no FMA):
//   i = sum of (q_w - offset) * q_x, exact (with integer scales: scale0 * i0 + scale1 * i1, exact)
//   acc = acc + float(i) * (s * dx)          with a minimum: acc = acc + m * (dx * float(sum of q_x))
// then + bias, then + residual. Neither the number of tokens, nor threads, nor the instruction set shows in the bits.
// Source of the block formats: ggml's description of its quantisation types.
#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// Block formats with a product here.
enum class QuantType : uint8_t { kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K, kIQ4_NL, kIQ4_XS };
inline constexpr int kQuantTypes = 10;

/// What the sixteen quants of the IQ4 types stand for, plus 128.
inline constexpr uint8_t kIq4Values[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};

/// Elements of a block of the file: 32, or 256 for K types and IQ4_XS. Rows are whole blocks.
int64_t QuantBlock(QuantType type);
/// Bytes of a row of `columns` elements in the file.
int64_t QuantRowBytes(QuantType type, int64_t columns);

/// Rows that are interleaved in memory; a matrix is padded to whole panels with rows of zeros.
inline constexpr int64_t kPanelRows = 16;
/// Bytes of one panel, a multiple of 64 for every row of whole blocks.
int64_t QuantPanelBytes(QuantType type, int64_t columns);

/// A repacked matrix [rows, columns] as a view: panels one behind the other, 64-byte aligned.
struct QuantMatrix {
  QuantType type = QuantType::kQ8_0;
  int64_t rows = 0, columns = 0;
  const uint8_t* panels = nullptr;
  [[nodiscard]] int64_t panel_count() const { return (rows + kPanelRows - 1) / kPanelRows; }
  [[nodiscard]] int64_t bytes() const { return panel_count() * QuantPanelBytes(type, columns); }
};

/// Repacks `rows` (1 to 16) rows of file blocks, one behind the other, into one panel. Any bytes are accepted.
void PackQuantPanel(QuantType type, const uint8_t* file_rows, int64_t rows, int64_t columns, uint8_t* panel);
/// False if a scale or minimum among the rows of file blocks is infinite or NaN.
bool QuantRowsFinite(QuantType type, const uint8_t* file_rows, int64_t rows, int64_t columns);
/// One row back as floats, `columns` of them: s * (q - offset), then + m. The same values as the file's.
void DequantizeQuantRow(const QuantMatrix& matrix, int64_t row, float* out);
/// y[i] = row ids[i] of the matrix; ids in range.
void QuantEmbedding(const QuantMatrix& table, const int32_t* ids, int64_t count, float* y, ThreadPool& pool);

/// Quantised rows [count, columns]; the pointers lie in one scratch buffer of QuantActivationBytes.
struct QuantActivations {
  int64_t columns = 0;
  int8_t* q = nullptr;               ///< [count, columns]
  float* scale = nullptr;            ///< dx [count, columns / 32]
  float* sum = nullptr;              ///< dx * float(sum of q) [count, columns / 32]
  int32_t* negative_sums = nullptr;  ///< -(sum of q) of each half block [count, columns / 32, 2]
};
int64_t QuantActivationBytes(int64_t count, int64_t columns);
/// `scratch` is 64-byte aligned.
QuantActivations PlaceQuantActivations(void* scratch, int64_t count, int64_t columns);
/// x [count, columns], rows ldx apart.
void QuantizeActivations(const float* x, int64_t ldx, int64_t count, const QuantActivations& out, ThreadPool& pool);

/// A matrix whose rows become columns of C, with its bias [rows] or null.
struct QuantPart {
  QuantMatrix matrix;
  const float* bias = nullptr;
};
/// C[count, sum of rows] = x W^T for the parts' matrices stacked by rows, + bias, + residual (C's layout, or null; may
/// be C). ldc counts floats. All parts have x's columns.
void QuantMatMul(std::span<const QuantPart> parts, const QuantActivations& x, int64_t count, float* c, int64_t ldc,
                 const float* residual, ThreadPool& pool);

/// The plain definitions: loops, no SIMD, no threads.
void ReferenceQuantizeActivations(const float* x, int64_t ldx, int64_t count, const QuantActivations& out);
void ReferenceQuantMatMul(std::span<const QuantPart> parts, const QuantActivations& x, int64_t count, float* c,
                          int64_t ldc, const float* residual);

}  // namespace pintle::kernels
