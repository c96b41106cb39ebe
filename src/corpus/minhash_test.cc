#include "corpus/minhash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/rng.h"
#include "corpus/benchmark_index.h"

namespace pintle {
namespace {

// `shared` words that all texts of one seed have, then words of their own.
std::string Text(uint64_t seed, int shared, int own, uint64_t own_seed) {
  std::string text;
  RandomStream common(seed, Purpose::kTest, 0), special(own_seed, Purpose::kTest, 1);
  for (int i = 0; i < shared; ++i) text += "w" + std::to_string(common.NextBelow(1000000)) + " ";
  for (int i = 0; i < own; ++i) text += "v" + std::to_string(special.NextBelow(1000000)) + " ";
  return text;
}

Signature Sign(const std::string& text) {
  std::vector<WordHash> words;
  SplitWords(text, words);
  Signature signature;
  MinHash(words, signature);
  return signature;
}

TEST_CASE("words are runs of letters, digits and underscores") {
  std::vector<WordHash> words;
  SplitWords("fn f_1(x: u8) -> 0xff;zwölf", words);
  REQUIRE(words.size() == 6);
  CHECK(words[4].is_number);
  CHECK_FALSE(words[1].is_number);
  SplitWords("", words);
  CHECK(words.empty());
}

TEST_CASE("the share of equal places estimates the Jaccard similarity") {
  // 1000 shared words and n of one's own: J = 996 / (996 + 2 n).
  for (const int own : {0, 110, 300, 1000}) {
    const Signature a = Sign(Text(1, 1000, own, 2)), b = Sign(Text(1, 1000, own, 3));
    const double expected = 996.0 / (996.0 + 2 * own), measured = EqualPlaces(a, b) / double{kPermutations};
    CAPTURE(own);
    CHECK(measured > expected - 0.1);
    CHECK(measured < expected + 0.1);
  }
  CHECK(EqualPlaces(Sign(Text(1, 500, 0, 0)), Sign(Text(2, 500, 0, 0))) < 8);
  CHECK(EqualPlaces(Sign(""), Sign("   ")) == kPermutations);
  CHECK(PlacesOfPercent(70) == 180);
  CHECK(PlacesOfPercent(100) == 256);
}

TEST_CASE("similar ones are grouped under the first") {
  std::vector<Signature> all;
  all.reserve(40);
  for (uint64_t i = 0; i < 40; ++i) all.push_back(Sign(Text(i % 10, 400, 20, 100 + i)));
  const auto keepers = GroupSimilar(40, 70, [&](uint32_t i) -> const Signature& { return all[i]; });
  for (uint32_t i = 0; i < 40; ++i) CHECK(keepers[i] == i % 10);
  CHECK(GroupSimilar(0, 70, [&](uint32_t i) -> const Signature& { return all[i]; }).empty());

  SimilarityIndex index;
  CHECK(index.Find(all[0], 70) == -1);
  for (uint32_t i = 0; i < 5; ++i) index.Add(all[i]);
  index.Finish();
  CHECK(index.Find(all[13], 70) == 3);
  CHECK(index.Find(all[17], 70) == -1);
}

TEST_CASE("buckets full of equal or of unlike signatures stay affordable") {
  constexpr uint32_t kCount = 4000;
  std::vector<Signature> same(kCount, Sign("a few words that all of them share")), unlike(kCount);
  CHECK(GroupSimilar(kCount, 70, [&](uint32_t i) -> const Signature& { return same[i]; })[kCount - 1] == 0);
  RandomStream random(5, Purpose::kTest, 2);
  for (Signature& signature : unlike) {
    for (uint32_t& place : signature) place = random.Next();
    std::fill_n(signature.begin(), kRows, 7u);  // all meet in the first band
  }
  const auto keepers = GroupSimilar(kCount, 70, [&](uint32_t i) -> const Signature& { return unlike[i]; });
  CHECK(keepers[kCount - 1] == kCount - 1);
}

TEST_CASE("a benchmark is found by its words and by its signatures") {
  BenchmarkIndex index(13);
  const std::string prompt =
      "/// Adds one to each odd element of a list of numbers and leaves the even ones.\nfn bump_odd_numbers(list: "
      "&[i64], by: i64) -> Vec<i64> {\n";
  index.AddTask("bump", prompt, {prompt, "assert_eq!(f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14), 15);"});
  const auto look = [&](std::string_view source) {
    std::vector<WordHash> words;
    std::vector<rust::Token> tokens;
    SplitWords(source, words);
    rust::LexRust(source, tokens);
    return index.Look(source, words, tokens).count;
  };
  CHECK(look("// adds one\n/* Adds one to each odd element of a list of numbers and leaves */") > 0);
  CHECK(look("pub fn bump_odd_numbers(list: &[i64], by: i64) -> Vec<i64> { todo!() }") == 1);
  CHECK(look("pub fn bump_odd_numbers(list: &[u8], by: i64) -> Vec<i64> { todo!() }") == 0);
  CHECK(look("fn bump_odd_numbers(&self, list: &[i64]) -> Vec<i64> { todo!() }") == 0);
  // Runs of numbers are everywhere.
  CHECK(look("const A: [u8; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];") == 0);
  CHECK(BenchmarkIndex(13).Look("fn f() {}", {}, {}).count == 0);
}

}  // namespace
}  // namespace pintle
