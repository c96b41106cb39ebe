// From a token of a shard, or a document of a split, back to the file, crate and licence that it came from. Reads only:
// shard index -> line of the dataset -> ledger row -> manifest of the source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "corpus/ledger.h"

namespace pintle {

/// Where a token or document comes from.
struct TraceResult {
  std::string split;               ///< "train"
  int64_t document = 0;            ///< line of the split's file, from 0
  int64_t token_in_document = -1;  ///< -1 when a document was asked for
  std::string text_sha256;         ///< of the normal form that the model sees
  LedgerRow row;
  std::string source_id;  ///< id of the source's manifest
  std::string origin;     ///< hashes of what the source was made of, URL or package, version, as its manifest notes
};

/// `split` is train, val or test. A line that is not there is a usage error that says how many there are.
Result<TraceResult> TraceDocument(const std::filesystem::path& work, const std::string& split, int64_t document);

/// `shard` is a file of WORK/shards ("train-00000.bin", with or without the suffix).
Result<TraceResult> TraceToken(const std::filesystem::path& work, const std::string& shard, int64_t token);

}  // namespace pintle
