// Puzzles for a run: endless generated ones of the train split, mixed with those of a file, and unseen ones of the test
// split. Puzzle number i is a function of the settings and i alone, so nothing of this needs a checkpoint.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/trm.h"
#include "puzzles/split.h"
#include "puzzles/task.h"
#include "train/trm_config.h"

namespace pintle {

/// One caller at a time.
class TrmSamples {
 public:
  /// Makes the task and reads the file of puzzles, if there is one: those of the train split stay. The pool must
  /// outlive it.
  static Result<std::unique_ptr<TrmSamples>> Open(const TrmRunConfig& config, ThreadPool& pool);

  [[nodiscard]] const Task& task() const { return *task_; }
  /// SHA-256 of the file of puzzles, or of what the task was made from; "" without either.
  [[nodiscard]] const std::string& data_sha256() const { return data_sha256_; }
  [[nodiscard]] size_t file_puzzles() const { return file_.size(); }

  /// Puzzles `first`, `first` + 1, ... into the rows of `batch` whose `wanted` is not 0, in the order of the rows.
  Status Fill(const TrmPhase& phase, int64_t first, std::span<const uint8_t> wanted, TrmBatch& batch);
  /// `count` puzzles of the test split from number `first` on, by the task's own options. Of a task that holds its own
  /// tests back (ARC): at most `count` of them, evenly spread, the same ones for any `first`.
  Result<std::vector<Sample>> Unseen(int64_t first, int64_t count);

 private:
  TrmSamples(const TrmRunConfig& config, ThreadPool& pool) : config_(config), pool_(&pool) {}
  // The task of a phase: with its givens, or on its smaller grid.
  Result<const Task*> TaskOf(const TrmPhase& phase);
  [[nodiscard]] bool HasOwnTests() const { return !task_->info().data_sha256.empty(); }
  Result<Sample> Draw(const Task& task, uint64_t index) const;

  TrmRunConfig config_;
  ThreadPool* pool_;
  std::unique_ptr<Task> task_;
  std::map<std::array<int64_t, 3>, std::unique_ptr<Task>> easier_;  // by givens and size
  std::vector<Sample> file_;
  std::string data_sha256_;
};

}  // namespace pintle
