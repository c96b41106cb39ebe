#include "train/trm_samples.h"

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "models/trm/solve.h"
#include "puzzles/puzzle_file.h"

namespace pintle {
namespace {

// Results of items that run side by side: the first error in order counts.
Result<std::vector<Sample>> Gather(std::vector<std::optional<Result<Sample>>> found) {
  std::vector<Sample> samples;
  samples.reserve(found.size());
  for (auto& one : found) {
    if (!one->ok()) return std::move(*one).error();
    samples.push_back(std::move(*one).value());
  }
  return samples;
}

}  // namespace

Result<std::unique_ptr<TrmSamples>> TrmSamples::Open(const TrmRunConfig& config, ThreadPool& pool) {
  std::unique_ptr<TrmSamples> samples(new TrmSamples(config, pool));
  PINTLE_ASSIGN(samples->task_, MakeTask(config.task, config.options));
  if (config.easy_steps > 0) {
    const bool known = config.options.givens_low > 0 && config.options.givens_high > 0;
    if (!known || config.easy_givens_low <= 0 || config.easy_givens_high < config.easy_givens_low) {
      return ConfigError("a curriculum of givens needs both ranges", "trm.train.easy_steps",
                         "set trm.train.easy_givens_low, easy_givens_high, task.givens_low and givens_high");
    }
  }
  if (config.small_steps > 0) {
    if (!config.task.starts_with("maze") || config.mixing != "local") {
      return ConfigError("only mazes with local mixing can begin on a smaller grid", "trm.train.small_steps");
    }
    PINTLE_RETURN_IF_ERROR(samples->TaskOf(PhaseAt(config, 0, 0)));
  }
  samples->data_sha256_ = samples->task_->info().data_sha256;
  if (samples->HasOwnTests() && !config.data.empty()) {
    return ConfigError("the puzzles of " + config.task + " are read by task.data alone", "trm.train.data");
  }
  if (!config.data.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(config.data, uint64_t{1} << 30));
    PINTLE_ASSIGN(std::vector<Sample> all, ReadPuzzles(*samples->task_, text, config.data));
    for (Sample& sample : all) {
      if (InSplit(*samples->task_, sample.inputs, Split::kTrain)) samples->file_.push_back(std::move(sample));
    }
    if (samples->file_.empty()) {
      return ValidationError("no puzzle of the train split", config.data, "nine of ten puzzles belong to it");
    }
    samples->data_sha256_ = Sha256Hex(text);
  }
  return samples;
}

Result<const Task*> TrmSamples::TaskOf(const TrmPhase& phase) {
  if (phase.givens_low == config_.options.givens_low && phase.givens_high == config_.options.givens_high &&
      phase.smaller == 0) {
    return task_.get();
  }
  auto& task = easier_[{phase.givens_low, phase.givens_high, phase.smaller}];
  if (task == nullptr) {
    TaskOptions options = config_.options;
    options.givens_low = phase.givens_low;
    options.givens_high = phase.givens_high;
    const std::string name =
        phase.smaller == 0 ? config_.task : "maze" + std::to_string(task_->info().rows - phase.smaller);
    PINTLE_ASSIGN(task, MakeTask(name, options));
  }
  return task.get();
}

Result<Sample> TrmSamples::Draw(const Task& task, uint64_t index) const {
  const auto seed = static_cast<uint64_t>(config_.seed);
  if (!file_.empty() && task.cells() == task_->cells()) {
    RandomStream random(seed, Purpose::kShuffle, index);
    if (random.NextFloat() < static_cast<float>(config_.data_share)) {
      Sample sample = file_[random.NextBelow(static_cast<uint32_t>(file_.size()))];
      RandomStream symmetry(seed, Purpose::kAugment, index);
      task_->Augment(sample, symmetry);
      return sample;
    }
  }
  return GenerateInSplit(task, seed, index, HasOwnTests() ? Split::kAll : Split::kTrain);
}

Status TrmSamples::Fill(const TrmPhase& phase, int64_t first, std::span<const uint8_t> wanted, TrmBatch& batch) {
  PINTLE_ASSIGN(const Task* task, TaskOf(phase));
  std::vector<int64_t> rows;
  for (size_t row = 0; row < wanted.size(); ++row) {
    if (wanted[row] != 0) rows.push_back(static_cast<int64_t>(row));
  }
  std::vector<std::optional<Result<Sample>>> found(rows.size());
  pool_->ParallelFor(static_cast<int64_t>(rows.size()), [&](int64_t i) {
    found[static_cast<size_t>(i)].emplace(Draw(*task, static_cast<uint64_t>(first + i)));
  });
  PINTLE_ASSIGN(const std::vector<Sample> samples, Gather(std::move(found)));
  const int64_t cells = task->cells();
  batch.slots = static_cast<int64_t>(wanted.size());
  batch.inputs.resize(static_cast<size_t>(batch.slots * cells));
  batch.labels.resize(static_cast<size_t>(batch.slots * cells));
  batch.puzzle_ids.resize(static_cast<size_t>(batch.slots));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy(samples[i].inputs.begin(), samples[i].inputs.end(), batch.inputs.begin() + rows[i] * cells);
    std::transform(samples[i].labels.begin(), samples[i].labels.end(), batch.labels.begin() + rows[i] * cells,
                   [](Token label) { return label == kPad ? kTrmIgnored : label; });
    batch.puzzle_ids[static_cast<size_t>(rows[i])] = samples[i].puzzle_id;
  }
  return {};
}

Result<std::vector<Sample>> TrmSamples::Unseen(int64_t first, int64_t count) {
  if (HasOwnTests()) {
    const std::vector<Sample> all = task_->HeldBack();
    const size_t size = std::min(all.size(), static_cast<size_t>(count));
    std::vector<Sample> samples;
    for (size_t i = 0; i < size; ++i) samples.push_back(all[i * all.size() / size]);
    return samples;
  }
  std::vector<std::optional<Result<Sample>>> found(static_cast<size_t>(count));
  pool_->ParallelFor(count, [&](int64_t i) {
    found[static_cast<size_t>(i)].emplace(
        GenerateInSplit(*task_, static_cast<uint64_t>(config_.seed), static_cast<uint64_t>(first + i), Split::kTest));
  });
  return Gather(std::move(found));
}

}  // namespace pintle
