// Held-out text: files of crates that no training shard holds (the dataset's test part). Reads them, chooses a sample,
// and measures the model's bits per byte beside the baselines' on the same bytes.
#pragma once

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/result.h"
#include "evaluate/fim.h"
#include "generate/generate.h"

namespace pintle {

/// The documents of a dataset folder's test.jsonl.zst, or of a .jsonl.zst file itself. A file without any is an error.
Result<std::vector<HeldOutDocument>> ReadHeldOut(const std::filesystem::path& path);

/// Documents in an order drawn from the seed, until their texts reach `most_bytes` together; those over 64 KiB are
/// passed over, so that one file does not stand for all. The last may go over the limit.
std::vector<HeldOutDocument> ChooseHeldOut(const std::vector<HeldOutDocument>& all, uint64_t seed, int64_t most_bytes);

/// "files", "bytes", "tokens", "model" (bits per byte), "zstd_19", "xz_9", "five_gram", "nats_per_token", "perplexity"
/// (per token, so only comparable within one vocabulary). The baselines see all files in one piece.
Result<boost::json::object> MeasureBitsPerByte(TextModel& model, const std::vector<HeldOutDocument>& documents,
                                               const std::function<void(int64_t)>& on_progress = {});

}  // namespace pintle
