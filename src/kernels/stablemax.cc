#include "kernels/stablemax.h"

#include "kernels/elementwise.h"
#include "kernels/math.h"

namespace pintle::kernels {
namespace {

double Transform(double x) { return x >= 0 ? x + 1.0 : 1.0 / (1.0 - x + 1e-30); }

}  // namespace

double StablemaxCrossEntropy(const float* logits, int64_t vocab, int32_t target, double scale, float* dlogits,
                             bf16* dlogits_bf16) {
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) sum += Transform(static_cast<double>(logits[i]));
  const double at_target = Transform(static_cast<double>(logits[target]));
  if (dlogits != nullptr || dlogits_bf16 != nullptr) {
    for (int64_t i = 0; i < vocab; ++i) {
      const auto x = static_cast<double>(logits[i]);
      const double s = Transform(x);
      const double slope = x >= 0 ? 1.0 : s * s;
      const double d = slope / sum - (i == target ? slope / s : 0.0);
      const auto rounded = static_cast<float>(d * scale);
      if (dlogits != nullptr) dlogits[i] = rounded;
      if (dlogits_bf16 != nullptr) dlogits_bf16[i] = ReferenceToBF16(rounded);
    }
  }
  return -Log(at_target / sum);
}

void Stablemax(const float* logits, int64_t vocab, double* p) {
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) sum += (p[i] = Transform(static_cast<double>(logits[i])));
  for (int64_t i = 0; i < vocab; ++i) p[i] = p[i] / sum;
}

double BinaryCrossEntropy(double logit, bool target, double* d) {
  const double magnitude = logit < 0 ? -logit : logit;
  const double e = Exp(-magnitude);
  *d = (logit >= 0 ? 1.0 / (1.0 + e) : e / (1.0 + e)) - (target ? 1.0 : 0.0);
  const double positive = logit > 0 ? logit : 0.0;
  return positive - (target ? logit : 0.0) + Log(1.0 + e);
}

}  // namespace pintle::kernels
