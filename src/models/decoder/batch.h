// One micro-batch of token rows, as the loader makes it and the decoder's training step takes it.
#pragma once

#include <cstdint>
#include <vector>

namespace pintle {

/// All vectors are [batch, time], row-major.
struct TokenBatch {
  int64_t batch = 0, time = 0;
  std::vector<int32_t> ids;
  std::vector<int32_t> targets;   ///< the next token, or -100: not scored
  std::vector<int32_t> document;  ///< number of the document within the row; attention stays inside a document
  std::vector<int32_t> position;  ///< position within the document, for RoPE; restarts at 0
};

}  // namespace pintle
