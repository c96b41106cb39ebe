#include "generate/score.h"

#include <algorithm>

#include "base/interrupt.h"

namespace pintle {
namespace {

constexpr int32_t kNotScored = -100;
constexpr int64_t kRound = 128;  // window lengths are multiples of this, so that few shapes are planned

}  // namespace

Result<TextScore> ScoreText(Decoder& decoder, const Tokenizer& tokenizer, std::string_view text) {
  TextScore score;
  score.bytes = static_cast<int64_t>(text.size());
  std::vector<int32_t> ids = tokenizer.Encode(text);
  score.tokens = static_cast<int64_t>(ids.size());
  const int32_t end = tokenizer.end_of_text();
  if (end < 0) return ValidationError("the model's tokenizer has no end-of-text token");
  ids.insert(ids.begin(), end);
  const int64_t context = decoder.config().context;
  const int64_t step = std::max<int64_t>(context / 2, 1);
  int64_t scored = 0;  // targets ids[1 .. scored] are done
  for (int64_t begin = 0; scored < score.tokens; begin += step) {
    if (Interrupted()) return RuntimeError("interrupted");
    const int64_t inputs = std::min(context, score.tokens - begin);
    const int64_t time = std::min(context, (inputs + kRound - 1) / kRound * kRound);
    TokenBatch window{1, time, {}, {}, {}, {}};
    for (int64_t i = 0; i < time; ++i) {
      const bool real = i < inputs;
      const auto at = static_cast<size_t>(begin + i);
      const bool fresh = real && begin + i + 1 > scored;
      window.ids.push_back(real ? ids[at] : end);
      window.targets.push_back(fresh ? ids[at + 1] : kNotScored);
      window.document.push_back(real ? 0 : 1);
      window.position.push_back(static_cast<int32_t>(real ? i : i - inputs));
    }
    PINTLE_RETURN_IF_ERROR(decoder.LossSum(window, score.nats));
    scored = begin + inputs;
  }
  return score;
}

}  // namespace pintle
