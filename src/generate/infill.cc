#include "generate/infill.h"

namespace pintle {

std::vector<int32_t> ArrangeInfill(const FimTokens& fim, std::span<const int32_t> before,
                                   std::span<const int32_t> after) {
  std::vector<int32_t> ids = {fim.prefix};
  ids.reserve(before.size() + after.size() + 3);
  const auto append = [&](std::span<const int32_t> text) { ids.insert(ids.end(), text.begin(), text.end()); };
  if (!fim.suffix_first) append(before);
  ids.push_back(fim.suffix);
  append(after);
  ids.push_back(fim.middle);
  if (fim.suffix_first) append(before);
  return ids;
}

}  // namespace pintle
