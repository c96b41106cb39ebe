#include "serve/node/model_shelf.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/time.h"

namespace pintle {

std::string_view StateName(ModelShelf::State state) {
  switch (state) {
    case ModelShelf::State::kUnloaded:
      return "unloaded";
    case ModelShelf::State::kLoading:
      return "loading";
    case ModelShelf::State::kLoaded:
      return "loaded";
    case ModelShelf::State::kFailed:
      return "failed";
  }
  return "?";
}

Result<std::unique_ptr<ModelShelf>> ModelShelf::Create(const std::vector<ModelSpec>& specs, const ShelfOptions& options,
                                                       Metrics& metrics) {
  auto shelf = std::unique_ptr<ModelShelf>(new ModelShelf(options, metrics));
  int64_t bytes = 0;
  for (const ModelSpec& spec : specs) {
    Entry entry;
    entry.path = spec.path;
    PINTLE_ASSIGN(entry.info, LanguageModel::Describe(spec.path, options.context));
    entry.name = spec.name.empty() ? entry.info.name : spec.name;
    if (shelf->FindEntry(entry.name) != nullptr) {
      return UsageError("two models have the name '" + entry.name + "'", spec.path,
                        "name one of them: --model PATH=NAME");
    }
    shelf->entries_.push_back(std::move(entry));
  }
  shelf->loader_ = std::make_unique<Worker>();
  for (const Entry& entry : shelf->entries_) {
    bytes += shelf->BytesOf(entry);
    if (options.memory_limit > 0 && bytes > options.memory_limit) break;
    const std::lock_guard<std::mutex> lock(shelf->mutex_);
    ++shelf->starting_;
    shelf->loader_->Post([self = shelf.get(), name = entry.name] {
      self->LoadNow(name, [](const std::shared_ptr<EngineThread>&, double, const MaybeApiError&) {});
      const std::lock_guard<std::mutex> finished(self->mutex_);
      --self->starting_;
    });
  }
  return shelf;
}

ModelShelf::~ModelShelf() = default;

ModelShelf::Entry* ModelShelf::FindEntry(const std::string& name) {
  if (name.empty()) return entries_.empty() ? nullptr : entries_.data();
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

int64_t ModelShelf::BytesOf(const Entry& entry) const {
  return entry.engine != nullptr ? entry.engine->memory_bytes()
                                 : entry.info.weight_bytes + options_.engine.slots * entry.info.kv_bytes;
}

ModelShelf::View ModelShelf::ViewOf(const Entry& entry) const {
  View view{entry.name,  entry.info,    entry.state, entry.reason, BytesOf(entry), entry.pinned,
            entry.chats, entry.infills, {}};
  if (entry.engine != nullptr) view.load = entry.engine->load();
  return view;
}

std::vector<ModelShelf::View> ModelShelf::List() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<View> views;
  views.reserve(entries_.size());
  for (const Entry& entry : entries_) views.push_back(ViewOf(entry));
  return views;
}

std::optional<ModelShelf::View> ModelShelf::Find(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.name == name) return ViewOf(entry);
  }
  return std::nullopt;
}

bool ModelShelf::ready() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return starting_ == 0;
}

bool ModelShelf::Pin(const std::string& name, bool pinned) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Entry* entry = FindEntry(name);
  if (entry != nullptr) entry->pinned = pinned;
  return entry != nullptr;
}

// Takes idle models out, the one used longest ago first, until `wanted` fits. The caller holds the lock and lets the
// engines go after it.
MaybeApiError ModelShelf::MakeRoom(const Entry& wanted, std::vector<std::shared_ptr<EngineThread>>& freed) {
  if (options_.memory_limit == 0) return {};
  while (true) {
    int64_t bytes = BytesOf(wanted);
    Entry* oldest = nullptr;
    for (Entry& entry : entries_) {
      if (entry.engine == nullptr) continue;
      bytes += BytesOf(entry);
      const EngineThread::Load load = entry.engine->load();
      if (entry.pinned || load.active + load.waiting > 0) continue;
      if (oldest == nullptr || entry.used < oldest->used) oldest = &entry;
    }
    if (bytes <= options_.memory_limit) return {};
    if (oldest == nullptr) {
      return ApiError{503,
                      fmt::format("'{}' does not fit: with what is pinned or at work it would take {} bytes, the limit "
                                  "is {}",
                                  wanted.name, bytes, options_.memory_limit),
                      "model", "no_memory"};
    }
    freed.push_back(std::move(oldest->engine));
    oldest->engine = nullptr;
    oldest->state = State::kUnloaded;
    oldest->reason =
        fmt::format("made room for '{}' under the memory limit of {} bytes", wanted.name, options_.memory_limit);
    LogInfo("llm-node", oldest->name + " left memory: it " + oldest->reason);
    metrics_->CountUnload(oldest->name, "memory");
  }
}

