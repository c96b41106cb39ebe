#include "base/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <atomic>
#include <system_error>
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

// A job is a section with a gate. Workers that are awake walk in while it is open; the caller works too, and closes the
// gate when no item is left, so it waits only for workers that are inside, never for one that the system has not
// scheduled yet. On a busy machine that is the difference between microseconds and time slices.
struct ThreadPool::State {
  static constexpr int kClosed = 1 << 30;
  std::atomic<uint32_t> generation{0};  // announces a job
  std::atomic<int> inside{kClosed};     // workers in the section; kClosed: nobody else may enter
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

  // Whoever is inside sees the fields of the open job: they change only while the gate is closed and nobody is inside.
  bool Enter() {
    int now = inside.load(std::memory_order_acquire);
    while ((now & kClosed) == 0) {
      if (inside.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  void Work(int thread) {
    uint32_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen; ++spin) CpuRelax();
      generation.wait(seen, std::memory_order_acquire);
      seen = generation.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      if (!Enter()) continue;
      Drain(thread);
      if (inside.fetch_sub(1, std::memory_order_acq_rel) == kClosed + 1) inside.notify_one();
    }
  }
};

// Where the system has no threads, or no more of them, the pool is smaller than asked for: only time depends on it.
ThreadPool::ThreadPool(int threads) : threads_(1), state_(new State) {
#if !defined(__EMSCRIPTEN__) || defined(__EMSCRIPTEN_PTHREADS__)
  const int wanted = threads > 0 ? threads : DefaultThreads();
  try {
    for (; threads_ < wanted; ++threads_) {
      state_->workers.emplace_back([this, thread = threads_] { state_->Work(thread); });
    }
  } catch (const std::system_error&) {
  }
#else
  static_cast<void>(threads);
#endif
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
  s.inside.store(0, std::memory_order_release);
  s.generation.fetch_add(1, std::memory_order_release);
  s.generation.notify_all();
  s.Drain(0);
  int left = s.inside.fetch_or(State::kClosed, std::memory_order_acq_rel) | State::kClosed;
  for (int spin = 0; spin < kSpins && left != State::kClosed; ++spin) {
    CpuRelax();
    left = s.inside.load(std::memory_order_acquire);
  }
  while (left != State::kClosed) {
    s.inside.wait(left, std::memory_order_acquire);
    left = s.inside.load(std::memory_order_acquire);
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
