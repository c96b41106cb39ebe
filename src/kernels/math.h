// Elementary functions of our own, so that results do not depend on anybody's libm: floats for kernels (one value here,
// whole vectors in math-inl.h with the same bits), doubles for host scalars (schedules, bias corrections, RoPE tables,
// initial weights). Plain multiplications and additions in a fixed order, correctly rounded division and square root,
// no FMA.
//
// Not a complete libm: what the numeric path needs, and no more. Polynomials are our own minimax fits.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace pintle::kernels {

/// e^x within 2 ulp. Exp(0) == 1 exactly; results below 2^-126 are +0 (no subnormals); above the largest float +inf;
/// NaN stays NaN.
float Exp(float x);
/// Natural logarithm within 2 ulp for normal x > 0; Log(1) == 0; 0 and subnormals give -inf, negative x and NaN give
/// NaN.
float Log(float x);
/// tanh within 2 ulp; odd; |x| > 9.1 gives +-1.
float Tanh(float x);
/// Angle of (x, y) for finite x >= 0, in [-pi/2, pi/2], within 3 ulp; (0, 0) gives 0 with y's sign.
float Atan2(float y, float x);
/// 1 / sqrt(x): two correctly rounded steps.
float Rsqrt(float x);
/// 1 / (1 + Exp(-x)).
float Sigmoid(float x);

/// The same over arrays (in and out may be the same pointer), bit-equal to the scalar functions on every instruction
/// set.
void ExpArray(const float* x, float* y, int64_t count, ThreadPool& pool);
void LogArray(const float* x, float* y, int64_t count, ThreadPool& pool);
void TanhArray(const float* x, float* y, int64_t count, ThreadPool& pool);
void RsqrtArray(const float* x, float* y, int64_t count, ThreadPool& pool);

/// e^x, relative error below 4e-16 for results that are normal numbers; below: 0, above: +inf.
double Exp(double x);
/// Natural logarithm, relative error below 4e-16; x <= 0 and subnormals: -inf for 0 and subnormals, NaN below.
double Log(double x);
/// x^y for x > 0 (and 0^0 = 1, 0^y = 0 for y > 0) as Exp(y * Log(x)): relative error about |y * Log(x)| * 2e-16.
double Pow(double x, double y);
/// sin and cos for |x| <= 2^27, absolute error below 4e-16 (the argument is reduced in three parts).
double Sin(double x);
double Cos(double x);
/// tanh, relative error below 1e-15.
double Tanh(double x);
/// Correctly rounded.
double Sqrt(double x);

}  // namespace pintle::kernels
