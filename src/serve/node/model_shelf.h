// The models of a node: which there are, which are in memory, and what made room for what. Loads in the background and
// in order; under a memory limit the model that was used longest ago goes first, never a pinned one, never one at work.
//
// It deliberately reads only paths that the node was started with, and what lies in its folder: no request names a
// file.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/http/api_error.h"
#include "serve/http/worker.h"
#include "serve/node/engine_thread.h"
#include "serve/node/metrics.h"
#include "serve/node/placed_models.h"

namespace pintle {

/// A model to serve; `name` "" = as its file says.
struct ModelSpec {
  std::string path, name;
};

/// How models are held.
struct ShelfOptions {
  EngineThread::Options engine;
  int64_t context = kDefaultContext;           ///< positions of GGUF models at most; 0 = as their files say
  kernels::KvType kv = kernels::KvType::kF32;  ///< of cached keys and values
  int threads = 0;                             ///< for decoding; 0 = all
  int64_t memory_limit = 0;             ///< bytes of all models together; 0 = none. A model gets fewer slots to fit in
  std::string folder = {};              ///< models that lie here are served too, loaded when first asked for; "" = none
  std::vector<std::string> taken = {};  ///< names that those must not have: others serve them
};

/// Safe from any number of threads. Callbacks must not destroy the shelf.
class ModelShelf {
 public:
  /// Reads the headers of all models (two of one name are a usage error) and begins to load them, as far as the limit
  /// allows. `metrics` must outlive it.
  static Result<std::unique_ptr<ModelShelf>> Create(const std::vector<ModelSpec>& specs, const ShelfOptions& options,
                                                    Metrics& metrics);
  ~ModelShelf();

  enum class State : uint8_t { kUnloaded, kLoading, kLoaded, kFailed };
  /// One model as it is now.
  struct View {
    std::string name;
    LanguageModelInfo info;  ///< hashes only once it was loaded
    State state = State::kUnloaded;
    std::string reason;        ///< why it is not in memory
    int64_t memory_bytes = 0;  ///< what it takes, or would take
    bool pinned = false;
    EngineThread::Load load;
  };
  [[nodiscard]] std::vector<View> List() const;
  /// Looks into the folder soon, on another thread: what is new there is served from then on, what is gone no more.
  void LookAround();
  [[nodiscard]] std::optional<View> Find(const std::string& name) const;
  /// Every model that was to be loaded at the start is loaded or has failed.
  [[nodiscard]] bool ready() const;

  /// Calls back with the model in memory: at once on this thread, or after loading it on another; or with the reason
  /// why not. Name "" is the first model.
  using OnModel = std::function<void(std::shared_ptr<EngineThread>, double load_seconds, MaybeApiError)>;
  void Use(const std::string& name, OnModel on_model);
  /// Keeps a model in memory, or lets it go when room is wanted. False: there is none of that name.
  bool Pin(const std::string& name, bool pinned);
  /// Takes a model out of memory, its answers under way end with an error; calls back when that has happened.
  void Unload(const std::string& name, std::function<void(MaybeApiError)> on_done);

 private:
  struct Entry {
    std::string path, name;
    LanguageModelInfo info;
    State state = State::kUnloaded;
    std::string reason;
    bool pinned = false;
    uint64_t used = 0;                  ///< larger = later
    std::optional<PlacedModel> placed;  ///< it comes from the folder
    std::shared_ptr<EngineThread> engine;
  };
  ModelShelf(const ShelfOptions& options, Metrics& metrics) : options_(options), metrics_(&metrics) {}
  Entry* FindEntry(const std::string& name);
  [[nodiscard]] int64_t SlotsOf(const LanguageModelInfo& info) const;
  [[nodiscard]] int64_t BytesOf(const Entry& entry) const;
  void LookNow();
  void Take(const PlacedModel& placed);
  View ViewOf(const Entry& entry) const;
  void LoadNow(const std::string& name, const OnModel& on_model);
  MaybeApiError MakeRoom(const Entry& entry, std::vector<std::shared_ptr<EngineThread>>& freed);

  ShelfOptions options_;
  Metrics* metrics_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                    // after Create only the loader's thread adds and removes
  std::map<std::string, PlacedModel> refused_;  // by path; of the loader's thread
  bool looking_ = false;
  uint64_t clock_ = 0;
  int64_t starting_ = 0;
  std::unique_ptr<Worker> loader_;
};

/// "unloaded", "loading", "loaded", "failed".
std::string_view StateName(ModelShelf::State state);

}  // namespace pintle
