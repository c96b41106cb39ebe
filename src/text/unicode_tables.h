// Which code points are letters (\p{L}) and numbers (\p{N}): the tables behind pretokenizer.h. Unicode 15.0.0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pintle {

/// Both ends included.
struct CodepointRange {
  uint32_t first, last;
};

extern const CodepointRange kLetterRanges[];
extern const size_t kLetterRangesCount;
extern const CodepointRange kNumberRanges[];
extern const size_t kNumberRangesCount;

}  // namespace pintle
