// Guesses by looking back.
#include "generate/prompt_lookup.h"

#include <doctest/doctest.h>

namespace pintle {
namespace {

std::vector<int32_t> GuessOf(const PromptLookup& lookup, const std::vector<int32_t>& ids, int64_t limit = 7) {
  std::vector<int32_t> out;
  lookup.Guess(ids, limit, out);
  return out;
}

}  // namespace

TEST_CASE("what followed the longest, then latest match is guessed") {
  const PromptLookup lookup;
  CHECK(GuessOf(lookup, {}).empty());
  CHECK(GuessOf(lookup, {5, 5}).empty());
  CHECK(GuessOf(lookup, {1, 2, 3, 4}).empty());
  CHECK(GuessOf(lookup, {9, 2, 3, 4}).empty());
  CHECK(GuessOf(lookup, {1, 2, 3, 4, 5, 6, 1, 2}) == std::vector<int32_t>{3, 4, 5});
  CHECK(GuessOf(lookup, {1, 2, 3, 4, 5, 6, 1, 2}, 2) == std::vector<int32_t>{3, 4});
  CHECK(GuessOf(lookup, {1, 2, 3, 4, 5, 6, 1, 2}, 0).empty());
  CHECK(GuessOf(lookup, {1, 2, 3, 7, 1, 2, 4, 7, 1, 2}) == std::vector<int32_t>{4, 7, 1});
  CHECK(GuessOf(lookup, {8, 1, 2, 3, 7, 1, 2, 4, 8, 1, 2}) == std::vector<int32_t>{3, 7, 1});
  CHECK(GuessOf(lookup, {6, 6, 6}) == std::vector<int32_t>{6});
  CHECK(GuessOf(lookup, {1, 2, 1, 2, 1, 2}) == std::vector<int32_t>{1, 2});
}

TEST_CASE("more is guessed where guesses come true, less where they do not") {
  PromptLookup lookup;
  const std::vector<int32_t> ids = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2};
  const auto learn = [&](int64_t right) {
    const auto guessed = static_cast<int64_t>(GuessOf(lookup, ids).size());
    lookup.Learn(guessed, right < 0 ? guessed : right);
    return guessed;
  };
  CHECK(learn(-1) == 3);
  CHECK(learn(-1) == 7);
  CHECK(learn(2) == 7);
  CHECK(learn(0) == 7);
  CHECK(learn(0) == 3);
  CHECK(learn(0) == 1);
  CHECK(learn(0) == 1);
  lookup.Learn(0, 0);
  CHECK(learn(-1) == 1);
  CHECK(learn(0) == 3);
}

}  // namespace pintle
