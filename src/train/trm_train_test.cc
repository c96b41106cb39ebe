#include "train/trm_train.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "base/file.h"
#include "base/interrupt.h"
#include "models/trm/model_folder.h"
#include "puzzles/puzzle_file.h"
#include "train/checkpoint.h"
#include "train/trm_samples.h"

namespace pintle {
namespace {

TrmTrainStageOptions Small(const std::filesystem::path& out) {
  TrmTrainStageOptions options;
  options.out = out;
  options.threads = 1;
  TrmRunConfig& config = options.config;
  config.task = "copy";
  config.options.length = 3;
  config.options.alphabet = 3;
  config.width = 16;
  config.steps = 12;
  config.batch = 4;
  config.warmup_steps = 2;
  config.cooldown_steps = 3;
  config.shallow_steps = 5;
  config.checkpoint_interval = 4;
  config.eval_interval = 5;
  config.eval_puzzles = config.final_puzzles = 4;
  config.eval_depth = 2;
  return options;
}

std::string Weights(const TrmTrainStageOptions& options) {
  const auto summary = TrainTrm(options);
  if (!summary.ok()) MESSAGE(summary.error().Message());
  REQUIRE(summary.ok());
  REQUIRE(summary->finished);
  return summary->weights_sha256;
}

TEST_CASE("trm train: threads, stops and evaluations do not show in the weights") {
  const TemporaryFolder folder;
  TrmTrainStageOptions options = Small(folder.path() / "a");
  const std::string weights = Weights(options);
  CHECK(TrainTrm(options)->up_to_date);

  options.out = folder.path() / "b";
  options.threads = 3;
  options.config.eval_interval = 0;
  for (const int64_t until : {3, 4, 7, 11}) {
    options.until_step = until;
    const auto part = TrainTrm(options);
    REQUIRE(part.ok());
    CHECK(part->stop_reason == "limit");
    CHECK(part->step == until);
  }
  options.until_step = 0;
  CHECK(Weights(options) == weights);

  ThreadPool pool(1);
  const auto loaded = LoadTrm(folder.path() / "b" / "model", false, pool);
  REQUIRE(loaded.ok());
  CHECK(loaded->notes.at("task") == "copy");
  CHECK(loaded->notes.at("steps") == "12");
}

TEST_CASE("trm train: an interrupt saves; other settings are refused until --fresh") {
  const TemporaryFolder folder;
  TrmTrainStageOptions options = Small(folder.path() / "a");
  options.until_step = 2;
  REQUIRE(TrainTrm(options).ok());
  options.until_step = 0;
  SetInterrupted(true);
  const auto interrupted = TrainTrm(options);
  SetInterrupted(false);
  REQUIRE(interrupted.ok());
  CHECK(interrupted->stop_reason == "interrupted");
  CHECK(interrupted->step == 2);
  options.config.lr = 0.5;
  const auto refused = TrainTrm(options);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kConfig);
  options.fresh = true;
  CHECK(TrainTrm(options)->finished);
}

TEST_CASE("trm train: by the clock the run cools down and equals the run of as many steps") {
  const TemporaryFolder folder;
  TrmTrainStageOptions options = Small(folder.path() / "a");
  options.minutes = 0.2 / 60;
  const auto clock = TrainTrm(options);
  REQUIRE(clock.ok());
  CHECK(clock->finished);
  CHECK(clock->step >= options.config.cooldown_steps);
  options.out = folder.path() / "b";
  options.minutes = 0;
  options.config.steps = clock->step;
  CHECK(Weights(options) == clock->weights_sha256);
}

TEST_CASE("trm train: a damaged checkpoint is a validation error") {
  const TemporaryFolder folder;
  TrmTrainStageOptions options = Small(folder.path() / "a");
  options.until_step = 4;
  REQUIRE(TrainTrm(options).ok());
  options.until_step = 0;
  const auto checkpoints = ListCheckpoints(options.out);
  REQUIRE(!checkpoints.empty());
  REQUIRE(WriteFileAtomic(checkpoints.back() / "state.json", "{}").ok());
  const auto damaged = TrainTrm(options);
  REQUIRE(!damaged.ok());
  CHECK(damaged.error().code == Code::kValidation);
}

TEST_CASE("trm samples: counted, split, and mixed with a file's train split") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  TrmRunConfig config;
  config.task = "sudoku4";
  const auto samples = TrmSamples::Open(config, pool);
  REQUIRE(samples.ok());
  const Task& task = (*samples)->task();
  TrmBatch batch, later;
  const TrmPhase phase = PhaseAt(config, 0, 0);
  REQUIRE((*samples)->Fill(phase, 10, std::vector<uint8_t>{1, 0, 1, 1}, batch).ok());
  REQUIRE((*samples)->Fill(phase, 11, std::vector<uint8_t>{0, 1}, later).ok());
  // Row 2 of the first batch and row 1 of the second are both puzzle 11.
  const auto row = [](const TrmBatch& b, int64_t r) {
    return Tokens(b.inputs.begin() + r * 16, b.inputs.begin() + (r + 1) * 16);
  };
  CHECK(row(batch, 2) == row(later, 1));
  for (const int64_t r : {0, 2, 3}) CHECK(InSplit(task, row(batch, r), Split::kTrain));
  const auto unseen = (*samples)->Unseen(0, 3);
  REQUIRE(unseen.ok());
  std::string csv = PuzzleHeader() + "\n";
  for (const Sample& sample : *unseen) {
    CHECK(InSplit(task, sample.inputs, Split::kTest));
    csv += PuzzleLine(task, sample) + "\n";
  }
  config.data = (folder.path() / "puzzles.csv").string();
  REQUIRE(WriteFileAtomic(config.data, csv).ok());
  const auto none = TrmSamples::Open(config, pool);
  REQUIRE(!none.ok());
  CHECK(none.error().what == "no puzzle of the train split");
  csv += PuzzleLine(task, Sample{row(batch, 0), Tokens(batch.labels.begin(), batch.labels.begin() + 16)}) + "\n";
  REQUIRE(WriteFileAtomic(config.data, csv).ok());
  config.data_share = 1;
  const auto file = TrmSamples::Open(config, pool);
  REQUIRE(file.ok());
  CHECK((*file)->file_puzzles() == 1);
  REQUIRE((*file)->Fill(phase, 0, std::vector<uint8_t>{1}, later).ok());
  CHECK(task.CanonicalForm(row(later, 0)) == task.CanonicalForm(row(batch, 0)));

