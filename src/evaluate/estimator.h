// The statistics of the evaluation: pass@k, confidence intervals, edit similarity, a logarithm. Pure functions of
// numbers and texts; only + - * / and the square root, which IEEE 754 rounds the same everywhere.
#pragma once

#include <cstdint>
#include <string_view>

namespace pintle {

/// The unbiased estimate of the chance that at least one of k samples passes, from n samples of which c pass:
/// 1 - C(n-c, k) / C(n, k). Needs 1 <= k <= n. Source: Chen et al. 2021 (arXiv 2107.03374), equation 1.
double PassAtK(int64_t n, int64_t c, int64_t k);

/// A confidence interval.
struct Interval {
  double low = 0, high = 1;
};

/// Wilson's 95 % score interval of a proportion seen in `trials` independent trials; [0, 1] without trials.
/// Source: Wilson 1927.
Interval WilsonInterval(double proportion, int64_t trials);

/// 1 - Levenshtein distance / longer length, over bytes; 1 for two empty texts. Each text is looked at up to 4096
/// bytes.
double EditSimilarity(std::string_view a, std::string_view b);

/// Binary logarithm of a positive finite number, to about 1e-15 relative; the same bits on every machine.
double Log2(double x);

/// 2 to the power x for |x| < 1000, to about 1e-14 relative; the same bits on every machine.
double Exp2(double x);

}  // namespace pintle
