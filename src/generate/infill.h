// How a fill-in-the-middle prompt is laid out. Our own models were trained on both orders and are asked in the second:
// what stands before the cursor then comes right before the answer, where a small model finds it, and a suffix that
// stays the same stays cached while somebody types. Other models know the first order.
// Source: Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the Middle", section 3 (PSM, SPM).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pintle {

/// Control tokens of fill-in-the-middle; -1 where the vocabulary has none.
struct FimTokens {
  int32_t prefix = -1, suffix = -1, middle = -1, file = -1;
  bool suffix_first = false;  ///< the second order
  [[nodiscard]] bool complete() const { return prefix >= 0 && suffix >= 0 && middle >= 0; }
};

/// PREFIX before SUFFIX after MIDDLE, or PREFIX SUFFIX after MIDDLE before: three ids more than the two texts.
std::vector<int32_t> ArrangeInfill(const FimTokens& fim, std::span<const int32_t> before,
                                   std::span<const int32_t> after);

}  // namespace pintle
