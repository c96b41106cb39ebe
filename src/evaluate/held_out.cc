#include "evaluate/held_out.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"
#include "evaluate/baselines.h"
#include "evaluate/estimator.h"
#include "formats/jsonl_zst.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;

Result<std::vector<HeldOutDocument>> ReadHeldOut(const fs::path& path) {
  std::error_code missing;
  const fs::path file = fs::is_directory(path, missing) ? path / "test.jsonl.zst" : path;
  if (!fs::exists(file, missing)) {
    return RuntimeError("no held-out documents", file.string(), "make them with: pintle m31r dataset --work DIR");
  }
  PINTLE_ASSIGN(JsonlZstReader reader, JsonlZstReader::Open(file));
  std::vector<HeldOutDocument> documents;
  std::string line;
  while (true) {
    PINTLE_ASSIGN(const bool more, reader.Next(line));
    if (!more) break;
    PINTLE_ASSIGN(const json::value value, ParseJson(line, file.string()));
    HeldOutDocument document;
    PINTLE_ASSIGN(document.crate, JsonString(value, "crate", file.string()));
    PINTLE_ASSIGN(document.path, JsonString(value, "path", file.string()));
    PINTLE_ASSIGN(document.sha256, JsonString(value, "sha256", file.string()));
    PINTLE_ASSIGN(document.text, JsonString(value, "text", file.string()));
    documents.push_back(std::move(document));
  }
  if (documents.empty()) return ValidationError("no documents", file.string());
  return documents;
}

std::vector<HeldOutDocument> ChooseHeldOut(const std::vector<HeldOutDocument>& all, uint64_t seed, int64_t most_bytes) {
  constexpr size_t kLargest = 64 << 10;
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].text.empty() || all[i].text.size() > kLargest) continue;
    // By content and path, so that the draw does not depend on the order of the file.
    const auto words = RandomBlock(seed, Purpose::kEval, Fnv1a(all[i].path, Fnv1a(all[i].sha256)), 1);
    order.emplace_back(static_cast<uint64_t>(words[1]) << 32 | words[0], i);
  }
  std::sort(order.begin(), order.end());
  std::vector<HeldOutDocument> chosen;
  int64_t bytes = 0;
  for (const auto& [draw, index] : order) {
    if (bytes >= most_bytes) break;
    chosen.push_back(all[index]);
    bytes += static_cast<int64_t>(all[index].text.size());
  }
  return chosen;
}

Result<json::object> MeasureBitsPerByte(TextModel& model, const std::vector<HeldOutDocument>& documents,
                                        const std::function<void(int64_t)>& on_progress) {
  constexpr double kLn2 = 0.693147180559945309417;
  TextScore sum;
  std::string together;
  for (const HeldOutDocument& document : documents) {
    if (Interrupted()) return RuntimeError("interrupted");
    PINTLE_ASSIGN(const TextScore score, model.Score(document.text));
    sum.nats += score.nats;
    sum.tokens += score.tokens;
    sum.bytes += score.bytes;
    together += document.text;
    if (on_progress) on_progress(sum.bytes);
  }
  if (sum.bytes == 0 || sum.tokens == 0) return ValidationError("the held-out documents are empty");
  PINTLE_ASSIGN(const double zstd, ZstdBitsPerByte(together));
  PINTLE_ASSIGN(const double xz, XzBitsPerByte(together));
  const double per_token = sum.nats / static_cast<double>(sum.tokens);
  json::object result{{"files", static_cast<int64_t>(documents.size())}, {"bytes", sum.bytes}, {"tokens", sum.tokens}};
  result["model"] = sum.nats / kLn2 / static_cast<double>(sum.bytes);
  result["zstd_19"] = zstd;
  result["xz_9"] = xz;
  result["five_gram"] = FiveGramBitsPerByte(together);
  result["nats_per_token"] = per_token;
  result["perplexity"] = Exp2(std::min(per_token / kLn2, 999.0));
  return result;
}

}  // namespace pintle
