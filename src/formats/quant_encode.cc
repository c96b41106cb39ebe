#include "formats/quant_encode.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "formats/half.h"
#include "kernels/quant.h"

namespace pintle {
namespace {

float Iq4Value(int q) { return static_cast<float>(int{kernels::kIq4Values[static_cast<size_t>(q)]} - 128); }

// Half away from zero, limited to [low, high]; NaN becomes low.
int Round(float x, int low, int high) {
  if (!(x > static_cast<float>(low))) return low;
  if (x >= static_cast<float>(high)) return high;
  return static_cast<int>(x < 0 ? x - 0.5f : x + 0.5f);
}

float Inverse(float x) { return x != 0 ? 1.0f / x : 0.0f; }

void AppendHalf(float value, std::string& out) {
  const uint16_t half = F16OfFloat(value);
  out += static_cast<char>(half & 0xff);
  out += static_cast<char>(half >> 8);
}

// What a reader will see of a scale.
float Stored(float value) { return FloatOfF16(F16OfFloat(value)); }

// The value of largest magnitude.
float Extreme(const float* x, int count) {
  float extreme = 0;
  for (int i = 0; i < count; ++i) {
    if (std::abs(x[i]) > std::abs(extreme)) extreme = x[i];
  }
  return extreme;
}

// Q4_0, Q4_1, Q5_0, Q5_1: 32 elements.
void EncodeSmall(int bits, bool minimum, const float* x, std::string& out) {
  const int half_range = 1 << (bits - 1), top = (1 << bits) - 1;
  float d = Extreme(x, 32) / static_cast<float>(-half_range), low = 0;
  if (minimum) {
    low = *std::min_element(x, x + 32);
    d = (*std::max_element(x, x + 32) - low) / static_cast<float>(top);
  }
  const float inverse = Inverse(d);
  std::array<int, 32> q{};
  for (size_t i = 0; i < 32; ++i) {
    q.at(i) = minimum ? Round((x[i] - low) * inverse, 0, top)
                      : Round(x[i] * inverse + static_cast<float>(half_range), 0, top);
  }
  AppendHalf(d, out);
  if (minimum) AppendHalf(low, out);
  if (bits == 5) {
    uint32_t high = 0;
    for (size_t i = 0; i < 32; ++i) high |= static_cast<uint32_t>(q.at(i) >> 4) << i;
    for (int byte = 0; byte < 4; ++byte) out += static_cast<char>(high >> (8 * byte) & 0xff);
  }
  for (size_t i = 0; i < 16; ++i) out += static_cast<char>((q.at(i) & 15) | (q.at(i + 16) & 15) << 4);
}

// x ~ scale * q - minimum, q in [0, top], both not negative.
struct Fit {
  float scale = 0, minimum = 0;
};

Fit FitBlock(const float* x, int top) {
  const float low = std::min(0.0f, *std::min_element(x, x + 32)), high = *std::max_element(x, x + 32);
  if (!(high > low)) return {0, -low};
  Fit best;
  float best_error = INFINITY;
  for (int step = 0; step <= 10; ++step) {
    const float inverse = (static_cast<float>(top) - 1.0f + 0.2f * static_cast<float>(step)) / (high - low);
    float sum_q = 0, sum_qq = 0, sum_x = 0, sum_xq = 0;
    for (int i = 0; i < 32; ++i) {
      const auto q = static_cast<float>(Round((x[i] - low) * inverse, 0, top));
      sum_q += q;
      sum_qq += q * q;
      sum_x += x[i];
      sum_xq += x[i] * q;
    }
    const float determinant = 32 * sum_qq - sum_q * sum_q;
    Fit fit = {sum_qq > 0 ? sum_xq / sum_qq : 0, 0};
    if (determinant > 0) {
      const Fit both = {(32 * sum_xq - sum_x * sum_q) / determinant, -(sum_qq * sum_x - sum_q * sum_xq) / determinant};
      if (both.minimum >= 0) fit = both;
    }
    if (fit.scale <= 0) continue;
    float error = 0;
    for (int i = 0; i < 32; ++i) {
      const auto q = static_cast<float>(Round((x[i] + fit.minimum) / fit.scale, 0, top));
      const float off = fit.scale * q - fit.minimum - x[i];
      error += off * off;
    }
    if (error < best_error) {
      best_error = error;
      best = fit;
    }
  }
  return best;
}

// Q4_K, Q5_K: 256 elements.
void EncodeK(int bits, const float* x, std::string& out) {
  const int top = (1 << bits) - 1;
  std::array<Fit, 8> fits;
  float largest_scale = 0, largest_minimum = 0;
  for (size_t k = 0; k < 8; ++k) {
    fits.at(k) = FitBlock(x + 32 * k, top);
    largest_scale = std::max(largest_scale, fits.at(k).scale);
    largest_minimum = std::max(largest_minimum, fits.at(k).minimum);
  }
  const float d = largest_scale / 63, m = largest_minimum / 63;
  std::array<uint8_t, 12> packed{};
  std::array<uint8_t, 256> q{};
  for (size_t k = 0; k < 8; ++k) {
    const auto scale = static_cast<uint8_t>(Round(fits.at(k).scale * Inverse(d), 0, 63));
    const auto minimum = static_cast<uint8_t>(Round(fits.at(k).minimum * Inverse(m), 0, 63));
    if (k < 4) {
      packed.at(k) = static_cast<uint8_t>(packed.at(k) | scale);
      packed.at(k + 4) = static_cast<uint8_t>(packed.at(k + 4) | minimum);
    } else {
      packed.at(k + 4) = static_cast<uint8_t>((scale & 15) | (minimum & 15) << 4);
      packed.at(k - 4) = static_cast<uint8_t>(packed.at(k - 4) | (scale >> 4) << 6);
      packed.at(k) = static_cast<uint8_t>(packed.at(k) | (minimum >> 4) << 6);
    }
    const float step = Stored(d) * scale, base = Stored(m) * minimum;
    for (size_t i = 32 * k; i < 32 * k + 32; ++i) {
      q.at(i) = static_cast<uint8_t>(Round((x[i] + base) * Inverse(step), 0, top));
    }
  }
  AppendHalf(d, out);
  AppendHalf(m, out);
  out.append(packed.begin(), packed.end());
  if (bits == 5) {
    for (size_t i = 0; i < 32; ++i) {
      int high = 0;
      for (size_t k = 0; k < 8; ++k) high |= (q.at(32 * k + i) >> 4) << k;
      out += static_cast<char>(high);
    }
  }
  for (size_t group = 0; group < 256; group += 64) {
    for (size_t i = group; i < group + 32; ++i) out += static_cast<char>((q.at(i) & 15) | (q.at(i + 32) & 15) << 4);
  }
}

// The scale of 16 elements for q in [-32, 31].
float FitSixteen(const float* x) {
  const float extreme = Extreme(x, 16);
  if (extreme == 0) return 0;
  float best = 0, best_score = -1;
  for (int step = -5; step <= 5; ++step) {
    const float inverse = -(32.0f + 0.2f * static_cast<float>(step)) / extreme;
    float sum_xq = 0, sum_qq = 0;
    for (int i = 0; i < 16; ++i) {
      const auto q = static_cast<float>(Round(x[i] * inverse, -32, 31));
      sum_xq += x[i] * q;
      sum_qq += q * q;
    }
    if (sum_qq > 0 && sum_xq * sum_xq / sum_qq > best_score) {
      best_score = sum_xq * sum_xq / sum_qq;
      best = sum_xq / sum_qq;
    }
  }
  return best;
}

void EncodeQ6K(const float* x, std::string& out) {
  std::array<float, 16> scales{};
  for (size_t g = 0; g < 16; ++g) scales.at(g) = FitSixteen(x + 16 * g);
  const float d = Extreme(scales.data(), 16) / -128.0f;
  std::array<int, 256> q{};
  std::array<int, 16> rounded{};
  for (size_t g = 0; g < 16; ++g) {
    rounded.at(g) = Round(scales.at(g) * Inverse(d), -128, 127);
    const float inverse = Inverse(Stored(d) * static_cast<float>(rounded.at(g)));
    for (size_t i = 16 * g; i < 16 * g + 16; ++i) q.at(i) = Round(x[i] * inverse, -32, 31) + 32;
  }
  for (size_t half = 0; half < 256; half += 128) {
    for (size_t i = half; i < half + 64; ++i) out += static_cast<char>((q.at(i) & 15) | (q.at(i + 64) & 15) << 4);
  }
  for (size_t half = 0; half < 256; half += 128) {
    for (size_t i = half; i < half + 32; ++i) {
      out += static_cast<char>(q.at(i) >> 4 | (q.at(i + 32) >> 4) << 2 | (q.at(i + 64) >> 4) << 4 |
                               (q.at(i + 96) >> 4) << 6);
    }
  }
  for (const int scale : rounded) out += static_cast<char>(scale);
  AppendHalf(d, out);
}

// The quant of the IQ4 types whose value is nearest.
int NearestIq4(float x) {
  int best = 0;
  float least = INFINITY;
  for (int q = 0; q < 16; ++q) {
    const float off = std::abs(x - Iq4Value(q));
    if (off < least) {
      least = off;
      best = q;
    }
  }
  return best;
}

// The scale of 32 elements for the values of the IQ4 types.
float FitIq4(const float* x) {
  const float extreme = Extreme(x, 32);
  if (extreme == 0) return 0;
  float best = 0, best_score = -1;
  for (int step = -7; step <= 7; ++step) {
    const float inverse = (-127.0f + static_cast<float>(step)) / extreme;
    float sum_xv = 0, sum_vv = 0;
    for (int i = 0; i < 32; ++i) {
      const float value = Iq4Value(NearestIq4(x[i] * inverse));
      sum_xv += x[i] * value;
      sum_vv += value * value;
    }
    if (sum_vv > 0 && sum_xv * sum_xv / sum_vv > best_score) {
      best_score = sum_xv * sum_xv / sum_vv;
      best = sum_xv / sum_vv;
    }
  }
  return best;
}

void AppendIq4(const float* x, float scale, std::string& out) {
  const float inverse = Inverse(scale);
  for (int i = 0; i < 16; ++i) {
    out += static_cast<char>(NearestIq4(x[i] * inverse) | NearestIq4(x[i + 16] * inverse) << 4);
  }
}

void EncodeIq4Nl(const float* x, std::string& out) {
  const float d = FitIq4(x);
  AppendHalf(d, out);
  AppendIq4(x, Stored(d), out);
}

void EncodeIq4Xs(const float* x, std::string& out) {
  std::array<float, 8> scales{};
  for (size_t k = 0; k < 8; ++k) scales.at(k) = FitIq4(x + 32 * k);
  const float d = Extreme(scales.data(), 8) / -32.0f;
  std::array<int, 8> rounded{};
  unsigned high = 0;
  for (size_t k = 0; k < 8; ++k) {
    rounded.at(k) = Round(scales.at(k) * Inverse(d), -32, 31);
    high |= static_cast<unsigned>(rounded.at(k) + 32) >> 4 << (2 * k);
  }
  AppendHalf(d, out);
  out += static_cast<char>(high & 255);
  out += static_cast<char>(high >> 8);
  for (size_t k = 0; k < 8; k += 2) {
    out += static_cast<char>(((rounded.at(k) + 32) & 15) | ((rounded.at(k + 1) + 32) & 15) << 4);
  }
  for (size_t k = 0; k < 8; ++k) AppendIq4(x + 32 * k, Stored(d) * static_cast<float>(rounded.at(k)), out);
}

}  // namespace

bool HasQuantEncoder(GgufType type) {
  return type == GgufType::kQ4_0 || type == GgufType::kQ4_1 || type == GgufType::kQ5_0 || type == GgufType::kQ5_1 ||
         type == GgufType::kQ4_K || type == GgufType::kQ5_K || type == GgufType::kQ6_K || type == GgufType::kIQ4_NL ||
         type == GgufType::kIQ4_XS;
}

void EncodeQuant(GgufType type, const float* values, int64_t count, std::string& out) {
  const int64_t block = GgufBytes(type, 32, 32) > 0 ? 32 : 256;
  PINTLE_CHECK(HasQuantEncoder(type) && count % block == 0, "whole blocks of a type that can be encoded");
  for (int64_t at = 0; at < count; at += block) {
    switch (type) {
      case GgufType::kQ4_0:
      case GgufType::kQ4_1:
        EncodeSmall(4, type == GgufType::kQ4_1, values + at, out);
        break;
      case GgufType::kQ5_0:
      case GgufType::kQ5_1:
        EncodeSmall(5, type == GgufType::kQ5_1, values + at, out);
        break;
      case GgufType::kQ6_K:
        EncodeQ6K(values + at, out);
        break;
      case GgufType::kIQ4_NL:
        EncodeIq4Nl(values + at, out);
        break;
      case GgufType::kIQ4_XS:
        EncodeIq4Xs(values + at, out);
        break;
      default:
        EncodeK(type == GgufType::kQ5_K ? 5 : 4, values + at, out);
        break;
    }
  }
}

}  // namespace pintle
