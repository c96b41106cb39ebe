// Counter-based random numbers: Philox4x32-10. A draw is a pure function of (seed, purpose, step, index), so no result
// depends on threads, order or time. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
#pragma once

#include <array>
#include <cstdint>

namespace pintle {

/// What the numbers are for; a value lives in checkpoints and datasets and never changes its meaning.
enum class Purpose : uint32_t {
  kInit = 1,      ///< weight initialisation
  kShuffle = 2,   ///< document order of an epoch
  kFim = 3,       ///< fill-in-the-middle splits
  kSample = 4,    ///< token sampling
  kMinHash = 5,   ///< MinHash permutations
  kTest = 6,      ///< tests and synthetic inputs
  kEval = 7,      ///< evaluation: choice of spans and samples
  kBackoff = 8,   ///< retry jitter (never reaches a result)
  kPuzzle = 9,    ///< generated puzzles (step = index of the puzzle)
  kAugment = 10,  ///< symmetries applied to puzzles
  kExplore = 11,  ///< how long a slot of a recursive model must go on
};

/// The raw block cipher: 128-bit counter, 64-bit key, ten rounds.
constexpr std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// Four 32-bit words for (seed, purpose, step, index). step and index may use all 64 and 32 bits; index counts blocks.
constexpr std::array<uint32_t, 4> RandomBlock(uint64_t seed, Purpose purpose, uint64_t step, uint32_t index) {
  return Philox4x32(
      {index, static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32), static_cast<uint32_t>(purpose)},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

/// Uniform in [0, 1) with 24 bits: exact in float.
constexpr float UniformFloat(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

/// Uniform in [0, bound) by the multiply-shift map (bias below bound / 2^32).
constexpr uint32_t UniformBelow(uint32_t bits, uint32_t bound) {
  return static_cast<uint32_t>((uint64_t{bits} * bound) >> 32);
}

/// A stream over the blocks of one (seed, purpose, step): Next() gives word after word. The position is part of
/// checkpoints.
class RandomStream {
 public:
  RandomStream(uint64_t seed, Purpose purpose, uint64_t step) : seed_(seed), purpose_(purpose), step_(step) {}
  uint32_t Next() {
    if (position_ % 4 == 0) block_ = RandomBlock(seed_, purpose_, step_, static_cast<uint32_t>(position_ / 4));
    return block_[position_++ % 4];
  }
  float NextFloat() { return UniformFloat(Next()); }
  uint32_t NextBelow(uint32_t bound) { return UniformBelow(Next(), bound); }

 private:
  uint64_t seed_;
  Purpose purpose_;
  uint64_t step_;
  uint64_t position_ = 0;
  std::array<uint32_t, 4> block_{};
};

}  // namespace pintle