  // A file holds puzzles of the full size: they wait while the grid is smaller.
  config = {};
  config.task = "maze7";
  config.mixing = "local";
  const auto mazes = TrmSamples::Open(config, pool);
  REQUIRE(mazes.ok());
  REQUIRE((*mazes)->Fill(phase, 0, std::vector<uint8_t>{1}, batch).ok());
  const Tokens maze(batch.inputs.begin(), batch.inputs.begin() + 49);
  csv = PuzzleHeader() + "\n" +
        PuzzleLine((*mazes)->task(), Sample{maze, Tokens(batch.labels.begin(), batch.labels.begin() + 49)}) + "\n";
  config.data = (folder.path() / "puzzles.csv").string();
  config.data_share = 1;
  config.small_steps = 10;
  config.small_by = 2;
  REQUIRE(WriteFileAtomic(config.data, csv).ok());
  const auto growing = TrmSamples::Open(config, pool);
  REQUIRE(growing.ok());
  for (const int64_t step : {0, 10}) {
    CAPTURE(step);
    TrmBatch grown;
    REQUIRE((*growing)->Fill(PhaseAt(config, step, 0), 0, std::vector<uint8_t>{1, 1}, grown).ok());
    CHECK(grown.inputs.size() == (step == 0 ? 2 * 25 : 2 * 49));
  }

  config = {};
  config.easy_steps = 5;
  CHECK(TrmSamples::Open(config, pool).error().code == Code::kConfig);
}

}  // namespace
}  // namespace pintle
