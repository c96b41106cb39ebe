#include "evaluate/baselines.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace pintle {
namespace {

std::string RandomBytes(size_t size) {
  RandomStream random(1, Purpose::kTest, 0);
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random.Next());
  return bytes;
}

TEST_CASE("random bytes cost eight bits, repeated ones nearly nothing") {
  const std::string noise = RandomBytes(100000), same(100000, 'x');
  CHECK(*ZstdBitsPerByte(noise) == doctest::Approx(8).epsilon(0.01));
  CHECK(*XzBitsPerByte(noise) == doctest::Approx(8).epsilon(0.01));
  CHECK(FiveGramBitsPerByte(noise) > 7.9);
  CHECK(*ZstdBitsPerByte(same) < 0.01);
  CHECK(*XzBitsPerByte(same) < 0.05);
  CHECK(FiveGramBitsPerByte(same) < 0.05);
  CHECK(*ZstdBitsPerByte("") == 0);
}

// "aab" by hand. a: 1/256. a: order 0 has a once: (1 + 1/256) / 2; order 1 is new. b: order 0 has a twice, one
// follower: (0 + 1/256) / 3; order 1, context a, has a once: (0 + that) / 2; order 2 is new.
TEST_CASE("the 5-gram model follows its formula") {
  const double second = (1 + 1.0 / 256) / 2, third = 1.0 / 256 / 3 / 2;
  CHECK(FiveGramBitsPerByte("a") == doctest::Approx(8));
  const double product = 1.0 / 256 * second * third;
  double bits = 0;
  for (double x = product; x < 1; x *= 2) ++bits;
  CHECK(FiveGramBitsPerByte("aab") * 3 <= bits);
  CHECK(FiveGramBitsPerByte("aab") * 3 > bits - 1);
}

}  // namespace
}  // namespace pintle
