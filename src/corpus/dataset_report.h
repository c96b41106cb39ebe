// The quality report of a dataset: added up document by document, written as report.json. Integers only, so that the
// report is part of what is hashed.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "corpus/dataset.h"
#include "formats/manifest.h"

namespace pintle {

/// Sums over documents. Sums of parts add up to the sum of the whole, in any order.
struct TextSums {
  int64_t documents = 0, bytes = 0, lines = 0, blank_lines = 0, comment_lines = 0;
  std::array<int64_t, 256> byte_counts{};

  void Add(std::string_view text);
  void Add(const TextSums& other);
};

/// Thousandths of a bit per byte that a code of single bytes needs (order-0 entropy), rounded down.
int64_t EntropyMilliBits(const std::array<int64_t, 256>& counts);

/// log2(x) in 1/65536, rounded down, for x >= 1. Exact in integers.
int64_t Log2Fixed(uint64_t x);

/// What report.json says.
struct DatasetReport {
  std::array<TextSums, kSplits> splits;
  /// Files and bytes of one group.
  struct Share {
    int64_t documents = 0, bytes = 0;
  };
  std::map<std::string, Share> licences;
  /// Files and bytes of one crate.
  struct CrateShare {
    Split split = Split::kTrain;
    Share share;
  };
  std::map<std::string, CrateShare> crates;
  std::map<std::string, Share> sources;
  std::array<int64_t, kSplits> left_out{};

  /// With the counts of the filter's manifest: how many files each rule took, in rates.
  [[nodiscard]] std::string ToJson(const Manifest& filtered) const;
};

}  // namespace pintle
