#include "corpus/trace.h"

#include <boost/json.hpp>

#include "base/json.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"
#include "formats/shard.h"

namespace pintle {
namespace fs = std::filesystem;

Result<TraceResult> TraceDocument(const fs::path& work, const std::string& split, int64_t document) {
  if (split != "train" && split != "val" && split != "test") {
    return UsageError("'" + split + "' is no split", "", "train, val or test");
  }
  const fs::path path = work / "dataset" / (split + ".jsonl.zst");
  PINTLE_ASSIGN(const Manifest dataset, ReadManifest(work / "dataset"));
  if (const auto count = dataset.counts.find(split + "_documents");
      document < 0 || count == dataset.counts.end() || document >= count->second) {
    return UsageError(
        "no document " + std::to_string(document), path.string(),
        "there are " + std::to_string(count == dataset.counts.end() ? 0 : count->second) + ", counted from 0");
  }
  PINTLE_ASSIGN(JsonlZstReader reader, JsonlZstReader::Open(path));
  std::string line;
  for (int64_t i = 0; i <= document; ++i) {
    PINTLE_ASSIGN(const bool more, reader.Next(line));
    if (!more) return ValidationError("fewer documents than the manifest says", path.string());
  }
  const std::string where = path.string() + ":" + std::to_string(document + 1);
  PINTLE_ASSIGN(const boost::json::value record, ParseJson(line, where));
  PINTLE_ASSIGN(const std::string source, JsonString(record, "source", where));
  PINTLE_ASSIGN(const std::string file, JsonString(record, "path", where));
  TraceResult result;
  result.split = split;
  result.document = document;
  PINTLE_ASSIGN(result.text_sha256, JsonString(record, "sha256", where));
  PINTLE_ASSIGN(const LedgerReader ledger, LedgerReader::Open(work / "filtered" / "ledger.sqlite"));
  PINTLE_ASSIGN(auto row, ledger.OfPath(source, file));
  if (!row) {
    return ValidationError("the ledger does not know " + source + "/" + file, where,
                           "run the stages again: `pintle m31r run`");
  }
  result.row = *std::move(row);
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(work / "raw" / source));
  result.source_id = manifest.Id();
  for (const auto& [name, id] : manifest.inputs) {
    result.origin += (result.origin.empty() ? "" : ", ") + name + " " + id;
  }
  for (const char* key : {"url", "package", "commit", "version"}) {
    const auto note = manifest.notes.find(key);
    if (note != manifest.notes.end() && !note->second.empty()) {
      result.origin += (result.origin.empty() ? "" : ", ") + std::string(key) + " " + note->second;
    }
  }
  return result;
}

Result<TraceResult> TraceToken(const fs::path& work, const std::string& shard, int64_t token) {
  const std::string name = shard.ends_with(".bin") ? shard : shard + ".bin";
  const size_t dash = name.rfind('-');
  if (dash == std::string::npos || name.find('/') != std::string::npos) {
    return UsageError("'" + shard + "' is no shard", (work / "shards").string(), "a name such as train-00000.bin");
  }
  PINTLE_ASSIGN(const ShardReader reader, ShardReader::Open(work / "shards" / name));
  const int64_t place = token < 0 ? -1 : reader.DocumentOf(static_cast<uint64_t>(token));
  if (place < 0) {
    return UsageError("no token " + std::to_string(token), name,
                      "the shard has " + std::to_string(reader.tokens()) + ", counted from 0");
  }
  const ShardDocument& document = reader.documents()[static_cast<size_t>(place)];
  PINTLE_ASSIGN(TraceResult result, TraceDocument(work, name.substr(0, dash), document.dataset_line));
  result.token_in_document = token - static_cast<int64_t>(document.token_begin);
  return result;
}

}  // namespace pintle
