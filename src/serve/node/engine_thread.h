// One thread that decodes for one model: requests come in from other threads, wait for a free slot, and their answers
// go out through callbacks. The engine itself (generate/engine.h) has one owner, which is this thread.
//
// It deliberately knows no HTTP and no JSON. What is waited for and how long is measured here: a request enters the
// engine only when a slot is free, so its queue time and its prompt time are apart.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "generate/engine.h"
#include "generate/language_model.h"

namespace pintle {

/// How one answer ended. `failure` is set when the server failed, not the client.
struct JobResult {
  Completion completion;
  Status failure;
  double queue_seconds = 0;
};

/// One answer that is wanted; the callbacks come from the engine's thread and must not block.
struct Job {
  std::vector<int32_t> prompt;  ///< checked against the model (prompts.h)
  SampleOptions options;
  TextModel::OnText on_text;
  TextModel::OnToken on_token;
  std::function<void(JobResult)> on_done;  ///< exactly once, also after Cancel and when the thread ends
};

/// Owns the thread, the engine and the model. Every method may be called from any thread except, for the destructor,
/// from a callback.
class EngineThread {
 public:
  /// How much it takes on.
  struct Options {
    int64_t slots = 8;      ///< answers under way at once
    int64_t queue = 64;     ///< answers that may wait
    std::string name = {};  ///< what the model is called here
  };
  static Result<std::unique_ptr<EngineThread>> Start(std::unique_ptr<LanguageModel> model, const Options& options);
  /// Ends what runs and waits (on_done comes with what there is) and joins.
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  [[nodiscard]] const LanguageModel& model() const { return *model_; }
  /// Takes all of them or, when the queue has no room, none. `on_taken` is called before any of their callbacks. The
  /// numbers are for Cancel.
  std::optional<std::vector<int64_t>> Submit(std::vector<Job> jobs, const std::function<void()>& on_taken);
  /// Ends an answer soon: what it has is its result. Unknown and finished numbers are passed over.
  void Cancel(int64_t number);

  /// What it has to do at the moment.
  struct Load {
    int64_t active = 0, waiting = 0;
  };
  [[nodiscard]] Load load() const;
  /// Memory that the engine has reserved: weights, and keys and values of every slot.
  [[nodiscard]] int64_t memory_bytes() const;
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  struct Waiting {
    int64_t number;
    Job job;
    double since;
  };
  struct Active {
    int64_t number;
    std::function<void(JobResult)> on_done;
    double queue_seconds;
  };
  EngineThread(std::unique_ptr<LanguageModel> model, const Options& options)
      : model_(std::move(model)), options_(options) {}
  Status CreateEngine();
  void Run();
  void Admit(Waiting waiting);
  void Finish(int64_t engine_id, Completion completion, Status failure);
  void FailAll(const Error& error);

  std::unique_ptr<LanguageModel> model_;
  Options options_;
  std::unique_ptr<Engine> engine_;         // the thread's own
  std::map<int64_t, Active> active_;       // by the engine's number; the thread's own
  std::map<int64_t, int64_t> engine_ids_;  // ours to the engine's; the thread's own

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  std::vector<int64_t> cancelled_;
  int64_t running_ = 0;  // entries of active_, for load()
  int64_t next_number_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pintle
