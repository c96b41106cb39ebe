#include "base/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <atomic>
#include <thread>
#include <vector>

namespace pintle {
namespace {

// About 20 microseconds of spinning bridges the gaps between the kernels of one training step; then the thread sleeps.
constexpr int kSpins = 4000;

void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

struct ThreadPool::State {
  // One job at a time. `generation` announces a job (bit 0: stop); `running` counts workers that have not finished it.
  std::atomic<uint32_t> generation{0};
  std::atomic<int> running{0};
  std::atomic<int64_t> next{0};
  int64_t count = 0;
  Function function = nullptr;
  const void* context = nullptr;
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;

  void Drain(int thread) {
    for (int64_t i = next.fetch_add(1, std::memory_order_relaxed); i < count;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      function(context, i, thread);
    }
  }

  void Work(int thread) {
    uint32_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen; ++spin) CpuRelax();
      generation.wait(seen, std::memory_order_acquire);
      seen = generation.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      Drain(thread);
      if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) running.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads > 0 ? threads : DefaultThreads()), state_(new State) {
  for (int t = 1; t < threads_; ++t) state_->workers.emplace_back([this, t] { state_->Work(t); });
}

ThreadPool::~ThreadPool() {
  state_->stop.store(true, std::memory_order_relaxed);
  state_->generation.fetch_add(1, std::memory_order_release);
  state_->generation.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

void ThreadPool::Run(int64_t count, Function function, const void* context) {
  if (count <= 0) return;
  if (threads_ == 1 || count == 1) {
    for (int64_t i = 0; i < count; ++i) function(context, i, 0);
    return;
  }
  State& s = *state_;
  s.count = count;
  s.function = function;
  s.context = context;
  s.next.store(0, std::memory_order_relaxed);
  s.running.store(threads_ - 1, std::memory_order_relaxed);
  s.generation.fetch_add(1, std::memory_order_release);
  s.generation.notify_all();
  s.Drain(0);
  int left = s.running.load(std::memory_order_acquire);
  for (int spin = 0; spin < kSpins && left != 0; ++spin) {
    CpuRelax();
    left = s.running.load(std::memory_order_acquire);
  }
  while (left != 0) {
    s.running.wait(left, std::memory_order_acquire);
    left = s.running.load(std::memory_order_acquire);
  }
}

int DefaultThreads() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  const unsigned hardware = std::thread::hardware_concurrency();
  return hardware > 0 ? static_cast<int>(hardware) : 1;
}

}  // namespace pintle
