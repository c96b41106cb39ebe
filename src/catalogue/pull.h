// Fetching a model: what a name or an address means, the token for the hub, and the lock that makes a second pull bring
// the same bytes. PullJobs does it in the background for a server.
//
// Where it stands: cli/pull.cc and serve/gateway -> this -> download.h, store.h.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "catalogue/catalogue.h"
#include "catalogue/store.h"

namespace pintle {

/// What a pull fetches.
struct PullSource {
  std::string id;  ///< of the catalogue, else the file's name without its ending
  std::string url;
  std::string file;    ///< NAME.gguf
  std::string page;    ///< where a person reads about it; "" for plain addresses
  std::string sha256;  ///< if known beforehand
  int64_t bytes = 0;   ///< if known beforehand
};

/// Where the hub is, and the user's token for it ("" = none). The token never goes to another host.
struct Hub {
  std::string url = "https://huggingface.co";
  std::string token;
};
/// $HF_ENDPOINT and $HF_TOKEN.
Hub HubFromEnvironment();

/// `what` is an id of the catalogue, hf:OWNER/NAME/FILE.gguf (FILE may lie in folders), or an address of a .gguf file.
Result<PullSource> FindPullSource(const std::string& what, const std::vector<CatalogueModel>& models, const Hub& hub);

/// How a pull is done.
struct PullOptions {
  Hub hub;
  std::string sha256;       ///< that the file must have, over what is known otherwise
  bool plain_http = false;  ///< allow http:// to other machines
  double backoff_seconds = 0.5;
  std::function<bool()> stop;
  std::function<void(int64_t done, int64_t total)> progress;
};

/// Fetches a model into the store, or goes on with that, checks hash and GGUF header, and writes its lock. One that is
/// here and verified stays as it is; one that is here unverified is hashed and compared.
Result<ModelFile> PullModel(const PullSource& source, const ModelStore& store, const PullOptions& options);

/// Hashes a model of the store again and compares with its lock (or `sha256`, if it is given); writes the lock anew.
/// Returns the hash.
Result<std::string> VerifyStored(const std::string& file, const ModelStore& store, const std::string& sha256);

/// A model of the catalogue as it stands now: one row of `pintle models` and of GET /v1/catalogue.
struct CatalogueRow {
  const CatalogueModel* model = nullptr;
  ModelFile file;
  bool fits = false;    ///< its ram_bytes into UsableMemory
  std::string state;    ///< ModelStateName, or "waiting", "pulling"
  double progress = 0;  ///< share of the bytes that are here
  std::string problem;  ///< why the last pull failed, else ""
};
CatalogueRow MakeCatalogueRow(const CatalogueModel& model, const ModelStore& store);
/// {"id","name","size_bytes","ram_bytes","licence","gated","fits","state","progress"[,"problem"]}
std::string CatalogueRowJson(const CatalogueRow& row);

/// Pulls models of the catalogue one after the other on a thread of its own. Every call is thread-safe and short; the
/// destructor stops what is under way (it goes on with the next pull).
class PullJobs {
 public:
  PullJobs(std::vector<CatalogueModel> models, ModelStore store, PullOptions options);
  ~PullJobs();
  PullJobs(const PullJobs&) = delete;
  PullJobs& operator=(const PullJobs&) = delete;

  /// Puts a pull on the list, unless it stands there already. An id that is not in the catalogue: usage error.
  Status Start(const std::string& id);
  /// Every model of the catalogue, in its order.
  [[nodiscard]] std::vector<CatalogueRow> Rows() const;

 private:
  void Work();

  const std::vector<CatalogueModel> models_;
  const ModelStore store_;
  PullOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<const CatalogueModel*> waiting_;  // the first one is under way while `pulling_`
  bool pulling_ = false, stopping_ = false;
  std::map<std::string, std::string> problems_;  // by id
  std::thread thread_;
};

}  // namespace pintle
