#include "serve/node/engine_thread.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time.h"

namespace pintle {

Result<std::unique_ptr<EngineThread>> EngineThread::Start(std::unique_ptr<LanguageModel> model,
                                                          const Options& options) {
  auto result = std::unique_ptr<EngineThread>(new EngineThread(std::move(model), options));
  PINTLE_RETURN_IF_ERROR(result->CreateEngine());
  result->thread_ = std::thread([thread = result.get()] { thread->Run(); });
  return result;
}

Status EngineThread::CreateEngine() {
  PINTLE_ASSIGN(engine_, Engine::Create(model_->decoder(), model_->tokens(), model_->pool(),
                                        {.slots = options_.slots, .pass_tokens = 256}));
  return {};
}

EngineThread::~EngineThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::optional<std::vector<int64_t>> EngineThread::Submit(std::vector<Job> jobs, const std::function<void()>& on_taken) {
  std::vector<int64_t> numbers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto free_slots = std::max<int64_t>(options_.slots - running_, 0);
    const auto wanted = static_cast<int64_t>(waiting_.size() + jobs.size());
    if (stopping_ || wanted > options_.queue + free_slots) return std::nullopt;
    on_taken();
    for (Job& job : jobs) {
      numbers.push_back(next_number_);
      waiting_.push_back({next_number_++, std::move(job), MonotonicSeconds()});
    }
  }
  wake_.notify_all();
  return numbers;
}

void EngineThread::Cancel(int64_t number) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_.push_back(number);
  }
  wake_.notify_all();
}

EngineThread::Load EngineThread::load() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {running_, static_cast<int64_t>(waiting_.size())};
}

int64_t EngineThread::memory_bytes() const {
  return model_->info().weight_bytes + options_.slots * model_->info().kv_bytes;
}

void EngineThread::Admit(Waiting waiting) {
  const double queued = MonotonicSeconds() - waiting.since;
  auto id = engine_->Submit(
      {std::move(waiting.job.prompt), std::move(waiting.job.options), waiting.job.on_text, waiting.job.on_token});
  if (!id.ok()) {
    waiting.job.on_done({{}, std::move(id).error(), queued});
    return;
  }
  active_.emplace(*id, Active{waiting.number, std::move(waiting.job.on_done), queued});
  engine_ids_.emplace(waiting.number, *id);
}

void EngineThread::Finish(int64_t engine_id, Completion completion, Status failure) {
  const auto found = active_.find(engine_id);
  if (found == active_.end()) return;
  const Active active = std::move(found->second);
  active_.erase(found);
  engine_ids_.erase(active.number);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = static_cast<int64_t>(active_.size());
  }
  active.on_done({std::move(completion), std::move(failure), active.queue_seconds});
}

// The engine itself failed: nothing that it holds can be trusted, so it begins anew.
void EngineThread::FailAll(const Error& error) {
  Log(LogLevel::kError, "llm-node", "decoding failed: " + error.Message());
  while (!active_.empty()) Finish(active_.begin()->first, {}, error);
  if (const Status created = CreateEngine(); !created.ok()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
}

void EngineThread::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !waiting_.empty() || !cancelled_.empty() || !active_.empty(); });
    const bool stopping = stopping_;
    std::vector<Waiting> dropped, admitted;
    std::vector<int64_t> cancelled = std::exchange(cancelled_, {});
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (stopping || std::find(cancelled.begin(), cancelled.end(), it->number) != cancelled.end()) {
        dropped.push_back(std::move(*it));
        it = waiting_.erase(it);
      } else {
        ++it;
      }
    }
    while (!waiting_.empty() && static_cast<int64_t>(active_.size() + admitted.size()) < options_.slots) {
      admitted.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    running_ = static_cast<int64_t>(active_.size() + admitted.size());
    lock.unlock();

    const Status gone = stopping ? Status(RuntimeError("the model is being taken down")) : Status();
    for (Waiting& waiting : dropped) waiting.job.on_done({{}, gone, MonotonicSeconds() - waiting.since});
    for (Waiting& waiting : admitted) Admit(std::move(waiting));
    for (const int64_t number : cancelled) {
      if (const auto found = engine_ids_.find(number); found != engine_ids_.end()) engine_->Cancel(found->second);
    }
    if (stopping) {
      for (const auto& [id, active] : active_) engine_->Cancel(id);
    }
    auto answers = engine_->Step();
    if (answers.ok()) {
      for (EngineAnswer& answer : *answers) {
        if (stopping) answer.failure = gone;
        Finish(answer.id, std::move(answer.completion), std::move(answer.failure));
      }
    } else {
      FailAll(answers.error());
    }
    lock.lock();
    running_ = static_cast<int64_t>(active_.size());
    if (stopping && active_.empty() && waiting_.empty()) return;
  }
}

}  // namespace pintle
