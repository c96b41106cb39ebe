#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "evaluate/trm_arc.h"
#include "evaluate/trm_evaluate.h"
#include "evaluate/trm_model.h"
#include "evaluate/trm_solve.h"
#include "evaluate/trm_trace.h"
#include "models/trm/model_folder.h"

namespace pintle {
namespace {

// A folder with an untrained model of 4x4 Sudoku.
std::filesystem::path Save(const TemporaryFolder& folder, ThreadPool& pool, const std::string& task) {
  TrmConfig config;
  config.cells = 16;
  config.vocab = 6;
  config.width = 16;
  const auto model = Trm::Create(config, false, pool);
  REQUIRE(model.ok());
  (*model)->Init(1);
  std::map<std::string, std::string> notes;
  if (!task.empty()) notes["task"] = task;
  REQUIRE(SaveTrm(folder.path() / "model", **model, notes).ok());
  return folder.path() / "model";
}

PuzzleModel Load(const std::filesystem::path& folder, ThreadPool& pool) {
  auto puzzle = LoadPuzzleModel(folder, {}, pool);
  if (!puzzle.ok()) MESSAGE(puzzle.error().Message());
  REQUIRE(puzzle.ok());
  return std::move(*puzzle);
}

TEST_CASE("trm evaluation: figures are consistent, and equal for any batch") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  PuzzleModel puzzle = Load(Save(folder, pool, "sudoku4"), pool);
  TrmEvaluateOptions options;
  options.generate = 30;
  options.solve.depth = 6;
  const auto evaluation = EvaluateTrm(puzzle, options, pool);
  REQUIRE(evaluation.ok());
  CHECK(evaluation->score.puzzles == 30);
  CHECK(evaluation->baseline.CellShare() > evaluation->score.CellShare());
  CHECK(evaluation->mean_steps == 6);  // an untrained halting head is never content
  REQUIRE(evaluation->curve.size() == 4);
  CHECK(evaluation->curve[2].depth == 4);
  CHECK(evaluation->curve[3].score.right == evaluation->score.right);
  int64_t binned = 0;
  for (const auto& bin : evaluation->bins) binned += bin.count;
  CHECK(binned == 30);
  options.solve.batch = 7;
  const auto again = EvaluateTrm(puzzle, options, pool);
  REQUIRE(again.ok());
  CHECK(again->curve[1].score.right == evaluation->curve[1].score.right);
  const auto json = TrmEvaluationJson(*evaluation);
  for (const char* key : {"count", "exact", "cells", "mean_steps", "seconds_per_puzzle"}) CHECK(json.contains(key));

  options.data = (folder.path() / "none.csv").string();
  REQUIRE(WriteFileAtomic(options.data, "").ok());
  CHECK(EvaluateTrm(puzzle, options, pool).error().code == Code::kValidation);
}

TEST_CASE("trm model: the task comes from the notes or from the user, and must fit") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  const auto named = Save(folder, pool, "sudoku4");
  CHECK(LoadPuzzleModel(named, {"sudoku9", nullptr}, pool).error().code == Code::kValidation);
  CHECK(!LoadPuzzleModel(named, {"sudoku", nullptr}, pool).ok());
  const auto nameless = Save(folder, pool, "");
  CHECK(LoadPuzzleModel(nameless, {}, pool).error().code == Code::kUsage);
  CHECK(LoadPuzzleModel(nameless, {"sudoku4", nullptr}, pool).ok());
}

TEST_CASE("trm solve: puzzles from text are checked before the model sees them") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  PuzzleModel puzzle = Load(Save(folder, pool, "sudoku4"), pool);
  const Sample sample = puzzle.task->Generate(1, 1);
  const auto read = ReadPuzzle(*puzzle.task, puzzle.task->Render(sample.inputs), "text");
  REQUIRE(read.ok());
  CHECK(read->labels == sample.labels);
  for (const char* bad : {"", "1", "11..............", "................", "1234123412341234", "1x34............"}) {
    const auto refused = ReadPuzzle(*puzzle.task, bad, "text");
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::kValidation);
    CHECK(refused.error().where.starts_with("text"));
  }
  TrmSolveOptions options;
  options.depth = 2;
  const auto answers = SolvePuzzles(puzzle, {*read, *read}, options);
  REQUIRE(answers.ok());
  REQUIRE(answers->size() == 2);
  CHECK(!answers->front().verdict.right);
  CHECK(answers->front().steps == 2);
  CHECK(answers->front().answer == answers->back().answer);
}

