// Passes over whole arrays: add, scale, fill, and an exponential moving average. One rounding a step, no FMA.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/matmul.h"

namespace pintle::kernels {

/// y[i] = a[i] + b[i]. y may be a or b. y_bf16 (may be null) gets y rounded to nearest even.
void Add(const float* a, const float* b, float* y, bf16* y_bf16, int64_t count, ThreadPool& pool);
/// y[i] = x[i] * factor. y may be x.
void Scale(const float* x, float factor, float* y, int64_t count, ThreadPool& pool);
/// y[i] = value.
void Fill(float* y, float value, int64_t count, ThreadPool& pool);
/// y[i] = (a * x[i]) + (b * y[i]): two products, one addition.
void ScaleAdd(float a, const float* x, float b, float* y, int64_t count, ThreadPool& pool);

void ReferenceAdd(const float* a, const float* b, float* y, bf16* y_bf16, int64_t count);
void ReferenceScale(const float* x, float factor, float* y, int64_t count);
void ReferenceScaleAdd(float a, const float* x, float b, float* y, int64_t count);

/// One float to bf16: nearest even; NaN stays NaN (quiet bit set). The definition that every bf16 output follows.
bf16 ReferenceToBF16(float x);

}  // namespace pintle::kernels
