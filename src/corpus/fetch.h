// Downloads over HTTP(S) by net/transfer.h: resumable, retried with back-off, SHA-256 checked, stored under the hash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Patience and limits of a download.
struct FetchOptions {
  int64_t attempts = 4;          ///< of each address
  double backoff_seconds = 0.5;  ///< doubles with each attempt
  double connect_timeout_seconds = 15;
  double stall_seconds = 30;  ///< gives up on a transfer slower than 1 kB/s for this long
  int64_t max_bytes = int64_t{8} << 30;
};

/// Brings a file into `store` and returns its path, `store/SHA256`. Addresses (http, https, file) are tried in order.
/// With a pinned `sha256` a file already there is used, and other content is a validation error; without ("") whatever
/// arrives is stored under its hash. A broken transfer leaves `store/KEY.part`, from which the next attempt goes on,
/// and with a pin the next call too.
Result<std::filesystem::path> FetchToStore(const std::vector<std::string>& urls, const std::string& sha256,
                                           const std::filesystem::path& store, const FetchOptions& options);

/// A small document (an index entry) in memory; at most 64 MiB.
Result<std::string> FetchText(const std::string& url, const FetchOptions& options);

}  // namespace pintle
