// A large file from one address to one place on disk: goes on where a broken connection stopped, notices a file that
// changed meanwhile, checks space beforehand and the hash afterwards, and puts the file in place in one step.
//
// Where it stands: pull.h -> this -> net/transfer.h. It knows no hub and no catalogue.
// On disk: TARGET.part grows; TARGET.part.json says of which address, of how many bytes, and of which version of the
// file (the server's validator) it is a part. Killed anywhere, the next call goes on, or begins anew where it must.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "net/transfer.h"

namespace pintle {

/// What to fetch, and how patiently.
struct DownloadRequest {
  std::string url;
  std::filesystem::path target;
  std::string sha256;  ///< that it must have; "": the one that the hub states, if it does
  int64_t bytes = 0;   ///< that it must have; 0: as many as the server says
  std::string bearer;  ///< token for the address' own host
  bool plain_http = false;
  int64_t attempts = 5;  ///< in a row that bring no byte
  double backoff_seconds = 0.5;
  double connect_seconds = 15, stall_seconds = 30;
  std::function<bool()> stop;                                 ///< true: end, and keep what came
  std::function<void(int64_t done, int64_t total)> progress;  ///< several times a second, on the calling thread
  std::function<Status(const std::filesystem::path&)> check;  ///< of the whole file before it is put in place
};

/// How it ended well.
struct DownloadResult {
  std::string sha256;
  int64_t bytes = 0;
};

/// A failed download: `http_status` is the server's answer where that is the reason, else 0.
struct DownloadFailure {
  int http_status = 0;
};

/// Fetches on the calling thread. Two processes that want the same file: the second gets an error. `failure`, if given,
/// is filled in when the result is an error.
Result<DownloadResult> DownloadFile(const DownloadRequest& request, DownloadFailure* failure = nullptr);

}  // namespace pintle