// On the loader's thread, the only one that changes `engine`.
void ModelShelf::LoadNow(const std::string& name, const OnModel& on_model) {
  std::vector<std::shared_ptr<EngineThread>> freed;
  std::unique_lock<std::mutex> lock(mutex_);
  Entry& entry = *FindEntry(name);
  if (entry.engine != nullptr) {
    const auto engine = entry.engine;
    lock.unlock();
    return on_model(engine, 0, {});
  }
  if (auto full = MakeRoom(entry, freed)) {
    lock.unlock();
    return on_model(nullptr, 0, std::move(full));
  }
  entry.state = State::kLoading;
  lock.unlock();
  freed.clear();
  const double start = MonotonicSeconds();
  auto engine = [&]() -> Result<std::unique_ptr<EngineThread>> {
    PINTLE_ASSIGN(auto model, LanguageModel::Load(entry.path, options_.context, options_.threads));
    EngineThread::Options engine_options = options_.engine;
    engine_options.name = name;
    return EngineThread::Start(std::move(model), engine_options);
  }();
  const double seconds = MonotonicSeconds() - start;
  lock.lock();
  if (!engine.ok()) {
    entry.state = State::kFailed;
    entry.reason = engine.error().what;
    lock.unlock();
    Log(LogLevel::kError, "llm-node", name + " was not loaded: " + engine.error().Message());
    return on_model(
        nullptr, 0,
        ApiError{503, "the model could not be loaded: " + engine.error().what, "model", "model_not_loaded"});
  }
  entry.engine = std::move(*engine);
  entry.info = entry.engine->model().info();
  entry.state = State::kLoaded;
  entry.reason.clear();
  entry.chats = entry.engine->model().description().chats();
  entry.infills = entry.engine->model().fim().complete();
  entry.used = ++clock_;
  const auto loaded = entry.engine;
  LogInfo(
      "llm-node",
      fmt::format("{} loaded in {:.2f} s: {} for weights, keys and values of {} answers of {} positions", name, seconds,
                  HumanBytes(static_cast<double>(BytesOf(entry))), options_.engine.slots, entry.info.context));
  lock.unlock();
  on_model(loaded, seconds, {});
}

void ModelShelf::Use(const std::string& name, OnModel on_model) {
  std::shared_ptr<EngineThread> engine;
  std::string found;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (Entry* entry = FindEntry(name)) {
      entry->used = ++clock_;
      engine = entry->engine;
      found = entry->name;
    }
  }
  if (found.empty()) {
    return on_model(
        nullptr, 0,
        ApiError{404, "there is no model '" + name + "'; GET /v1/models lists them", "model", "model_not_found"});
  }
  if (engine != nullptr) return on_model(engine, 0, {});
  loader_->Post([this, found, then = std::move(on_model)] { LoadNow(found, then); });
}

void ModelShelf::Unload(const std::string& name, std::function<void(MaybeApiError)> on_done) {
  loader_->Post([this, name, then = std::move(on_done)] {
    std::shared_ptr<EngineThread> freed;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      Entry* entry = FindEntry(name);
      if (entry == nullptr || name.empty()) {
        return then(ApiError{404, "there is no model '" + name + "'", "model", "model_not_found"});
      }
      freed = std::move(entry->engine);
      entry->engine = nullptr;
      entry->state = State::kUnloaded;
      entry->reason = "unloaded by a request";
      if (freed != nullptr) metrics_->CountUnload(name, "request");
    }
    freed.reset();
    then({});
  });
}

}  // namespace pintle
