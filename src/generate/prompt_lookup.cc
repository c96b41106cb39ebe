#include "generate/prompt_lookup.h"

#include <algorithm>

namespace pintle {
namespace {

constexpr int64_t kLongest = 7;
constexpr size_t kLongestPattern = 4, kShortestPattern = 2;

}  // namespace

void PromptLookup::Guess(std::span<const int32_t> ids, int64_t limit, std::vector<int32_t>& out) const {
  const auto count = static_cast<size_t>(std::max<int64_t>(std::min(limit, length_), 0));
  if (count == 0 || ids.size() <= kShortestPattern) return;
  // The longest match counts, of equally long ones the latest.
  size_t best = 0, best_length = 0;
  for (size_t end = ids.size() - 1; end >= kShortestPattern && best_length < kLongestPattern; --end) {
    size_t length = 0;
    while (length < std::min(end, kLongestPattern) && ids[end - 1 - length] == ids[ids.size() - 1 - length]) ++length;
    if (length >= kShortestPattern && length > best_length) best = end, best_length = length;
  }
  if (best_length == 0) return;
  const std::span<const int32_t> follows = ids.subspan(best, std::min(count, ids.size() - best));
  out.insert(out.end(), follows.begin(), follows.end());
}

void PromptLookup::Learn(int64_t guessed, int64_t right) {
  if (guessed == 0) return;
  if (right == guessed) {
    length_ = std::min(2 * length_ + 1, kLongest);
  } else if (right == 0) {
    length_ = std::max<int64_t>(length_ / 2, 1);
  }
}

}  // namespace pintle
