#include "text/bpe_trainer.h"

#include <doctest/doctest.h>

#include <map>

#include "base/rng.h"

namespace pintle {
namespace {

using Merges = std::vector<std::pair<int32_t, int32_t>>;

// Training as it is defined: count all pairs anew before every merge.
Merges Naive(const PieceCounter& pieces, const BpeTrainerOptions& options) {
  std::vector<std::string> tokens;
  std::map<std::string, int32_t> known;
  for (int byte = 0; byte < 256; ++byte) {
    tokens.emplace_back(1, static_cast<char>(byte));
    known[tokens.back()] = byte;
  }
  std::vector<std::pair<std::vector<int32_t>, int64_t>> words;
  for (const auto& [piece, count] : pieces.Sorted()) {
    words.emplace_back(std::vector<int32_t>{}, count);
    for (const char c : piece) words.back().first.push_back(static_cast<uint8_t>(c));
  }
  Merges merges;
  int64_t made = 0;
  while (made < options.merged_tokens) {
    std::map<std::pair<int32_t, int32_t>, int64_t> counts;
    for (const auto& [ids, count] : words) {
      for (size_t i = 0; i + 1 < ids.size(); ++i) counts[{ids[i], ids[i + 1]}] += count;
    }
    std::pair<int32_t, int32_t> best;
    int64_t best_count = options.min_count - 1;
    for (const auto& [pair, count] : counts) {
      const size_t length =
          tokens[static_cast<size_t>(pair.first)].size() + tokens[static_cast<size_t>(pair.second)].size();
      if (count > best_count && static_cast<int64_t>(length) <= options.max_token_bytes)
        best = pair, best_count = count;
    }
    if (best_count < options.min_count) break;
    const std::string bytes = tokens[static_cast<size_t>(best.first)] + tokens[static_cast<size_t>(best.second)];
    const auto [place, fresh] = known.emplace(bytes, static_cast<int32_t>(tokens.size()));
    if (fresh) {
      tokens.push_back(bytes);
      ++made;
    }
    merges.push_back(best);
    for (auto& [ids, count] : words) {
      for (size_t i = 0; i + 1 < ids.size(); ++i) {
        if (ids[i] != best.first || ids[i + 1] != best.second) continue;
        ids[i] = place->second;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return merges;
}

TEST_CASE("the most frequent pair first, of equals the one with the smaller ids") {
  PieceCounter counter;
  counter.Add("ab", 3);
  counter.Add("cd", 5);
  counter.Add("xcdy", 1);
  CHECK(TrainBpe(counter, {4, 1, 64}) == Merges{{'c', 'd'}, {'a', 'b'}, {'x', 256}, {258, 'y'}});
  CHECK(TrainBpe(counter, {4, 2, 64}) == Merges{{'c', 'd'}, {'a', 'b'}});
  CHECK(TrainBpe(counter, {1, 1, 64}) == Merges{{'c', 'd'}});
  CHECK(TrainBpe(counter, {4, 1, 3}) == Merges{{'c', 'd'}, {'a', 'b'}, {'x', 256}});
}

TEST_CASE("training equals its definition on random words") {
  for (uint64_t round = 0; round < 40; ++round) {
    PieceCounter counter;
    RandomStream random(4, Purpose::kTest, round);
    for (int words = 0; words < 60; ++words) {
      std::string word;
      for (uint32_t n = 1 + random.NextBelow(10); n > 0; --n) word += static_cast<char>('a' + random.NextBelow(3));
      counter.Add(word, 1 + random.NextBelow(5));
    }
    const BpeTrainerOptions options{60, 1 + static_cast<int64_t>(round % 3), round % 2 == 0 ? 64 : 5};
    REQUIRE(TrainBpe(counter, options) == Naive(counter, options));
  }
}

TEST_CASE("counting in parts and in another order gives the same") {
  const std::string text = "fn main() { let a = 1; let b = a + a; println!(\"{}\", b); }\n";
  PieceCounter whole, first, second;
  whole.AddText(text);
  whole.AddText("let me\n");
  second.AddText("let me\n");
  first.AddText(text);
  second.Merge(first);
  CHECK(whole.Sorted() == second.Sorted());
  CHECK(whole.total() == second.total());
  for (int i = 0; i < 10000; ++i) whole.AddText(" w" + std::string(static_cast<size_t>(i % 97), 'q'));
  CHECK(whole.distinct() == second.distinct() + 97);
}

}  // namespace
}  // namespace pintle
