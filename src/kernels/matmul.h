// Matrix multiplication: fp32 and bf16, three orientations, fused epilogue. Raw pointers and extents, row-major.
//
// Numeric contract: every element of C is ONE chain over k = 0 .. K-1 in order. Blocking stores and reloads the fp32
// accumulator, so tile sizes, thread count and instruction set never show. With `accumulate` the chain starts at the
// value that C holds (micro-batches continue the dW chain), else at +0.
//   fma profile:    acc = fma(a, b, acc)         muladd profile: acc = acc + (a * b), two roundings
//   bf16:           pairs of k, odd element first, then even:
//                   acc = fma(a[k+1], b[k+1], acc); acc = fma(a[k], b[k], acc);
//                   subnormal inputs (the accumulator too) count as 0, a subnormal result of either step becomes a 0 of
//                   its sign (subnormal after rounding to 24 bits with an unbounded exponent); odd K is padded by 0.
//                   That is vdpbf16ps; both profiles give the same bits.
// Which NaN comes out of several NaNs is not part of the contract; that one comes out is.
// The epilogue is applied once to the finished chain, in this order: + bias, + residual, each one rounding.
#pragma once

#include <cstdint>
#include <memory>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// The numeric profile of fp32 matmuls; written into every checkpoint and log. The values live on disk.
enum class Profile : uint8_t { kFma = 0, kMuladd = 1 };

/// bf16 as its bits (the upper half of a float).
using bf16 = uint16_t;

/// Which operands are stored transposed. C is always [M,N].
enum class MatMulOp : uint8_t {
  kNN,  ///< A[M,K]  B[K,N]   (dX = dY W with W stored [N_out,K_in]: A = dY, B = W)
  kNT,  ///< A[M,K]  B[N,K]   (Y = X W^T with W stored [out,in])
  kTN,  ///< A[K,M]  B[K,N]   (dW = dY^T X)
};

/// What happens to a finished element. All pointers may be null.
struct Epilogue {
  const float* bias = nullptr;      ///< [N]
  const float* residual = nullptr;  ///< [M,N] with leading dimension ldc; may alias C only if not accumulating
};

/// The problem: C[M,N] = op(A, B), leading dimensions in elements. C must not overlap A or B.
struct MatMulShape {
  MatMulOp op;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  bool accumulate = false;
};

/// fp32. Any extents >= 0 (k = 0 gives zeros or leaves C with accumulate). Thread-safe; scratch for packing comes from
/// thread-local buffers that grow to a fixed bound and are kept (no allocation in the steady state).
void MatMulF32(const MatMulShape& shape, Profile profile, const float* a, const float* b, float* c,
               const Epilogue& epilogue, ThreadPool& pool);

/// bf16 inputs, fp32 output.
void MatMulBF16(const MatMulShape& shape, const bf16* a, const bf16* b, float* c, const Epilogue& epilogue,
                ThreadPool& pool);

/// B in the order in which this machine's micro-kernel reads it, packed once for many products: weights that rest while
/// many small A go through them. A copy of whole panels: 4 bytes an element, in bf16 2 where the kernel takes pairs.
/// The buffer is kept for the next packing; the bits of the products are those of the plain calls. Packing is not
/// thread-safe, reading is.
class PackedB {
 public:
  PackedB();
  PackedB(PackedB&&) noexcept;
  PackedB& operator=(PackedB&&) noexcept;
  ~PackedB();

  /// B as in `shape` (op, n, k, ldb); the rest of the shape is not looked at.
  void PackF32(const MatMulShape& shape, Profile profile, const float* b, ThreadPool& pool);
  void PackBF16(const MatMulShape& shape, const bf16* b, ThreadPool& pool);

 private:
  friend void MatMulF32(const MatMulShape&, Profile, const float*, const PackedB&, float*, const Epilogue&,
                        ThreadPool&);
  friend void MatMulBF16(const MatMulShape&, const bf16*, const PackedB&, float*, const Epilogue&, ThreadPool&);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same products with a B packed for the same op, n, k, profile and instruction set; shape.ldb is not looked at.
void MatMulF32(const MatMulShape& shape, Profile profile, const float* a, const PackedB& b, float* c,
               const Epilogue& epilogue, ThreadPool& pool);
void MatMulBF16(const MatMulShape& shape, const bf16* a, const PackedB& b, float* c, const Epilogue& epilogue,
                ThreadPool& pool);

/// Round to nearest even, NaN stays NaN. `count` elements; may not overlap.
void ConvertF32ToBF16(const float* from, bf16* to, int64_t count, ThreadPool& pool);

/// The plain definitions: three loops, no SIMD. They are the specification.
void ReferenceMatMulF32(const MatMulShape& shape, Profile profile, const float* a, const float* b, float* c,
                        const Epilogue& epilogue);
void ReferenceMatMulBF16(const MatMulShape& shape, const bf16* a, const bf16* b, float* c, const Epilogue& epilogue);

}  // namespace pintle::kernels
