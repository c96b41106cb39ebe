#include "serve/node/model_shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time.h"

namespace pintle {
namespace {

ApiError NoSuchModel(const std::string& name) {
  return {404, "there is no model '" + name + "'; GET /v1/models lists them", "model", "model_not_found"};
}

bool IsSame(const PlacedModel& a, const PlacedModel& b) {
  return a.path == b.path && a.bytes == b.bytes && a.modified == b.modified;
}

}  // namespace

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
    PINTLE_ASSIGN(entry.info, LanguageModel::Describe(spec.path, options.context, options.kv));
    entry.name = spec.name.empty() ? entry.info.name : spec.name;
    if (shelf->FindEntry(entry.name) != nullptr) {
      return UsageError("two models have the name '" + entry.name + "'", spec.path,
                        "name one of them: --model PATH=NAME");
    }
    shelf->entries_.push_back(std::move(entry));
  }
  shelf->loader_ = std::make_unique<Worker>();
  const std::lock_guard<std::mutex> lock(shelf->mutex_);
  const auto start = [self = shelf.get()](std::function<void()> task) {
    ++self->starting_;
    self->loader_->Post([self, run = std::move(task)] {
      run();
      const std::lock_guard<std::mutex> finished(self->mutex_);
      --self->starting_;
    });
  };
  if (!options.folder.empty()) start([self = shelf.get()] { self->LookNow(); });
  for (const Entry& entry : shelf->entries_) {
    bytes += shelf->BytesOf(entry);
    if (options.memory_limit > 0 && bytes > options.memory_limit) break;
    start([self = shelf.get(), name = entry.name] {
      self->LoadNow(name, [](const std::shared_ptr<EngineThread>&, double, const MaybeApiError&) {});
    });
  }
  return shelf;
}

ModelShelf::~ModelShelf() = default;

ModelShelf::Entry* ModelShelf::FindEntry(const std::string& name) {
  if (name.empty()) return entries_.empty() ? nullptr : &entries_.front();
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

int64_t ModelShelf::SlotsOf(const LanguageModelInfo& info) const {
  if (options_.memory_limit == 0) return options_.engine.slots;
  const int64_t fitting = (options_.memory_limit - info.weight_bytes) / std::max<int64_t>(info.kv_bytes, 1);
  return std::clamp<int64_t>(fitting, 1, options_.engine.slots);
}

int64_t ModelShelf::BytesOf(const Entry& entry) const {
  return entry.engine != nullptr ? entry.engine->memory_bytes()
                                 : entry.info.weight_bytes + SlotsOf(entry.info) * entry.info.kv_bytes;
}

ModelShelf::View ModelShelf::ViewOf(const Entry& entry) const {
  View view{entry.name, entry.info, entry.state, entry.reason, BytesOf(entry), entry.pinned, {}};
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

void ModelShelf::LookAround() {
  if (options_.folder.empty()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(looking_, true)) return;
  }
  loader_->Post([this] { LookNow(); });
}

// On the loader's thread. A model in memory stays as it is, whatever happens to its file.
void ModelShelf::LookNow() {
  const std::vector<PlacedModel> there = FindPlacedModels(options_.folder);
  const auto lies_there = [&](const PlacedModel& placed) {
    return std::any_of(there.begin(), there.end(), [&](const PlacedModel& each) { return IsSame(each, placed); });
  };
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    looking_ = false;
    entries_.remove_if([&](const Entry& e) { return e.placed && e.engine == nullptr && !lies_there(*e.placed); });
  }
  for (const PlacedModel& placed : there) {
    const bool known =
        std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.path == placed.path; });
    const auto refused = refused_.find(placed.path);
    if (!known && (refused == refused_.end() || !IsSame(refused->second, placed))) Take(placed);
  }
}

// A file on its way here is refused until it is whole: its size has changed by then.
void ModelShelf::Take(const PlacedModel& placed) {
  Entry entry;
  Status usable = [&]() -> Status {
    PINTLE_ASSIGN(entry.info, LanguageModel::Describe(placed.path, options_.context, options_.kv));
    const bool taken = std::count(options_.taken.begin(), options_.taken.end(), placed.name) > 0;
    if (taken || FindEntry(placed.name) != nullptr) {
      return UsageError("another model is served by the name '" + placed.name + "'", placed.path, "rename the file");
    }
    return {};
  }();
  if (!usable.ok()) {
    refused_.insert_or_assign(placed.path, placed);
    LogWarning("llm-node", "not served: " + usable.error().Message());
    return;
  }
  LogInfo("llm-node", placed.name + " is served from now on: " + placed.path);
  entry.path = placed.path;
  entry.name = placed.name;
  entry.reason = "not asked for yet";
  entry.placed = placed;
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.push_back(std::move(entry));
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
  Entry* const found = FindEntry(name);
  if (found == nullptr) {  // its file has gone since
    lock.unlock();
    return on_model(nullptr, 0, NoSuchModel(name));
  }
  Entry& entry = *found;
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
    PINTLE_ASSIGN(auto model, LanguageModel::Load(entry.path, options_.context, options_.threads, options_.kv));
    EngineThread::Options engine_options = options_.engine;
    engine_options.name = name;
    engine_options.slots = SlotsOf(model->info());
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
  entry.used = ++clock_;
  const auto loaded = entry.engine;
  LogInfo(
      "llm-node",
      fmt::format("{} loaded in {:.2f} s: {} for weights, keys and values of {} answers of {} positions", name, seconds,
                  HumanBytes(static_cast<double>(BytesOf(entry))), entry.engine->options().slots, entry.info.context));
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
  if (found.empty()) return on_model(nullptr, 0, NoSuchModel(name));
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
        return then(NoSuchModel(name));
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
