#include "models/trm/group_rows.h"

#include <algorithm>
#include <cstring>

namespace pintle {

void GroupRows::Gather(const float* natural, float* grouped) const {
  for (int64_t l = 0; l < length; ++l) {
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(grouped + (l * count + i) * width, natural + (i * length + l) * width,
                  static_cast<size_t>(width) * sizeof(float));
    }
  }
}

void GroupRows::Scatter(const float* grouped, float* natural) const {
  for (int64_t l = 0; l < length; ++l) {
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(natural + (i * length + l) * width, grouped + (l * count + i) * width,
                  static_cast<size_t>(width) * sizeof(float));
    }
  }
}

void EmbedGroup(const TrmConfig& config, const TrmWeights& weights, float scale, const TrmBatch& batch, int64_t first,
                const GroupRows& rows, float* e) {
  const int64_t width = config.width;
  for (int64_t l = 0; l < rows.length; ++l) {
    for (int64_t i = 0; i < rows.count; ++i, e += width) {
      const auto slot = static_cast<size_t>(first + i);
      const float* from = nullptr;
      if (l >= config.prefix) {
        const auto at = slot * static_cast<size_t>(config.cells) + static_cast<size_t>(l - config.prefix);
        from = weights.embed_tokens->weight.f32() + batch.inputs[at] * width;
      } else if (l == 0) {
        from = weights.puzzle_emb.data() + batch.puzzle_ids[slot] * width;
      } else {
        std::fill_n(e, width, 0.0f);
        continue;
      }
      for (int64_t d = 0; d < width; ++d) e[d] = scale * from[d];
    }
  }
}

}  // namespace pintle
