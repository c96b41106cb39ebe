#include "corpus/minhash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"

// One compiled loop for each instruction set of x86; integers, so all give the same bits.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define PINTLE_CLONES __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define PINTLE_CLONES
#endif

namespace pintle {
namespace {

struct Permutations {
  std::array<uint32_t, kPermutations> multiply, add;
  Permutations() {
    for (int i = 0; i < kPermutations; ++i) {
      const auto block = RandomBlock(0, Purpose::kMinHash, 0, static_cast<uint32_t>(i));
      multiply[i] = block[0] | 1;
      add[i] = block[1];
    }
  }
};

const Permutations& Fixed() {
  static const Permutations permutations;
  return permutations;
}

constexpr std::array<bool, 256> kWordBytes = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
  }
  return table;
}();

uint64_t Mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}

PINTLE_CLONES void Update(const uint32_t* shingles, size_t count, const uint32_t* multiply, const uint32_t* add,
                          uint32_t* signature) {
  // A block of places stays in registers while all shingles pass.
  constexpr int kBlock = 64;
  for (int block = 0; block < kPermutations; block += kBlock) {
    uint32_t m[kBlock], a[kBlock], best[kBlock];
    for (int i = 0; i < kBlock; ++i) {
      m[i] = multiply[block + i];
      a[i] = add[block + i];
      best[i] = signature[block + i];
    }
    for (size_t s = 0; s < count; ++s) {
      const uint32_t x = shingles[s];
      for (int i = 0; i < kBlock; ++i) {
        const uint32_t value = m[i] * x + a[i];
        best[i] = value < best[i] ? value : best[i];
      }
    }
    for (int i = 0; i < kBlock; ++i) signature[block + i] = best[i];
  }
}

uint64_t BandKey(const Signature& signature, int band) {
  return XXH3_64bits_withSeed(signature.data() + band * kRows, kRows * sizeof(uint32_t), static_cast<uint64_t>(band));
}

class Groups {
 public:
  explicit Groups(uint32_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t Root(uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Root(a);
    b = Root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parent_;
};

}  // namespace

void SplitWords(std::string_view text, std::vector<WordHash>& words) {
  words.clear();
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && !kWordBytes[bytes[at]]) ++at;
    const size_t begin = at;
    while (at < text.size() && kWordBytes[bytes[at]]) ++at;
    if (at == begin) break;
    words.push_back({XXH3_64bits(bytes + begin, at - begin), bytes[begin] >= '0' && bytes[begin] <= '9'});
  }
}

void MinHash(const std::vector<WordHash>& words, Signature& signature) {
  signature.fill(~0u);
  constexpr size_t kBatch = 1024;
  uint32_t shingles[kBatch];
  const size_t count = words.size() < kShingleWords ? 1 : words.size() - kShingleWords + 1;
  const Permutations& fixed = Fixed();
  for (size_t begin = 0; begin < count; begin += kBatch) {
    const size_t size = std::min(kBatch, count - begin);
    for (size_t s = 0; s < size; ++s) {
      uint64_t hash = 0;
      const size_t last = std::min(words.size(), begin + s + kShingleWords);
      for (size_t w = begin + s; w < last; ++w) hash = (hash ^ words[w].hash) * 0x9e3779b97f4a7c15u;
      shingles[s] = static_cast<uint32_t>(Mix(hash) >> 32);
    }
    Update(shingles, size, fixed.multiply.data(), fixed.add.data(), signature.data());
  }
}

int EqualPlaces(const Signature& a, const Signature& b) {
  int equal = 0;
  for (int i = 0; i < kPermutations; ++i) equal += a[i] == b[i] ? 1 : 0;
  return equal;
}

std::vector<uint32_t> GroupSimilar(uint32_t count, int64_t percent,
                                   const std::function<const Signature&(uint32_t)>& get) {
  // Members of a bucket are compared with one member of each group that is already in it; a bucket of many unlike files
  // is cut off, since a hostile one could otherwise cost quadratic time.
  constexpr size_t kMaxGroups = 256;
  const int places = PlacesOfPercent(percent);
  Groups groups(count);
  std::vector<std::pair<uint64_t, uint32_t>> keys(count);
  std::vector<uint32_t> heads;
  for (int band = 0; band < kBands; ++band) {
    for (uint32_t i = 0; i < count; ++i) keys[i] = {BandKey(get(i), band), i};
    std::sort(keys.begin(), keys.end());
    for (size_t begin = 0; begin < keys.size();) {
      size_t end = begin + 1;
      while (end < keys.size() && keys[end].first == keys[begin].first) ++end;
      heads.assign(1, keys[begin].second);
      for (size_t k = begin + 1; k < end; ++k) {
        const uint32_t member = keys[k].second;
        bool found = std::any_of(heads.begin(), heads.end(),
                                 [&](uint32_t head) { return groups.Root(head) == groups.Root(member); });
        for (size_t h = 0; h < heads.size() && !found; ++h) {
          found = EqualPlaces(get(heads[h]), get(member)) >= places;
          if (found) groups.Join(heads[h], member);
        }
        if (!found && heads.size() < kMaxGroups) heads.push_back(member);
      }
      begin = end;
    }
  }
  std::vector<uint32_t> keeper(count);
  for (uint32_t i = 0; i < count; ++i) keeper[i] = groups.Root(i);
  return keeper;
}

void SimilarityIndex::Add(const Signature& signature) {
  if (bands_.empty()) bands_.resize(kBands);
  const auto index = static_cast<uint32_t>(signatures_.size());
  signatures_.push_back(signature);
  for (int band = 0; band < kBands; ++band) bands_[band].push_back({BandKey(signature, band), index});
}

void SimilarityIndex::Finish() {
  for (auto& band : bands_) {
    std::sort(band.begin(), band.end(),
              [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; });
  }
}

int64_t SimilarityIndex::Find(const Signature& signature, int64_t percent) const {
  const int places = PlacesOfPercent(percent);
  int64_t best = -1;
  for (size_t band = 0; band < bands_.size(); ++band) {
    const uint64_t key = BandKey(signature, static_cast<int>(band));
    auto entry = std::lower_bound(bands_[band].begin(), bands_[band].end(), key,
                                  [](const Entry& e, uint64_t k) { return e.key < k; });
    for (; entry != bands_[band].end() && entry->key == key; ++entry) {
      if (best >= 0 && entry->index >= best) break;
      if (EqualPlaces(signatures_[entry->index], signature) >= places) best = entry->index;
    }
  }
  return best;
}

}  // namespace pintle
