// A fixed pool of threads: spin a little, then sleep on a futex. Work is cut into independent items, so scheduling
// never shows in the numbers: an item may depend on its index, never on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace pintle {

/// Not thread-safe itself: one owner calls ParallelFor at a time, and items must not call it again on the same pool.
class ThreadPool {
 public:
  /// `threads` counts the caller too; 0 means DefaultThreads(). If the system starts fewer, threads() tells.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  /// Runs item(i) for each i in [0, count), in any order, on all threads; returns when all are done. Items are handed
  /// out one by one from a shared counter. An item must not throw.
  template <typename Item>
  void ParallelFor(int64_t count, const Item& item) {
    Run(count, [](const void* context, int64_t i, int /*thread*/) { (*static_cast<const Item*>(context))(i); }, &item);
  }

  /// As ParallelFor, with the number of the thread (0 .. threads-1) as a second argument: for scratch memory only.
  template <typename Item>
  void ParallelForWithThread(int64_t count, const Item& item) {
    Run(
        count, [](const void* context, int64_t i, int thread) { (*static_cast<const Item*>(context))(i, thread); },
        &item);
  }

 private:
  using Function = void (*)(const void* context, int64_t item, int thread);
  void Run(int64_t count, Function function, const void* context);

  int threads_;
  struct State;
  std::unique_ptr<State> state_;
};

/// The processors this process may run on (affinity respected), at least 1.
int DefaultThreads();

}  // namespace pintle