TEST_CASE("trm trace: every state, ending in the answer that solving gives") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  PuzzleModel puzzle = Load(Save(folder, pool, "sudoku4"), pool);
  const Sample sample = puzzle.task->Generate(1, 1);
  const auto trace = TraceTrm(puzzle, sample.inputs, 0, 3, false);
  REQUIRE(trace.ok());
  REQUIRE(trace->states.size() == 3 * 2 * 3);
  TrmSolveOptions options;
  options.depth = 3;
  const auto answers = SolvePuzzles(puzzle, {sample}, options);
  REQUIRE(answers.ok());
  CHECK(trace->states.back().answer == answers->front().answer);
  CHECK(trace->states.back().last);
  for (const TrmTraceState& state : trace->states) {
    CHECK(state.is_h == (state.evaluation == 3));
    for (const float p : state.probability) CHECK((p > 1.0F / 6 - 1e-5F && p <= 1));
    for (const float bits : state.entropy) CHECK((bits >= 0 && bits <= 2.59F));
  }
  const std::string lines = TrmTraceNdjson(*puzzle.task, *trace);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 19);
  for (size_t begin = 0; begin < lines.size(); begin = lines.find('\n', begin) + 1) {
    CHECK(ParseJson(lines.substr(begin, lines.find('\n', begin) - begin), "trace").ok());
  }
  const auto frames = TrmTraceFrames(*trace, 2);
  REQUIRE(frames.size() == 3);
  CHECK(frames.front().cells == sample.inputs);
  CHECK(frames.back().cells == answers->front().answer);
  const std::string screen = TrmTraceScreen(*puzzle.task, *trace, 2);
  CHECK(std::count(screen.begin(), screen.end(), '\n') == 7);
  const auto wrong = TraceTrm(puzzle, Tokens(16, 77), 0, 1, false);
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().code == Code::kValidation);
}

TEST_CASE("ARC: every test gets two attempts, what the input itself would score stands beside, other data is refused") {
  const TemporaryFolder folder;
  // The answer of "same" is its input; that of "gone" is not known.
  const std::string file = (folder.path() / "arc.json").string();
  const std::string same = R"({"same": {"train": [{"input": [[1, 2]], "output": [[1, 2]]}],
    "test": [{"input": [[3, 4]], "output": [[3, 4]]}]}, "gone": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[)";
  REQUIRE(WriteFileAtomic(file, same + "3]]}]}}").ok());
  TaskOptions options;
  options.data = file;
  const auto task = MakeTask("arc", options);
  REQUIRE(task.ok());
  TrmConfig config;
  config.cells = (*task)->cells();
  config.vocab = (*task)->vocabulary();
  config.width = 16;
  config.puzzle_ids = (*task)->info().puzzle_ids;
  ThreadPool pool(2);
  const auto model = Trm::Create(config, false, pool);
  REQUIRE(model.ok());
  (*model)->Init(1);
  const std::map<std::string, std::string> notes = {
      {"task", "arc"}, {"task_options", "[task]\ndata = '" + file + "'\n"}, {"data", (*task)->info().data_sha256}};
  REQUIRE(SaveTrm(folder.path() / "model", **model, notes).ok());
  PuzzleModel puzzle = Load(folder.path() / "model", pool);
  TrmSolveOptions solve;
  solve.depth = 2;
  const auto evaluation = EvaluateArc(puzzle, solve);
  REQUIRE(evaluation.ok());
  CHECK(evaluation->problems == 2);
  CHECK(evaluation->tests == 2);
  CHECK(evaluation->known_tests == 1);
  CHECK(evaluation->views == config.puzzle_ids - 1);
  CHECK(evaluation->baseline_pass == 0.5);
  CHECK(evaluation->baseline.ExactShare() == 1);
  CHECK(evaluation->mean_steps == 2);
  const auto submission = ParseJson(evaluation->submission, "submission.json");
  REQUIRE(submission.ok());
  for (const char* id : {"same", "gone"}) {
    const auto& attempts = submission->as_object().at(id).as_array().at(0).as_object();
    CHECK(attempts.at("attempt_1").is_array());
    CHECK(attempts.at("attempt_2").is_array());
  }
  CHECK(DumpJson(TrmArcEvaluationJson(*evaluation)).find("\"1000\"") != std::string::npos);
  solve.batch = 3;
  CHECK(EvaluateArc(puzzle, solve)->submission == evaluation->submission);
  REQUIRE(WriteFileAtomic(file, same + "4]]}]}}").ok());
  CHECK(LoadPuzzleModel(folder.path() / "model", {}, pool).error().code == Code::kValidation);
  PuzzleModel sudoku = Load(Save(folder, pool, "sudoku4"), pool);
  CHECK(EvaluateArc(sudoku, solve).error().code == Code::kValidation);
}

}  // namespace
}  // namespace pintle
